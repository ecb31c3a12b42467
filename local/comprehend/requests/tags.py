"""TagResource, UntagResource, ListTagsForResource, and tags given at creation."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request, not_found, service_error
from local.comprehend.identifiers import Scope, flywheel_arn_of_dataset
from local.comprehend.runtime import Runtime
from local.comprehend.state import RegionState

MAXIMUM_TAGS = 50


def checked_tags(tags: list[dict[str, str]], *, present: dict[str, str | None]) -> dict[str, str | None]:
    """``present`` with the tags set. Raises InvalidRequestException for a key that is reserved or given twice, and
    TooManyTagsException when more than 50 would be left."""
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise invalid_request("A tag key is given more than once.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise invalid_request("Tag keys that begin with aws: are reserved.")
    result = {**present, **{tag["Key"]: tag.get("Value") for tag in tags}}
    if len(result) > MAXIMUM_TAGS:
        raise service_error("TooManyTagsException", f"A resource can have at most {MAXIMUM_TAGS} tags.")
    return result


class Tags:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def tag(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._region_with(scope, request["ResourceArn"])
        present = region.tags.get(request["ResourceArn"], {})
        region.tags[request["ResourceArn"]] = checked_tags(request["Tags"], present=present)
        return {}

    def untag(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._region_with(scope, request["ResourceArn"])
        if len(request["TagKeys"]) > MAXIMUM_TAGS:
            raise service_error(
                "TooManyTagKeysException", f"At most {MAXIMUM_TAGS} tag keys can be removed in one request."
            )
        tags = region.tags.get(request["ResourceArn"], {})
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._region_with(scope, request["ResourceArn"])
        tags = region.tags.get(request["ResourceArn"], {})
        return {
            "ResourceArn": request["ResourceArn"],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def _region_with(self, scope: Scope, arn: str) -> RegionState:
        region = self._runtime.region(scope)
        flywheel = region.flywheels.get(flywheel_arn_of_dataset(arn))
        if arn in region.models or arn in region.jobs or arn in region.endpoints:
            return region
        if flywheel and (arn == flywheel.arn or arn in flywheel.datasets):
            return region
        raise not_found(f"There is no resource {arn}.")
