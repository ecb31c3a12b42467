"""What is computed about promotions and models before it is shown, and the sentences themselves."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import RenderableType

from flywheel.records.decisions import Metrics, ModelScore
from flywheel.records.promotions import Promotion, PromotionMode, PromotionSource, PromotionStatus
from ops.tables.models import models_table
from ops.tables.promotions import answered_sentence, promotion_words, rollback_sentence
from ops.tables.status import status_view
from ops.tables.terminal import result_console
from ops.verbs.approve import Answer, Answered, ended_sentence
from ops.verbs.models import DELETED, ActiveTime, ModelMark, ModelVersion, PublishedVersion, active_times, matching
from ops.verbs.promotions import DesiredModel, Promotions
from ops.verbs.rollback import Rollback
from ops.verbs.status import NextTurn, Status

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ARN = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/news/version/Comprehend-Generated-v1-"


def promotion(status: PromotionStatus, reason: str = "because.") -> Promotion:
    return Promotion(
        request_id="20261121T120000Z",
        source=PromotionSource.TURN,
        model_arn=f"{ARN}bb52d585",
        status=status,
        reason=reason,
        at=NOW,
        by="turn-000003",
        turn="turn-000003",
    )


def shown(renderable: RenderableType, *, width: int = 80) -> str:
    console = result_console()
    console.file = io.StringIO()
    console.width = width
    console.print(renderable)
    return console.file.getvalue()


def published(*models: str) -> list[PublishedVersion]:
    return [PublishedVersion(arn=model, at=NOW + timedelta(hours=hour)) for hour, model in enumerate(models)]


def test_each_change_of_the_active_model_ends_the_time_of_the_one_before() -> None:
    times = active_times(published("a", "b", "a"))
    assert times == {
        "a": (ActiveTime(since=NOW, until=NOW + timedelta(hours=1)), ActiveTime(since=NOW + timedelta(hours=2))),
        "b": (ActiveTime(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=2)),),
    }


def test_a_model_that_is_written_again_was_active_all_the_time() -> None:
    assert active_times(published("a", "a", "b", "b")) == {
        "a": (ActiveTime(since=NOW, until=NOW + timedelta(hours=2)),),
        "b": (ActiveTime(since=NOW + timedelta(hours=2)),),
    }
    assert active_times([]) == {}


def test_the_whole_name_wins_over_names_that_begin_with_it() -> None:
    arns = ["arn:x/version/v1", "arn:x/version/v1-2", "arn:x/version/other"]
    assert matching(arns, "v1") == arns[:1]
    assert matching(arns, "v") == arns[:2]
    assert matching(arns, "2") == arns[1:2]
    assert matching(arns, "x") == []


@pytest.mark.parametrize("status", PromotionStatus)
def test_every_status_of_a_promotion_reads_well(status: PromotionStatus) -> None:
    words = promotion_words(promotion(status))
    assert words.startswith(status)
    assert "because." in words
    assert ("flywheel approve turn-000003" in words) is (status is PromotionStatus.WAITING)
    assert (" at 2026-" in words) is (status not in {PromotionStatus.REQUESTED, PromotionStatus.WAITING})


def test_words_name_who_approved_and_what_comprehend_warns_of() -> None:
    approved = promotion(PromotionStatus.PROMOTED).model_copy(update={"answered_by": "arn:me", "warning": "few labels"})
    assert "approved by arn:me: because. Comprehend warns: few labels" in promotion_words(approved)
    why = approved.model_copy(update={"answer_reason": "It is better."})
    assert "approved by arn:me (It is better.): because." in promotion_words(why)
    served = approved.model_copy(update={"serving": "It is behind."})
    assert "because. Serving: It is behind. Comprehend warns: few labels" in promotion_words(served)


@pytest.mark.parametrize("status", sorted(set(PromotionStatus) - {PromotionStatus.REQUESTED, PromotionStatus.WAITING}))
def test_every_end_has_a_sentence_that_says_what_can_still_be_done(status: PromotionStatus) -> None:
    sentence = ended_sentence(promotion(status))
    assert sentence.startswith("The model of turn-000003 ")
    assert "2026-11-21 12:00:00 UTC: because." in sentence
    settled = status.made_active or status is PromotionStatus.FAILED
    assert ("rollback --to turn-000003" in sentence) is not settled


def test_an_answer_is_told_before_and_after_the_end() -> None:
    answered = Answered(
        answer=Answer.APPROVED, by="arn:me", whose="turn-000003", promotion=promotion(PromotionStatus.WAITING)
    )
    assert "turn-000003 is approved" in answered_sentence(answered)
    declined = answered.model_copy(update={"answer": Answer.DECLINED})
    assert "the active model stays" in answered_sentence(declined)
    ended = answered.model_copy(update={"promotion": promotion(PromotionStatus.REFUSED)})
    assert "refused at" in answered_sentence(ended)


def test_a_rollback_to_the_active_model_says_so() -> None:
    assert "is the active model already" in rollback_sentence(Rollback(model_arn=f"{ARN}bb52d585"))


def status(**members: object) -> Status:
    return Status.model_validate(
        {
            "name": "news",
            "region": "us-east-1",
            "flywheel_arn": "arn",
            "flywheel_status": "ACTIVE",
            "selection_metric": "F1Score",
            "next_turn": NextTurn(due=False, reason="there is nothing to do"),
            **members,
        }
    )


def test_status_tells_how_to_answer_and_until_when() -> None:
    waiting = Promotions(open=(promotion(PromotionStatus.WAITING),), waits_until=NOW, running="promotion-000002")
    text = shown(status_view(status(promotion_mode=PromotionMode.APPROVAL, promotions=waiting)), width=300)
    assert "APPROVAL" in text
    assert "turn-000003 waits for approval of news/version/Comprehend-Generated-v1-bb52d585 until 2026-11-2" in text
    assert "flywheel decline turn-000003 --reason" in text
    assert "promotion-000002 runs" not in text


def test_status_does_not_ask_for_an_answer_that_was_given() -> None:
    answered = Promotions(
        open=(promotion(PromotionStatus.WAITING),), running="promotion-000002", step="UpdateActiveModel"
    )
    text = shown(status_view(status(promotions=answered)), width=300)
    assert "has its answer" in text
    assert "promotion-000002 runs: UpdateActiveModel" in text
    assert "flywheel approve" not in text


def test_status_shows_failures_and_another_desired_model() -> None:
    failed = Promotions(
        failed=promotion(PromotionStatus.FAILED, "Error Throttled.").model_copy(update={"promotion": "p"})
    )
    desired = DesiredModel(arn=f"{ARN}other", at=NOW, promotion=promotion(PromotionStatus.REFUSED, "wrong language"))
    text = shown(status_view(status(promotions=failed, desired=desired)), width=300)
    assert "p of turn-000003: failed at" in text
    assert "Error Throttled." in text
    assert "Comprehend-Generated-v1-other, written at" in text
    assert "wrong language" in text
    assert "Desired" not in shown(status_view(status()))


def test_models_fit_a_narrow_terminal() -> None:
    score = ModelScore(arn="a", metrics=Metrics(F1Score=0.8812), source="this iteration")
    active = ModelVersion(
        arn=f"{ARN}bb52d585",
        name="Comprehend-Generated-v1-bb52d585",
        status="TRAINED_WITH_WARNING",
        score=score,
        turn="turn-000003",
        active=(ActiveTime(since=NOW, until=NOW + timedelta(days=1)), ActiveTime(since=NOW + timedelta(days=2))),
        marks=(ModelMark.ACTIVE,),
        promotion=promotion(PromotionStatus.NOT_ANSWERED),
    )
    gone = ModelVersion(arn=f"{ARN}gone", name="gone", status=DELETED, score=score)
    text = shown(models_table([active, gone], metric="F1Score"))
    for part in (
        "Comprehend-Generated-v1-bb52d585",
        "TRAINED_WITH_WARNING, active",
        "0.8812",
        "turn-000003",
        "not answered in time",
        "2026-11-22",
        "now",
        "DELETED",
    ):
        assert part in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert shown(models_table([], metric="F1Score")).strip() == "No model has been trained yet."
