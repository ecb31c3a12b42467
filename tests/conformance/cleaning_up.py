"""Removes everything that a run made, by its name: at its end, or later if it was killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.conformance.places import Place

_GONE = {"ResourceNotFoundException"}


def clean_up(place: Place, *, say: Callable[[str], None]) -> list[str]:
    """Endpoints first, as they cost most, then flywheels, then models, then bucket and role; what was left behind.

    Each is asked for until it is gone: what still changes or iterates is refused at first.
    """
    say("Cleaning up")
    left: list[str] = []
    client = place.comprehend
    for find, delete in (
        (_endpoints, lambda arn: client.delete_endpoint(EndpointArn=arn)),
        (_flywheels, lambda arn: client.delete_flywheel(FlywheelArn=arn)),
        (_models, lambda arn: client.delete_document_classifier(DocumentClassifierArn=arn)),
    ):
        try:
            left += _delete_all(place, find, delete)
        except (ClientError, BotoCoreError) as error:
            # The others all the same.
            left.append(f"{find.__name__[1:]} named {place.name} ({error})")
    return [*left, *place.remove()]


def _delete_all(place: Place, find: Callable[[Place], list[str]], delete: Callable[[str], Any]) -> list[str]:
    deadline = time.monotonic() + place.patience / 2
    while found := find(place):
        for arn in found:
            try:
                delete(arn)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _GONE and time.monotonic() > deadline:
                    return [f"{arn} ({error})" for arn in found]
        if time.monotonic() > deadline:
            return found
        time.sleep(place.pause)
    return []


def _endpoints(place: Place) -> list[str]:
    pages = place.comprehend.get_paginator("list_endpoints").paginate()
    found = [item["EndpointArn"] for page in pages for item in page["EndpointPropertiesList"]]
    return [arn for arn in found if arn.endswith(f"/{place.name}")]


def _flywheels(place: Place) -> list[str]:
    token: dict[str, str] = {}
    found: list[str] = []
    while True:
        page = place.comprehend.list_flywheels(**token)
        found += [item["FlywheelArn"] for item in page["FlywheelSummaryList"]]
        if not page.get("NextToken"):
            return [arn for arn in found if f"/{place.name}-" in arn]
        token = {"NextToken": page["NextToken"]}


def _models(place: Place) -> list[str]:
    pages = place.comprehend.get_paginator("list_document_classifiers").paginate()
    found = [item for page in pages for item in page["DocumentClassifierPropertiesList"]]
    own = [item for item in found if f"/{place.name}-" in item.get("FlywheelArn", "")]
    return [item["DocumentClassifierArn"] for item in own]
