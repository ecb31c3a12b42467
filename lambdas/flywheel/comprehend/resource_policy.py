"""Comprehend's calls about the resource policy of a model version: who may import it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient


@dataclass(frozen=True, kw_only=True)
class ResourcePolicy:
    document: str
    revision: str | None


def describe_policy(comprehend: ComprehendClient, model_arn: str) -> ResourcePolicy | None:
    """None if the version has no policy, or does not exist: Comprehend answers both alike."""
    try:
        found = comprehend.describe_resource_policy(ResourceArn=model_arn)
    except comprehend.exceptions.ResourceNotFoundException:
        return None
    document = found.get("ResourcePolicy")
    return ResourcePolicy(document=document, revision=found.get("PolicyRevisionId")) if document else None


def put_policy(comprehend: ComprehendClient, model_arn: str, document: str, *, revision: str | None) -> str | None:
    """Returns the new revision. Raises ClientError; if `revision` is not the policy's any more, it is refused."""
    given = {"PolicyRevisionId": revision} if revision else {}
    return comprehend.put_resource_policy(ResourceArn=model_arn, ResourcePolicy=document, **given).get(
        "PolicyRevisionId"
    )


def delete_policy(comprehend: ComprehendClient, model_arn: str, *, revision: str | None) -> None:
    """Raises ClientError as `put_policy`; nothing happens if there is no policy."""
    given = {"PolicyRevisionId": revision} if revision else {}
    try:
        comprehend.delete_resource_policy(ResourceArn=model_arn, **given)
    except comprehend.exceptions.ResourceNotFoundException:
        return
