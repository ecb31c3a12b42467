"""A deployment that imports models: what announcements, people, faults and the source's changes bring about."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from flywheel.promotions.requests import promotion_of
from flywheel.promotions.start_promotion import Poke
from flywheel.records.announcements import EVENT_SOURCE, MODEL_SHARED, ModelShared
from flywheel.records.decisions import Metrics
from flywheel.records.imports import origin_key
from flywheel.records.promotions import MOST_FAILURES, PromotionMode, PromotionStatus
from flywheel.records.serving import smoke_test_of
from flywheel.records.thresholds import thresholds_of
from local.comprehend.faults import Fault
from tests.pipeline.documents import LABELS, as_csv, documents
from tests.pipeline.imports.importing import ImportingDeployment
from tests.simulation.api import ACCOUNT, REGION
from tests.simulation.functions import FunctionFailed

SERVED = {"inference_units": 1, "maximum_inference_units": 1}
SMOKE = "serving/smoke.csv"
MINUTE = timedelta(minutes=1)


def begun(**given: Any) -> tuple[ImportingDeployment, str, str]:
    """A deployment, and two versions that it may import."""
    at = ImportingDeployment(**given)
    return at, at.source.train("first"), at.source.train("second")


def _arn(*, region: str = REGION, account: str = ACCOUNT, resource: str = "document-classifier") -> str:
    return f"arn:aws:comprehend:{region}:{account}:{resource}/news/version/1"


def withdrawals(at: ImportingDeployment) -> list[str]:
    """What people were told of them."""
    return [message for message in at.notifications() if "has withdrawn" in message]


class TestAnnouncements:
    def test_a_shared_version_is_imported_and_published(self) -> None:
        at, first, _ = begun()
        announced = at.shared(first)
        at.hear(announced)
        assert at.ended(announced) is PromotionStatus.PROMOTED
        (imported,) = at.imported()
        assert imported == at.service.version_arn(first)
        assert at.parameters() == {"active-model-arn": imported, "desired-model-arn": imported}
        assert at.bucket.require(origin_key(imported), ModelShared) == announced

    def test_a_repeated_one_changes_nothing(self) -> None:
        at, first, _ = begun()
        announced = at.shared(first)
        at.hear(announced)
        before = {key: at.bucket.read_bytes(key) for key in at.keys("")}
        for _ in range(3):
            at.hear(announced)
        assert {key: at.bucket.read_bytes(key) for key in at.keys("")} == before

    def test_what_a_stopped_promotion_makes_active_after_all_is_published(self) -> None:
        """A function of it goes on when the request has long ended."""
        at, first, second = begun()
        at.hear(at.shared(first))
        at.hear(at.shared(second, promotion="promotion-2"))
        at.service.set_active_model(at.service.version_arn(first))
        at.poke_promotions(Poke.SCHEDULE)
        at.settle()
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)
        requests = at.keys("promotions/requests/")
        at.poke_promotions(Poke.SCHEDULE)
        at.settle()
        assert at.keys("promotions/requests/") == requests

    def test_with_never_it_is_left_to_people(self) -> None:
        at, first, _ = begun(promotion_mode=PromotionMode.NEVER)
        announced = at.shared(first)
        for _ in range(2):
            at.hear(announced)
        assert at.ended(announced) is PromotionStatus.LEFT_TO_PEOPLE
        assert at.imported() == []
        assert at.parameters() == {}

    def test_the_newest_version_counts_whatever_comes_first(self) -> None:
        at, first, second = begun()
        older, newer = at.shared(first, at=at.now() - MINUTE), at.shared(second, promotion="promotion-2")
        at.hear(newer)
        at.hear(older)
        assert at.parameters()["active-model-arn"] == at.service.version_arn(second)
        assert at.ended(older) is None

    def test_two_within_a_minute_bring_the_newer_one(self) -> None:
        at, first, second = begun()
        older, newer = at.shared(first, at=at.now() - timedelta(seconds=50)), at.shared(second, promotion="promotion-2")
        at.hear(older, newer)
        assert at.ended(older) is PromotionStatus.SUPERSEDED
        assert at.ended(newer) is PromotionStatus.PROMOTED
        assert at.imported() == [at.service.version_arn(second)]

    def test_a_newer_one_follows_while_the_older_is_imported(self) -> None:
        at, first, second = begun()
        running = at.hear_until("AwaitImportBegin", at.shared(first, at=at.now() - timedelta(seconds=50)))
        newer = at.shared(second, promotion="promotion-2")
        at.hear(newer)
        at.go_on(running)
        at.settle()
        assert at.ended(newer) is PromotionStatus.PROMOTED
        assert at.parameters() == {
            "active-model-arn": at.service.version_arn(second),
            "desired-model-arn": at.service.version_arn(second),
            "previous-model-arn": at.service.version_arn(first),
        }

    def test_thresholds_come_with_the_version(self) -> None:
        at, first, _ = begun()
        at.hear(at.shared(first).model_copy(update={"thresholds": {"SPORTS": 0.3}}))
        assert thresholds_of(at.service.version_arn(first), intake=at.bucket) == {"SPORTS": 0.3}

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"account": "999988887777"}, "imported from news in account 111122223333"),
            ({"flywheel": "weather"}, "imported from news in account 111122223333"),
            ({"model": _arn(account="999988887777")}, "not a model of account 111122223333"),
            ({"model": _arn(region="eu-west-1")}, "within one Region only"),
            ({"model": _arn(resource="entity-recognizer")}, "not the ARN of a document classifier"),
        ],
    )
    def test_one_of_somebody_else_is_refused(self, change: dict[str, str], reason: str) -> None:
        """Whatever the rule would let through."""
        at = ImportingDeployment()
        detail = at.shared(_arn()).model_copy(update=change).model_dump(mode="json")
        event = at.world.events.event(ACCOUNT, EVENT_SOURCE, MODEL_SHARED, detail)
        with pytest.raises(FunctionFailed, match=f"AnnouncementRefused.*{reason}"):
            at.invoke("receive_announcement", event)
        assert at.keys("") == []


class TestApproval:
    def test_a_person_is_asked_and_told_where_the_model_comes_from(self) -> None:
        at, first, _ = begun(promotion_mode=PromotionMode.APPROVAL, smoke_test_key=SMOKE)
        at.upload(SMOKE, as_csv(documents(*LABELS, start=100, count=3)))
        announced = at.shared(first, scores=Metrics(F1Score=0.875))
        at.hear(announced)
        assert at.parameters() == {}
        (question,) = at.notifications()
        for part in (
            f"Imported from {first}",
            "(news in account 111122223333): F1Score 0.8750",
            "Here: The smoke test passed: 6 of 6",
            "It is better.",
            "flywheel --name served approve promotion-000001",
        ):
            assert part in question
        at.waiting_promotion().approve()
        assert at.ended(announced) is PromotionStatus.PROMOTED
        _, told = at.notifications()
        assert f"Imported from: {first}" in told
        assert "flywheel --name served report promotion-000001" in told

    def test_a_newer_version_supersedes_one_that_waits(self) -> None:
        at, first, second = begun()
        serves = at.source.train("serves-already")
        at.hear(at.shared(serves, at=at.now() - timedelta(minutes=9), promotion="promotion-0"))
        at.change("import", promotion_mode=PromotionMode.APPROVAL)
        older, newer = at.shared(first, at=at.now() - timedelta(minutes=5)), at.shared(second, promotion="promotion-2")
        at.hear(older)
        waiting = promotion_of(older.id, intake=at.bucket)
        assert waiting
        assert waiting.status is PromotionStatus.WAITING
        at.hear(newer)
        assert at.ended(older) is PromotionStatus.SUPERSEDED
        at.waiting_promotion().approve()
        assert at.ended(newer) is PromotionStatus.PROMOTED


class TestImport:
    def test_a_version_of_an_account_that_does_not_trust_this_one_is_refused(self) -> None:
        at = ImportingDeployment()
        model = at.source.train("secret", trusted="999988887777")
        announced = at.shared(model)
        at.hear(announced)
        end = at.end_of(announced)
        assert end
        assert end.status is PromotionStatus.REFUSED
        assert "AccessDeniedException" in end.reason
        assert "no resource-based policy allows the comprehend:ImportModel action" in end.reason
        assert at.imported() == []
        assert at.parameters() == {}

    def test_a_version_that_is_gone_is_refused(self) -> None:
        at = ImportingDeployment()
        model = at.source.train("gone")
        at.source.delete(model)
        announced = at.shared(model)
        at.hear(announced)
        assert at.ended(announced) is PromotionStatus.REFUSED

    def test_one_that_comprehend_failed_to_import_is_replaced(self) -> None:
        at, first, _ = begun()
        announced = at.shared(first)
        at.faults.add(Fault(resource="import", kind="fail", message="Out of luck.", times=1))
        at.hear(announced)
        waits = promotion_of(announced.id, intake=at.bucket)
        assert waits
        assert waits.status is PromotionStatus.FAILED
        assert "Out of luck." in waits.reason
        assert at.parameters() == {}
        at.promote_all()
        assert at.ended(announced) is PromotionStatus.PROMOTED
        assert at.status_of(at.service.version_arn(first)) == ("TRAINED", "")

    def test_a_version_that_is_deleted_while_it_is_imported_is_refused(self) -> None:
        at, first, _ = begun()
        at.hear(at.shared(first, at=at.now() - MINUTE))
        model = at.source.train("deleted-half-way")
        announced = at.shared(model, promotion="promotion-2")
        with at.comprehend_with(model_import_seconds=3600):
            running = at.hear_until("AwaitImportBegin", announced)
            at.source.delete(model)
            at.go_on(running)
            at.settle()
        assert at.ended(announced) is None, "it can still be tried again"
        at.promote_all()
        assert at.ended(announced) is PromotionStatus.REFUSED
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)

    def test_a_quota_of_the_target_is_told_and_waited_for(self) -> None:
        at, first, _ = begun()
        announced = at.shared(first)
        with at.comprehend_with(maximum_trainings_of_a_type=1, model_import_seconds=3600):
            at.comprehend.import_model(SourceModelArn=at.source.train("takes-the-room"), ModelName=f"{at.name}-other")
            at.hear(announced)
        waits = promotion_of(announced.id, intake=at.bucket)
        assert waits
        assert waits.status is PromotionStatus.FAILED
        assert "Comprehend takes no more models" in waits.reason
        at.promote_all()
        assert at.ended(announced) is PromotionStatus.PROMOTED

    def test_a_model_whose_source_is_gone_keeps_serving(self) -> None:
        at = ImportingDeployment(serving=SERVED)
        model = at.source.train("short-lived")
        at.hear(at.shared(model))
        at.source.delete(model)
        assert at.serve().status == "SUCCEEDED"
        endpoint = at.endpoint()
        assert endpoint
        assert endpoint["Status"] == "IN_SERVICE"
        assert endpoint["ModelArn"] == at.service.version_arn(model)

    def test_old_versions_are_deleted_but_none_that_is_needed(self) -> None:
        at, first, second = begun(models_to_keep=1)
        third = at.source.train("third")
        for number, model in enumerate((first, second, third)):
            at.let_pass(MINUTE)
            at.hear(at.shared(model, promotion=f"promotion-{number}"))
        kept = [at.service.version_arn(second), at.service.version_arn(third)]
        at.let_pass(MINUTE)
        assert at.imported() == kept


class TestSmokeTest:
    def test_a_model_that_answers_rightly_is_promoted(self) -> None:
        at, first, _ = begun(smoke_test_key=SMOKE, serving=SERVED)
        at.upload(SMOKE, as_csv(documents(*LABELS, start=100, count=3)))
        announced = at.shared(first)
        at.hear(announced)
        assert at.ended(announced) is PromotionStatus.PROMOTED
        tested = smoke_test_of(at.service.version_arn(first), intake=at.bucket)
        assert tested
        assert (tested.right, tested.documents, tested.endpoint_arn) == (6, 6, None)

    def test_one_that_does_not_never_serves(self) -> None:
        at, first, _ = begun(smoke_test_key=SMOKE, serving=SERVED)
        wrong = at.source.train("wrong", wrong=True)
        at.upload(SMOKE, as_csv(documents(*LABELS, start=100, count=3)))
        at.hear(at.shared(first))
        at.let_pass(MINUTE)
        announced = at.shared(wrong, promotion="promotion-2")
        at.hear(announced)
        end = at.end_of(announced)
        assert end
        assert end.status is PromotionStatus.SMOKE_TEST_FAILED
        assert "0 of 6 documents" in end.reason
        assert end.reason.endswith(f"It never served: {at.service.version_arn(first)} serves on.")
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)
        endpoint = at.endpoint()
        assert endpoint
        assert endpoint["ModelArn"] == at.service.version_arn(first)


class TestServing:
    def test_the_endpoint_is_bound_to_the_model_and_moves_in_place(self) -> None:
        at, first, second = begun(serving=SERVED)
        at.hear(at.shared(first))
        before = at.endpoint()
        at.let_pass(MINUTE)
        at.hear(at.shared(second, promotion="promotion-2"))
        after = at.endpoint()
        assert before
        assert after
        assert "FlywheelArn" not in before
        assert before["ModelArn"] == at.service.version_arn(first)
        assert after["ModelArn"] == at.service.version_arn(second)
        assert before["CreationTime"] == after["CreationTime"]


class TestWithdrawal:
    def test_of_the_serving_model_is_told_once_and_changes_nothing(self) -> None:
        at, first, second = begun()
        at.hear(at.shared(first, at=at.now() - MINUTE))
        at.hear(at.shared(second, promotion="promotion-2"))
        at.let_pass(MINUTE)
        withdrawn = at.withdrawn(second, instead=first)
        for _ in range(2):
            at.hear(withdrawn)
        assert at.parameters()["active-model-arn"] == at.service.version_arn(second)
        (sentence,) = withdrawals(at)
        assert "It serves on here" in sentence

    def test_is_followed_if_that_is_wanted(self) -> None:
        at, first, second = begun(follow_withdrawals=True)
        at.hear(at.shared(first, at=at.now() - MINUTE))
        at.hear(at.shared(second, promotion="promotion-2"))
        at.let_pass(MINUTE)
        at.hear(at.withdrawn(second, instead=first))
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)

    def test_before_it_is_promoted_ends_its_promotion(self) -> None:
        at, first, second = begun()
        at.hear(at.shared(first, at=at.now() - MINUTE))
        announced = at.shared(second, promotion="promotion-2")
        running = at.hear_until("ImportModel", announced)
        at.hear(at.withdrawn(second, instead=first))
        at.go_on(running)
        at.settle()
        assert at.ended(announced) is PromotionStatus.REFUSED
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)
        assert len(withdrawals(at)) == 1

    def test_of_one_that_waits_for_approval_ends_the_wait(self) -> None:
        at, first, second = begun(promotion_mode=PromotionMode.APPROVAL)
        announced = at.shared(second)
        at.hear(announced)
        waiting = at.waiting_promotion()
        at.hear(at.withdrawn(second, instead=first))
        assert waiting.execution.status != "RUNNING"
        assert at.ended(announced) is PromotionStatus.REFUSED

    def test_that_comes_before_the_version_is_shared_keeps_it_out(self) -> None:
        at, first, second = begun()
        announced = at.shared(second, at=at.now() - MINUTE)
        at.hear(at.withdrawn(second, instead=first))
        at.hear(announced)
        assert at.imported() == []

    def test_is_over_when_the_version_is_shared_again(self) -> None:
        at, first, second = begun()
        at.hear(at.withdrawn(second, instead=first, at=at.now() - MINUTE))
        at.hear(at.shared(second, promotion="promotion-3"))
        assert at.parameters()["active-model-arn"] == at.service.version_arn(second)


class TestKills:
    @pytest.mark.parametrize("times", [1, 7], ids=["tried-again", "given-up"])
    def test_killed_after_any_change_it_ends_as_if_it_had_not_been(self, times: int) -> None:
        """The announcement, the import, the smoke test and the promotion. Lambda or the machine tries again, or all of
        their attempts are killed, the source repeats the announcement, and the schedule brings the next promotion."""
        for after in itertools.count():
            at, announced = announcing()
            at.script.kill(after=after, times=times)
            at.hear(announced)
            killed = at.script.killed
            at.script.kill()
            at.hear(announced)
            at.promote_all()
            check_promoted(at, announced, after)
            if not killed:
                assert after > 12, "it was hardly killed"
                return

    def test_a_promotion_that_is_killed_at_every_place_goes_on_each_time(self) -> None:
        at, announced = announcing()
        at.script.kill_everywhere()
        killed = -1
        while len(at.script.killed) > killed:
            killed = len(at.script.killed)
            at.hear(announced)
            at.promote_all()
        at.script.kill()
        assert killed > 12, "it was hardly killed"
        check_promoted(at, announced, killed)

    def test_what_is_active_is_published_however_often_that_failed(self) -> None:
        """No turn would publish it."""
        at, announced = announcing()
        at.script.kill(after=0, times=1000, function="publish_model")
        at.hear(announced)
        for _ in range(3 * MOST_FAILURES):
            at.promote_all()
        at.script.kill()
        assert at.service.find_active_model() is not None
        assert "active-model-arn" not in at.parameters()
        at.promote_all()
        assert at.parameters()["active-model-arn"] == at.service.version_arn(announced.model)


def announcing() -> tuple[ImportingDeployment, ModelShared]:
    at = ImportingDeployment(smoke_test_key=SMOKE)
    at.upload(SMOKE, as_csv(documents(*LABELS, start=100, count=2)))
    return at, at.shared(at.source.train("first")).model_copy(update={"thresholds": {"SPORTS": 0.3}})


def check_promoted(at: ImportingDeployment, announced: ModelShared, after: int) -> None:
    imported = at.service.version_arn(announced.model)
    assert at.ended(announced) is PromotionStatus.PROMOTED, after
    assert at.imported() == [imported], after
    assert at.parameters() == {"active-model-arn": imported, "desired-model-arn": imported}, after
    assert thresholds_of(imported, intake=at.bucket) == {"SPORTS": 0.3}, after
