"""The question whether a model may be promoted: everything that is needed to answer it is in it."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from flywheel.promotions import ask_for_approval
from flywheel.records import promotions
from flywheel.records.decisions import Decision, DecisionKind, Metrics, ModelScore
from flywheel.records.promotions import ApprovalWait, PromotionBeginning, PromotionRequest, PromotionSource
from flywheel.store.bucket import IntakeBucket

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WAIT = ApprovalWait(task_token="secret-token", asked_at=NOON, ends_at=NOON + timedelta(hours=72))
REQUEST = PromotionRequest(
    id="i-1",
    source=PromotionSource.TURN,
    model_arn="arn:new",
    flywheel_arn="arn:flywheel",
    requested_at=NOON,
    by="turn-000007",
    reason="Better.",
    turn="turn-000007",
    iteration_id="i-1",
)
BEGINNING = PromotionBeginning(promotion="promotion-000003", began_at=NOON, request=REQUEST, approval=True)
DECISION = Decision(
    iteration_id="i-1",
    flywheel_arn="arn:flywheel",
    turn="turn-000007",
    decided_at=NOON,
    decision=DecisionKind.PROMOTE,
    reasons=("F1Score gains 0.05.",),
    selection_metric="F1Score",
    candidate=ModelScore(arn="arn:new", metrics=Metrics(F1Score=0.85), source="this iteration"),
    active=ModelScore(arn="arn:old", metrics=Metrics(F1Score=0.8), source="this iteration"),
)


class Bucket:
    """The records of one approval."""

    name = "intake"

    def __init__(self, *, decided: bool, decision: Decision) -> None:
        self._records: dict[str, Any] = {promotions.approval_key(BEGINNING.promotion): WAIT}
        if decided:
            self._records["decisions/i-1.json"] = decision

    def read(self, key: str, _kind: type) -> Any:
        return self._records.get(key)

    def require(self, key: str, _kind: type) -> Any:
        return self._records[key]


def question(*, decided: bool = True, decision: Decision = DECISION) -> str:
    bucket = cast("IntakeBucket", Bucket(decided=decided, decision=decision))
    return ask_for_approval.message(BEGINNING, intake=bucket, flywheel_name="news")


def test_holds_the_comparison_and_until_when() -> None:
    text = question()
    for part in ("F1Score gains 0.05.", "arn:old: F1Score 0.8000", "arn:new: F1Score 0.8500", "2026-11-24 12:00 UTC"):
        assert part in text


def test_the_commands_are_whole_however_long_the_comparison_is() -> None:
    text = question(decision=DECISION.model_copy(update={"reasons": ("Zürich " * 100_000,) * 9}))
    assert len(text.encode()) <= 262_144
    assert "[shortened" in text
    assert text[text.index("\n\nYes: ") :] == question()[question().index("\n\nYes: ") :]


def test_without_a_decision_it_says_what_was_asked_for() -> None:
    assert "Model arn:new: Better." in question(decided=False)


def test_holds_the_commands_and_never_the_token() -> None:
    """Whoever reads the mail may not approve for that reason alone."""
    text = question()
    assert "flywheel --name news approve turn-000007" in text
    assert "flywheel --name news decline turn-000007 --reason '...'" in text
    assert "secret-token" not in text
    commands = [line for line in text.splitlines() if line.startswith("aws ")]
    assert [shlex.split(line)[2] for line in commands] == ["send-task-success", "send-task-failure"]
    for line in commands:
        assert f"s3://intake/{promotions.approval_key(BEGINNING.promotion)}" in line
    assert shlex.split(commands[1])[4] == ask_for_approval.DECLINED
