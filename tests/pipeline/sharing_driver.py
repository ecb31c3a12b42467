"""Sharing in this process: what share_model does, and the default buses of other accounts, which take its events."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.records.sharing import SharedVersion, shared_versions
from flywheel.sharing.policy import PolicyDocument
from flywheel.sharing.principals import read_principals
from flywheel.sharing.share_model import Outcome, Sharing

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

    from tests.pipeline.turn_driver import Deployment

LASTS = timedelta(minutes=5)


class Buses:
    """PutEvents to the default buses of other accounts. `denying` have no policy that lets the source send; of
    `failing` an entry is not taken."""

    def __init__(self) -> None:
        self.denying: set[str] = set()
        self.failing: set[str] = set()
        self.taken: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        """By account: detail type and detail."""
        self.requests: list[int] = []
        """How many entries each had."""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        self.requests.append(len(Entries))
        answers = []
        for entry in Entries:
            account = entry["EventBusName"].split(":")[4]
            assert entry["EventBusName"].endswith(":event-bus/default")
            assert entry["Source"] == "comprehend.flywheel"
            if account in self.denying:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no policy"}}, "PutEvents")
            if account in self.failing:
                answers.append({"ErrorCode": "InternalFailure", "ErrorMessage": "not now"})
                continue
            self.taken[account].append((entry["DetailType"], json.loads(entry["Detail"])))
            answers.append({"EventId": str(len(answers))})
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    def of(self, account: str, detail_type: str) -> list[dict[str, Any]]:
        return [detail for kind, detail in self.taken[account] if kind == detail_type]


def sharing_of(at: Deployment, *, holder: str = "a test") -> Sharing:
    events: EventBridgeClient = at.buses  # type: ignore[assignment]  # as far as it is used
    return Sharing(
        pipeline=at.pipeline,
        comprehend=at.functions.clients["comprehend"],
        events=events,
        flywheel_name=at.name,
        model_type="ENTITY_RECOGNIZER" if at.kind is ENTITY_RECOGNITION else "DOCUMENT_CLASSIFIER",
        holder=holder,
        lasts=LASTS,
        clock=at.now,
    )


def share(at: Deployment) -> Outcome | None:
    """As the schedule does it."""
    with at.acting_as("share_model"):
        return sharing_of(at).share_model()


def trust(at: Deployment, *given: str) -> Outcome:
    """As a deployment with this list does it."""
    with at.acting_as("share_model"):
        return sharing_of(at).change_trusted(read_principals(given or ("none",), partition="aws"))


def versions(at: Deployment) -> dict[str, SharedVersion]:
    return {version.model_arn: version for version in shared_versions(at.bucket)}


def policy_of(at: Deployment, model_arn: str) -> dict[str, Any] | None:
    comprehend = at.comprehend
    try:
        found: dict[str, Any] = json.loads(comprehend.describe_resource_policy(ResourceArn=model_arn)["ResourcePolicy"])
    except comprehend.exceptions.ResourceNotFoundException:
        return None
    return found


def importers(at: Deployment, model_arn: str) -> list[str]:
    """Whom the pipeline's statement lets import the model."""
    policy = policy_of(at, model_arn)
    own = PolicyDocument.parse(json.dumps(policy)).own if policy else None
    return list(own["Principal"]["AWS"]) if own else []
