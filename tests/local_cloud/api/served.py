"""The app with its Serving stack, its callers, and what lies in its review queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from flywheel.records.predictions import PREDICTIONS, KeptPrediction, text_digest
from flywheel.records.review import (
    WAITING,
    Claim,
    ItemSource,
    ItemState,
    Lane,
    Proposal,
    ReviewItem,
    WaitingItem,
    item_key,
)
from flywheel.review.queue import Pointer, pointer_key
from local.cloud import CloudAccount
from ops.deployment.clients import Clients
from ops.verbs.classify import Answer, RealTimeApi, find_api
from tests.local_cloud.pipeline import NAME, Pipeline
from tests.local_cloud.resources import change_parameters, create_role

SERVING = f"{NAME}-serving"
AMPLE = {"documents_per_inference_unit": 1e6, "characters_per_inference_unit": 1e6}
USUAL = {"documents_per_inference_unit": 2, "characters_per_inference_unit": 100}
PARAMETERS = {
    f"{SERVING}:InferenceUnits": "50",
    f"{SERVING}:ReserveConcurrency": "true",
    # Which texts are drawn changes from day to day.
    f"{SERVING}:AuditPercent": "0",
}


class Served:
    """The app with its Serving stack."""

    def __init__(self, pipeline: Pipeline, outputs: dict[str, str]) -> None:
        self.pipeline = pipeline
        self.outputs = outputs
        self.api = find_api(pipeline.deployment)

    @property
    def account(self) -> CloudAccount:
        return self.pipeline.account

    def api_as(self, role_arn: str) -> RealTimeApi:
        """The API as somebody else calls it."""
        clients = Clients(self.account.session(role_arn=role_arn))
        return RealTimeApi(url=self.api.url, clients=clients)

    def role(self, policy: str | None = None) -> str:
        """The ARN of a role of this account, with the policy that is this output, or without any."""
        role = create_role(self.account, trusted={"AWS": f"arn:aws:iam::{self.account.account}:root"})
        if policy:
            name = role.rsplit("/", 1)[1]
            self.account.client("iam").attach_role_policy(RoleName=name, PolicyArn=self.outputs[policy])
        return role

    def classify(self, content: Any) -> Answer:
        return self.api.request("POST", "/classify", content)

    def kept(self) -> list[KeptPrediction]:
        intake = self.pipeline.deployment.intake
        return intake.read_all(sorted(intake.keys(PREDICTIONS)), KeptPrediction)

    def pointers(self, text: str, folder: str) -> list[str]:
        return [key for key in self.pipeline.keys(folder) if text_digest(text) in key]

    def proposals(self, text: str) -> list[Proposal]:
        """Of the text's place among feedback."""
        (key,) = self.pointers(text, f"{WAITING}{Lane.FEEDBACK}/")
        return list(self.pipeline.deployment.intake.require(key, WaitingItem).proposals)

    def item(self, text: str) -> ReviewItem:
        return self.pipeline.deployment.intake.require(item_key(text_digest(text)), ReviewItem)

    def put_item(self, text: str, state: ItemState, *, by: str | None = None) -> None:
        """As it would be after reviewers had to do with it."""
        now = datetime.now(UTC)
        claim = Claim(by=by, until=now + timedelta(hours=1)) if by else None
        item = ReviewItem(text=text, source=ItemSource.API, at=now, lane=Lane.AGAIN, rank=0, state=state, claim=claim)
        intake, pointer = self.pipeline.deployment.intake, pointer_key(item)
        assert pointer is not None
        intake.write(item_key(item.id), item)
        intake.write(pointer, item.waiting if state is ItemState.WAITING else Pointer())

    @contextmanager
    def trusted(self) -> Iterator[None]:
        """While feedback is accepted at once."""
        change_parameters(self.account, SERVING, {"FeedbackTrust": "accept"})
        try:
            yield
        finally:
            change_parameters(self.account, SERVING, {"FeedbackTrust": "review"})


class FeedbackCaller:
    """Somebody with a role of their own, that may give feedback only."""

    def __init__(self, served: Served) -> None:
        role = served.role("FeedbackPolicyArn")
        self.api = served.api_as(role)
        self.arn: str = served.account.session(role_arn=role).client("sts").get_caller_identity()["Arn"]

    def say(self, **content: Any) -> Answer:
        return self.api.request("POST", "/feedback", content)


def prediction_of(answer: Answer, number: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = answer.body["documents"][number]
    return document
