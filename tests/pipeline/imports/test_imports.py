"""A deployment that imports models: what announcements, people, faults and the source's changes bring about."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from flywheel.imports.receive_announcement import AnnouncementRefused
from flywheel.promotions import ask_for_approval, report_promotion
from flywheel.promotions.requests import promotion_of
from flywheel.records.announcements import ModelShared
from flywheel.records.decisions import Metrics
from flywheel.records.imports import origin_key
from flywheel.records.promotions import PromotionMode, PromotionStatus
from flywheel.records.serving import smoke_test_of
from flywheel.records.thresholds import thresholds_of
from flywheel.serving.target import EndpointTarget
from local.comprehend.faults import Fault
from tests.pipeline.deployment import settled
from tests.pipeline.imports.importing import ImportingDeployment, SourceModels
from tests.pipeline.in_process_cloud import Killed, switched
from tests.pipeline.serving_driver import ServingRun
from tests.pipeline.turn_driver import LABELS, as_csv, documents

Trained = tuple[SourceModels, str, str]
SERVED = EndpointTarget(inference_units=1, maximum_inference_units=1)


def status(at: ImportingDeployment, announced: ModelShared) -> PromotionStatus | None:
    end = at.end_of(announced)
    return end.status if end else None


class TestAnnouncements:
    def test_a_shared_version_is_imported_and_published(self, trained: Trained) -> None:
        _, first, _ = trained
        at = ImportingDeployment()
        announced = at.shared(first)
        at.hear_and_promote(announced)
        assert status(at, announced) is PromotionStatus.PROMOTED
        (imported,) = at.imported()
        assert imported == at.service.version_arn(first)
        assert at.parameters() == {"active-model-arn": imported, "desired-model-arn": imported}
        assert at.bucket.require(origin_key(imported), ModelShared) == announced

    def test_a_repeated_one_changes_nothing(self, trained: Trained) -> None:
        _, first, _ = trained
        at = ImportingDeployment()
        announced = at.shared(first)
        at.hear_and_promote(announced)
        before = {key: at.bucket.read_bytes(key) for key in at.keys("")}
        for _ in range(3):
            at.hear_and_promote(announced)
        assert {key: at.bucket.read_bytes(key) for key in at.keys("")} == before

    def test_with_never_it_is_left_to_people(self, trained: Trained) -> None:
        _, first, _ = trained
        at = ImportingDeployment(promotion_mode=PromotionMode.NEVER)
        announced = at.shared(first)
        for _ in range(2):
            at.hear_and_promote(announced)
        assert status(at, announced) is PromotionStatus.LEFT_TO_PEOPLE
        assert at.imported() == []
        assert at.parameters() == {}

    def test_the_newest_version_counts_whatever_comes_first(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment()
        older, newer = at.shared(first, at=at.now() - timedelta(minutes=1)), at.shared(second, promotion="promotion-2")
        at.hear_and_promote(newer)
        at.hear_and_promote(older)
        assert at.parameters()["active-model-arn"] == at.service.version_arn(second)
        assert status(at, older) is None

    def test_two_within_a_minute_bring_the_newer_one(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment()
        older, newer = at.shared(first, at=at.now() - timedelta(seconds=50)), at.shared(second, promotion="promotion-2")
        at.hear(older)
        at.hear(newer)
        at.promote_all()
        assert status(at, older) is PromotionStatus.SUPERSEDED
        assert status(at, newer) is PromotionStatus.PROMOTED
        assert at.imported() == [at.service.version_arn(second)]

    def test_a_newer_one_follows_while_the_older_is_imported(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment()
        at.hear(at.shared(first, at=at.now() - timedelta(seconds=50)))
        running = at.start_promotion()
        running._begin()
        newer = at.shared(second, promotion="promotion-2")
        at.hear(newer)
        running.steps = running.steps[1:]
        running.run()
        at.promote_all()
        assert status(at, newer) is PromotionStatus.PROMOTED
        assert at.parameters() == {
            "active-model-arn": at.service.version_arn(second),
            "desired-model-arn": at.service.version_arn(second),
            "previous-model-arn": at.service.version_arn(first),
        }

    def test_thresholds_come_with_the_version(self, trained: Trained) -> None:
        _, first, _ = trained
        at = ImportingDeployment()
        at.hear_and_promote(at.shared(first).model_copy(update={"thresholds": {"SPORTS": 0.3}}))
        assert thresholds_of(at.service.version_arn(first), intake=at.bucket) == {"SPORTS": 0.3}

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"account": "999988887777"}, "imported from news in account 444455556666"),
            ({"flywheel": "weather"}, "imported from news in account 444455556666"),
            (
                {"model": "arn:aws:comprehend:us-east-1:999988887777:document-classifier/news/version/1"},
                "not a model of account 444455556666",
            ),
            (
                {"model": "arn:aws:comprehend:eu-west-1:444455556666:document-classifier/news/version/1"},
                "within one Region only",
            ),
            (
                {"model": "arn:aws:comprehend:us-east-1:444455556666:entity-recognizer/news/version/1"},
                "not the ARN of a document classifier",
            ),
        ],
    )
    def test_one_of_somebody_else_is_refused(self, change: dict[str, str], reason: str) -> None:
        at = ImportingDeployment()
        model = "arn:aws:comprehend:us-east-1:444455556666:document-classifier/news/version/1"
        with pytest.raises(AnnouncementRefused, match=reason):
            at.hear(at.shared(model).model_copy(update=change))
        assert at.keys("") == []


class TestApproval:
    def test_a_person_is_asked_and_told_where_the_model_comes_from(self, trained: Trained) -> None:
        _, first, _ = trained
        at = ImportingDeployment(promotion_mode=PromotionMode.APPROVAL)
        at.smoke_test_key = "smoke.csv"
        at.upload("smoke.csv", as_csv(documents(*LABELS, start=100, count=3)))
        announced = at.shared(first, scores=Metrics(F1Score=0.875))
        at.hear_and_promote(announced)
        assert at.promotion
        assert at.promotion.waits
        assert at.parameters() == {}
        with at.acting_as("ask_for_approval"):
            question = ask_for_approval.message(at.promotion.beginning, intake=at.intake, flywheel_name="press")
        for part in (
            f"Imported from {first}",
            "(news in account 444455556666): F1Score 0.8750",
            "Here: The smoke test passed: 6 of 6",
            "It is better.",
            "flywheel --name press approve promotion-000001",
        ):
            assert part in question
        at.promotion.approve()
        end = at.end_of(announced)
        assert end
        assert end.status is PromotionStatus.PROMOTED
        told = report_promotion.message((end,), flywheel_name="press", intake_bucket="b")
        assert f"Imported from: {first}" in told
        assert "flywheel --name press report promotion-000001" in told

    def test_a_newer_version_supersedes_one_that_waits(self, trained: Trained) -> None:
        source, first, second = trained
        serves = source.train("serves-already")
        at = ImportingDeployment()
        at.hear_and_promote(at.shared(serves, at=at.now() - timedelta(minutes=9), promotion="promotion-0"))
        at.promotion_mode = PromotionMode.APPROVAL
        older, newer = at.shared(first, at=at.now() - timedelta(minutes=5)), at.shared(second, promotion="promotion-2")
        at.hear_and_promote(older)
        waiting = promotion_of(older.id, intake=at.bucket)
        assert waiting
        assert waiting.status is PromotionStatus.WAITING
        at.hear_and_promote(newer)
        assert at.promotion
        assert at.promotion.waits
        assert status(at, older) is PromotionStatus.SUPERSEDED
        at.promotion.approve()
        assert status(at, newer) is PromotionStatus.PROMOTED


class TestImport:
    def test_a_version_of_an_account_that_does_not_trust_this_one_is_refused(self, trained: Trained) -> None:
        source, *_ = trained
        at = ImportingDeployment()
        model = source.train("secret", trusted="999988887777")
        announced = at.shared(model)
        at.hear_and_promote(announced)
        end = at.end_of(announced)
        assert end
        assert end.status is PromotionStatus.REFUSED
        assert "AccessDeniedException" in end.reason
        assert "no resource-based policy allows the comprehend:ImportModel action" in end.reason
        assert at.imported() == []
        assert at.parameters() == {}

    def test_a_version_that_is_gone_is_refused(self, trained: Trained) -> None:
        source, *_ = trained
        at = ImportingDeployment()
        model = source.train("gone")
        source.delete(model)
        announced = at.shared(model)
        at.hear_and_promote(announced)
        assert status(at, announced) is PromotionStatus.REFUSED

    def test_one_that_comprehend_failed_to_import_is_replaced(self, trained: Trained) -> None:
        _, first, _ = trained
        at = ImportingDeployment()
        announced = at.shared(first)
        at.cloud.comprehend.faults.add(Fault(resource="import", kind="fail", message="Out of luck.", times=1))
        try:
            at.hear_and_promote(announced)
        finally:
            at.cloud.comprehend.faults.clear()
        waits = promotion_of(announced.id, intake=at.bucket)
        assert waits
        assert waits.status is PromotionStatus.FAILED
        assert "Out of luck." in waits.reason
        assert at.parameters() == {}
        at.promote_all()
        assert status(at, announced) is PromotionStatus.PROMOTED
        assert at.status_of(at.service.version_arn(first)) == ("TRAINED", "")

    def test_a_version_that_is_deleted_while_it_is_imported_is_refused(self, trained: Trained) -> None:
        source, first, _ = trained
        at = ImportingDeployment()
        at.hear_and_promote(at.shared(first, at=at.now() - timedelta(minutes=1)))
        model = source.train("deleted-half-way")
        announced = at.shared(model, promotion="promotion-2")
        at.hear(announced)
        running = at.start_promotion()
        with switched(model_import_seconds=3600):
            running._begin()
            running.steps = running.steps[1:]
            running.steps[0]()
            running.steps = running.steps[1:]
            source.delete(model)
            at.cloud.clock.advance(timedelta(hours=2))
            running.run()
        assert status(at, announced) is None, "it can still be tried again"
        at.promote_all()
        assert status(at, announced) is PromotionStatus.REFUSED
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)

    def test_a_quota_of_the_target_is_told_and_waited_for(self, trained: Trained) -> None:
        source, first, _ = trained
        at = ImportingDeployment()
        announced = at.shared(first)
        with switched(maximum_trainings_of_a_type=1, model_import_seconds=3600):
            at.comprehend.import_model(SourceModelArn=source.train("takes-the-room"), ModelName=f"{at.name}-other")
            at.hear_and_promote(announced)
            at.cloud.clock.advance(timedelta(hours=2))
        waits = promotion_of(announced.id, intake=at.bucket)
        assert waits
        assert waits.status is PromotionStatus.FAILED
        assert "Comprehend takes no more models" in waits.reason
        at.promote_all()
        assert status(at, announced) is PromotionStatus.PROMOTED

    def test_a_model_whose_source_is_gone_keeps_serving(self, trained: Trained) -> None:
        source, *_ = trained
        at = ImportingDeployment(endpoint_target=SERVED)
        model = source.train("short-lived")
        at.hear_and_promote(at.shared(model))
        source.delete(model)
        run = ServingRun(at=at)
        run.run(SERVED)
        endpoint = run.endpoint()
        assert endpoint
        assert endpoint["Status"] == "IN_SERVICE"
        assert endpoint["ModelArn"] == at.service.version_arn(model)

    def test_old_versions_are_deleted_but_none_that_is_needed(self, trained: Trained) -> None:
        source, first, second = trained
        third = source.train("third")
        at = ImportingDeployment(models_to_keep=1)
        for number, model in enumerate((first, second, third)):
            at.cloud.clock.advance(timedelta(minutes=1))
            at.hear_and_promote(at.shared(model, promotion=f"promotion-{number}"))
        kept = [at.service.version_arn(second), at.service.version_arn(third)]
        # Comprehend takes its time to delete a version.
        assert settled(at.imported, lambda found: len(found) < 3) == kept


class TestSmokeTest:
    def test_a_model_that_answers_rightly_is_promoted(self, trained: Trained) -> None:
        _, first, _ = trained
        at = ImportingDeployment(smoke_test_key="smoke.csv", endpoint_target=SERVED)
        at.upload("smoke.csv", as_csv(documents(*LABELS, start=100, count=3)))
        announced = at.shared(first)
        at.hear_and_promote(announced)
        assert status(at, announced) is PromotionStatus.PROMOTED
        tested = smoke_test_of(at.service.version_arn(first), intake=at.bucket)
        assert tested
        assert (tested.right, tested.documents, tested.endpoint_arn) == (6, 6, None)

    def test_one_that_does_not_never_serves(self, trained: Trained) -> None:
        source, first, _ = trained
        wrong = source.train("wrong", wrong=True)
        at = ImportingDeployment(smoke_test_key="smoke.csv", endpoint_target=SERVED)
        at.upload("smoke.csv", as_csv(documents(*LABELS, start=100, count=3)))
        at.hear_and_promote(at.shared(first))
        at.cloud.clock.advance(timedelta(minutes=1))
        announced = at.shared(wrong, promotion="promotion-2")
        at.hear_and_promote(announced)
        end = at.end_of(announced)
        assert end
        assert end.status is PromotionStatus.SMOKE_TEST_FAILED
        assert "0 of 6 documents" in end.reason
        assert end.reason.endswith(f"It never served: {at.service.version_arn(first)} serves on.")
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)
        endpoint = ServingRun(at=at).endpoint()
        assert endpoint
        assert endpoint["ModelArn"] == at.service.version_arn(first)


class TestServing:
    def test_the_endpoint_is_bound_to_the_model_and_moves_in_place(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment(endpoint_target=SERVED)
        run = ServingRun(at=at)
        at.hear_and_promote(at.shared(first))
        before = run.endpoint()
        at.cloud.clock.advance(timedelta(minutes=1))
        at.hear_and_promote(at.shared(second, promotion="promotion-2"))
        after = run.endpoint()
        assert before
        assert after
        assert "FlywheelArn" not in before
        assert before["ModelArn"] == at.service.version_arn(first)
        assert after["ModelArn"] == at.service.version_arn(second)
        assert before["CreationTime"] == after["CreationTime"]


class TestWithdrawal:
    def test_of_the_serving_model_is_told_once_and_changes_nothing(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment()
        at.hear_and_promote(at.shared(first, at=at.now() - timedelta(minutes=1)))
        at.hear_and_promote(at.shared(second, promotion="promotion-2"))
        at.cloud.clock.advance(timedelta(minutes=1))
        withdrawn = at.withdrawn(second, instead=first)
        for _ in range(2):
            at.hear_and_promote(withdrawn)
        assert at.parameters()["active-model-arn"] == at.service.version_arn(second)
        (sentence,) = at.told
        assert "It serves on here" in sentence

    def test_is_followed_if_that_is_wanted(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment(follow_withdrawals=True)
        at.hear_and_promote(at.shared(first, at=at.now() - timedelta(minutes=1)))
        at.hear_and_promote(at.shared(second, promotion="promotion-2"))
        at.cloud.clock.advance(timedelta(minutes=1))
        at.hear_and_promote(at.withdrawn(second, instead=first))
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)

    def test_before_it_is_promoted_ends_its_promotion(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment()
        at.hear_and_promote(at.shared(first, at=at.now() - timedelta(minutes=1)))
        announced = at.shared(second, promotion="promotion-2")
        at.hear(announced)
        running = at.start_promotion()
        running._begin()
        at.hear(at.withdrawn(second, instead=first, at=at.now() + timedelta(seconds=1)))
        running.steps = running.steps[1:]
        running.run()
        assert status(at, announced) is PromotionStatus.REFUSED
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)
        assert len(at.told) == 1

    def test_of_one_that_waits_for_approval_ends_the_wait(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment(promotion_mode=PromotionMode.APPROVAL)
        announced = at.shared(second)
        at.hear_and_promote(announced)
        assert at.promotion
        assert at.promotion.waits
        at.hear_and_promote(at.withdrawn(second, instead=first, at=at.now() + timedelta(seconds=1)))
        assert not at.promotion.waits
        assert status(at, announced) is PromotionStatus.REFUSED

    def test_that_comes_before_the_version_is_shared_keeps_it_out(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment()
        announced = at.shared(second, at=at.now() - timedelta(minutes=1))
        at.hear(at.withdrawn(second, instead=first))
        at.hear_and_promote(announced)
        assert at.imported() == []

    def test_is_over_when_the_version_is_shared_again(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment()
        at.hear(at.withdrawn(second, instead=first, at=at.now() - timedelta(minutes=1)))
        at.hear_and_promote(at.shared(second, promotion="promotion-3"))
        assert at.parameters()["active-model-arn"] == at.service.version_arn(second)


class TestKills:
    @pytest.mark.parametrize("redriven", [True, False])
    def test_killed_after_any_change_it_ends_as_if_it_had_not_been(self, trained: Trained, *, redriven: bool) -> None:
        """The announcement, the import, the smoke test and the promotion. What is killed is repeated, and the execution
        redriven or followed by the next one."""
        _, first, _ = trained
        for after in itertools.count():
            at = ImportingDeployment(smoke_test_key="smoke.csv")
            at.upload("smoke.csv", as_csv(documents(*LABELS, start=100, count=2)))
            announced = at.shared(first).model_copy(update={"thresholds": {"SPORTS": 0.3}})
            at.kills.reset(after=after)
            killed = False
            try:
                at.hear_and_promote(announced)
            except Killed:
                killed = True
                at.kills.reset()
                if not redriven:
                    at.end_killed_promotion()
                at.hear_and_promote(announced)
            imported = at.service.version_arn(first)
            assert status(at, announced) is PromotionStatus.PROMOTED, after
            assert at.imported() == [imported]
            assert at.parameters() == {"active-model-arn": imported, "desired-model-arn": imported}
            assert thresholds_of(imported, intake=at.bucket) == {"SPORTS": 0.3}
            if not killed:
                break
        assert after > 12, "it was hardly killed"
