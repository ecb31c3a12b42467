"""A deployment with three models, for the tests of promotions."""

from __future__ import annotations

from dataclasses import dataclass

from flywheel.promotions import requests
from flywheel.records import promotions, turns
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionRequest, PromotionSource
from flywheel.records.turns import TurnRecord
from tests.pipeline.deployed import Deployment, WaitingPromotion
from tests.pipeline.documents import LABELS, Document, documents, mislabelled

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=10, words="judge: ")
WRONG = mislabelled(documents(*LABELS, count=20))
BETTER = documents(*LABELS, start=500, count=100)
MORE = documents(*LABELS, start=900, count=100)


@dataclass(kw_only=True)
class World:
    """One deployment with three models: `active`, and two that nobody made active."""

    at: Deployment
    active: str
    better: str
    other: str

    def turn(self, rows: list[Document]) -> TurnRecord:
        self.at.upload(f"train/{len(self.at.iterations())}.csv", rows)
        record = self.at.run_turn()
        assert record.decision is DecisionKind.PROMOTE
        return record

    def ask(
        self,
        model: str,
        *,
        score: float | None = None,
        source: PromotionSource = PromotionSource.TURN,
        against: str | None = None,
        turn: str | None = None,
    ) -> PromotionRequest:
        """A request as a turn or an operator writes it."""
        number = len(self.at.keys(promotions.REQUESTS))
        request = PromotionRequest(
            id=f"request-{number}",
            source=source,
            model_arn=model,
            flywheel_arn=self.at.flywheel_arn,
            requested_at=self.at.now(),
            by=turn or ("a turn" if source is PromotionSource.TURN else "somebody"),
            reason="A test wants it.",
            decided_against=against or self.at.active_model(),
            score=score,
            turn=turn,
        )
        self.at.bucket.write(promotions.request_key(request.id), request)
        return request

    def edit(self, model: str) -> None:
        """What document writers do: `aws ssm put-parameter --overwrite`."""
        self.at.client("ssm").put_parameter(
            Name=f"/comprehend-flywheel/{self.at.name}/desired-model-arn", Value=model, Type="String", Overwrite=True
        )

    def change_in_console(self, model: str) -> None:
        self.at.comprehend.update_flywheel(FlywheelArn=self.at.flywheel_arn, ActiveModelArn=model)

    def promotion(self, request: PromotionRequest) -> Promotion:
        found = requests.promotion_of(request.id, intake=self.at.bucket)
        assert found
        return found

    def noted(self, record: TurnRecord) -> Promotion:
        """As the turn's record has it by now."""
        found = self.at.bucket.require(turns.record_key(record.turn), TurnRecord).promotion
        assert found
        return found

    def ends(self) -> list[Promotion]:
        return self.at.bucket.read_all(self.at.keys(promotions.ENDS), Promotion)

    def waiting(self) -> WaitingPromotion:
        return self.at.waiting_promotion()

    def check_at_rest(self, *, active: str, previous: str | None = None) -> None:
        at = self.at
        assert at.active_model() == active
        expected = {"active-model-arn": active, "desired-model-arn": active}
        assert at.parameters() == (expected | {"previous-model-arn": previous} if previous else expected)
        assert not at.poked_promotion().start
        assert requests.open_requests(at.bucket) == []


def models(at: Deployment) -> list[str]:
    """Oldest first; those that Comprehend has not got rid of."""
    pages = at.comprehend.get_paginator("list_document_classifiers").paginate()
    listed = [item for page in pages for item in page["DocumentClassifierPropertiesList"]]
    own = [item for item in listed if f":flywheel/{at.name}-" in item.get("FlywheelArn", "")]
    done = [item for item in own if item["Status"] == "TRAINED"]
    return [item["DocumentClassifierArn"] for item in sorted(done, key=lambda item: item["SubmitTime"])]
