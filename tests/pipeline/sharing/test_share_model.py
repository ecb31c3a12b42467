"""What is shared after promotions and changes of the list; what another writer or a refusal leaves."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from flywheel.records.announcements import MODEL_SHARED
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.sharing import LEASE_KEY, version_key
from flywheel.sharing.policy import SID
from flywheel.store.lease import held
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents
from tests.pipeline.entities.documents import TYPES, annotated, as_json_lines
from tests.pipeline.sharing.world import LASTS, PROD, PROD_ROOT, STAGE, STAGE_ROOT, THIRD, Sharing, World
from tests.simulation.cloudformation import DeploymentFailed

ROLE = f"arn:aws:iam::{PROD}:role/importer"


def statement(model: str, *principals: str) -> dict[str, Any]:
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Action": "comprehend:ImportModel",
        "Resource": model,
        "Principal": {"AWS": list(principals)},
    }


def refuse(world: World, operation: str = "PutResourcePolicy", **fault: Any) -> None:
    world.at.faults.add(Fault(operation=operation, **fault))


OTHER = {"Sid": "Partner", "Effect": "Allow", "Action": "comprehend:ImportModel", "Resource": "*"}
OTHER["Principal"] = {"AWS": f"arn:aws:iam::{STAGE}:root"}  # type: ignore[assignment]  # a statement


class TestPromotion:
    def test_shares_the_version_with_exactly_the_list(self, world: World) -> None:
        world.trust(PROD, f"arn:aws:iam::{STAGE}:role/importer")
        ended = world.promote(world.models[0])
        assert world.policy(world.models[0]) == {
            "Version": "2012-10-17",
            "Statement": [statement(world.models[0], PROD_ROOT, f"arn:aws:iam::{STAGE}:role/importer")],
        }
        assert world.policy(world.models[1]) is None
        assert ended.status is PromotionStatus.PROMOTED
        assert ended.reason == "The model is active. It is shared with 2 accounts."

    def test_announces_it_without_text_of_documents(self, world: World) -> None:
        at, model = world.at, world.models[0]
        world.trust(PROD)
        world.promote(model)
        (told,) = world.shared()
        assert told.id.startswith("promotion-000001-")
        assert (told.flywheel, told.account, told.model) == (at.name, "111122223333", model)
        assert (told.model_type, told.mode, told.language) == ("DOCUMENT_CLASSIFIER", "MULTI_CLASS", "en")
        assert told.labels == LABELS
        assert (told.by, told.reason) == ("Ada", "She wants it.")
        assert told.scores
        assert told.scores.F1Score is not None
        assert "document" not in json.dumps(world.buses.of(PROD, MODEL_SHARED)).replace("document-classifier", "")
        assert world.withdrawn() == []

    def test_touches_nothing_without_a_list(self, world: World) -> None:
        before = world.at.keys("sharing/")
        assert world.promote(world.models[0]).reason == "The model is active."
        assert world.at.keys("sharing/") == before
        assert world.policy(world.models[0]) is None
        assert not world.buses.requests

    def test_a_recognizer_is_shared_as_well(self) -> None:
        at = Deployment(entities=True, labels=TYPES)
        at.upload("train/people.jsonl", as_json_lines(annotated(count=100)))
        at.upload("test/people.jsonl", as_json_lines(annotated(start=300, count=60)))
        sharing = Sharing(at)
        sharing.trust(PROD)
        assert at.run_turn().decision is DecisionKind.PROMOTE
        model = at.active_model()
        assert model
        assert sharing.importers(model) == [PROD_ROOT]
        (told,) = sharing.shared()
        assert (told.model_type, told.mode, told.turn) == ("ENTITY_RECOGNIZER", None, "turn-000001")

    def test_a_deployment_shares_what_was_published_before(self, world: World) -> None:
        world.promote(world.models[0])
        world.trust(PROD)
        assert world.at.told("CloudFormation")[-1].endswith("SUCCESS: It is shared with 1 account.")
        assert world.importers(world.models[0]) == [PROD_ROOT]

    def test_the_schedule_repeats_the_same_and_changes_nothing(self, world: World) -> None:
        world.trust(PROD)
        world.promote(world.models[0])
        before = world.at.comprehend.describe_resource_policy(ResourceArn=world.models[0])["PolicyRevisionId"]
        record = world.versions()[world.models[0]]
        world.share()
        first, second = world.shared()
        assert first == second
        after = world.at.comprehend.describe_resource_policy(ResourceArn=world.models[0])["PolicyRevisionId"]
        assert before == after == record.revision
        assert world.versions()[world.models[0]] == record


class TestTheList:
    def test_is_applied_to_every_shared_version(self, world: World) -> None:
        first, second, _ = world.models
        world.trust(PROD, STAGE)
        world.promote(first)
        world.promote(second)
        world.trust(STAGE)
        assert world.importers(first) == world.importers(second) == [STAGE_ROOT]
        world.trust()
        assert world.policy(first) is world.policy(second) is None
        assert world.share() is None
        world.trust(ROLE)
        assert world.importers(first) == world.importers(second) == [ROLE]

    def test_needs_no_model(self) -> None:
        sharing = Sharing(Deployment())
        sharing.trust(PROD)
        assert sharing.at.told("CloudFormation")[-1].endswith("SUCCESS: Nothing is shared.")

    def test_a_refused_list_leaves_the_former(self, world: World) -> None:
        """CloudFormation goes back to it, also while nothing can be put."""
        first, second, _ = world.models
        world.trust(PROD)
        world.promote(first)
        world.promote(second)
        refuse(world, code="InvalidRequestException", message="Invalid principal in policy")
        with pytest.raises(DeploymentFailed, match="InvalidRequestException: Invalid principal in policy"):
            world.trust(ROLE)
        assert world.importers(first) == world.importers(second) == [PROD_ROOT]
        assert not world.at.app.unfinished
        assert not [version.problem for version in world.versions().values() if version.problem]
        world.at.faults.clear()
        world.share()
        assert world.importers(first) == world.importers(second) == [PROD_ROOT]

    def test_a_list_that_was_applied_is_not_refused_again(self, world: World) -> None:
        """The rollback of a deployment has to succeed, also after a principal was deleted in its account."""
        world.trust(PROD)
        for model in world.models[:2]:
            world.promote(model)
        for model in world.models[:2]:
            world.put_policy(model, statement(model, "arn:aws:iam::444455556666:role/unknown"))
        refuse(world, code="InvalidRequestException")
        with pytest.raises(DeploymentFailed, match="InvalidRequest"):
            world.trust(STAGE)
        assert not world.at.app.unfinished
        assert len([version.problem for version in world.versions().values() if version.problem]) == 2
        # But nobody is taken off a list that nothing has taken off.
        world.at.faults.clear()
        refuse(world, "DeleteResourcePolicy", code="AccessDeniedException")
        with pytest.raises(DeploymentFailed, match="AccessDenied"):
            world.trust()
        assert world.importers(world.models[0])

    def test_a_deployment_waits_for_another_run_as_long_as_cloudformation_waits(self, world: World) -> None:
        world.trust(PROD)
        world.promote(world.models[0])
        with (
            held(LEASE_KEY, holder="another", intake=world.at.bucket, now=world.at.now(), lasts=10 * LASTS),
            pytest.raises(DeploymentFailed, match="in time"),
        ):
            world.trust(STAGE)
        assert world.importers(world.models[0]) == [PROD_ROOT]


class TestGoingBack:
    def test_withdraws_what_was_shared_later(self, world: World) -> None:
        first, second, third = world.models
        world.trust(PROD)
        world.promote(first)
        world.promote(second)
        world.promote(third)
        assert [len(world.importers(model)) for model in world.models] == [1, 1, 1]
        ids = [told.id for told in world.shared()]
        ended = world.promote(second)
        assert "is withdrawn" in ended.reason
        assert [len(world.importers(model)) for model in world.models] == [1, 1, 0]
        (told,) = world.withdrawn()
        assert told.id.startswith("withdrawn-promotion-000004-")
        assert (told.model, told.instead, told.by) == (third, second, "Ada")
        assert told.withdrawn_at > world.versions()[third].announcement.shared_at
        # What is active again keeps its id.
        assert world.shared()[-1].id == ids[1]

    def test_is_told_until_something_newer_is_shared(self, world: World) -> None:
        first, second, third = world.models
        world.trust(PROD)
        world.promote(first)
        world.promote(second)
        world.promote(first)
        world.share()
        assert len(world.withdrawn()) == 2
        assert len({told.id for told in world.withdrawn()}) == 1
        world.promote(third)
        world.share()
        assert len(world.withdrawn()) == 2

    def test_what_is_promoted_again_is_shared_anew(self, world: World) -> None:
        first, second, _ = world.models
        world.trust(PROD)
        world.promote(first)
        world.promote(second)
        world.promote(first)
        world.promote(second)
        assert world.importers(second) == [PROD_ROOT]
        told = [each for each in world.shared() if each.model == second]
        assert len({each.id for each in told}) == 2
        assert told[-1].shared_at > told[0].shared_at
        assert world.versions()[second].withdrawn is None

    def test_two_promotions_between_two_runs_come_to_the_same(self, world: World) -> None:
        """The first one's run was lost."""
        first, second, third = world.models
        world.trust(PROD)
        for model in (first, second, third):
            world.promote(model)
        # The steps of the promotion that went back to the second were killed before they shared anything.
        with held(LEASE_KEY, holder="another", intake=world.at.bucket, now=world.at.now(), lasts=timedelta(days=1)):
            assert "could not be shared" in world.promote(second).reason
            world.promote(first)
        assert world.importers(third) == [PROD_ROOT]
        world.share()
        assert [len(world.importers(model)) for model in world.models] == [1, 0, 0]


class TestOthers:
    def test_their_statements_stay_and_are_told_of(self, world: World) -> None:
        model = world.models[0]
        world.put_policy(model, OTHER)
        world.trust(PROD)
        assert "has 1 statement of somebody else, which stay" in world.promote(model).reason
        policy = world.policy(model)
        assert policy
        assert policy["Statement"] == [OTHER, statement(model, PROD_ROOT)]
        world.trust()
        policy = world.policy(model)
        assert policy
        assert policy["Statement"] == [OTHER]

    def test_an_edit_of_the_own_statement_is_undone(self, world: World) -> None:
        model = world.models[0]
        world.trust(PROD)
        world.promote(model)
        world.put_policy(model, statement(model, PROD_ROOT, STAGE_ROOT))
        world.share()
        assert world.importers(model) == [PROD_ROOT]
        world.at.comprehend.delete_resource_policy(ResourceArn=model)
        world.share()
        assert world.importers(model) == [PROD_ROOT]

    def test_who_comes_between_is_not_overwritten(self, world: World) -> None:
        model = world.models[0]
        world.put_policy(model, {**OTHER, "Sid": "Earlier"})
        world.trust(PROD)
        world.at.script.before("PutResourcePolicy", lambda: world.put_policy(model, OTHER))
        world.promote(model)
        policy = world.policy(model)
        assert policy
        assert policy["Statement"] == [OTHER, statement(model, PROD_ROOT)]

    def test_who_never_stops_is_told_of(self, world: World) -> None:
        model, script = world.models[0], world.at.script
        world.put_policy(model, OTHER)
        world.trust(PROD)

        def come_between() -> None:
            world.put_policy(model, OTHER)
            script.before("PutResourcePolicy", come_between)

        script.before("PutResourcePolicy", come_between)
        assert "all the time" in world.promote(model).reason
        script.before("PutResourcePolicy", lambda: None)
        # Nobody is told of a model that cannot be imported.
        assert world.shared() == []
        world.share()
        assert world.importers(model) == [PROD_ROOT]
        assert len(world.shared()) == 1


class TestFailures:
    def test_a_version_that_is_gone_ends_its_record(self, world: World) -> None:
        first, second, _ = world.models
        world.trust(PROD)
        world.promote(first)
        world.promote(second)
        world.at.comprehend.delete_document_classifier(DocumentClassifierArn=first)
        world.at.let_pass(timedelta(minutes=1))
        assert world.share() == "It is shared with 1 account."
        gone_at = world.versions()[first].gone_at
        assert gone_at
        world.trust(STAGE)
        assert world.versions()[first].gone_at == gone_at
        assert not world.versions()[second].gone_at
        world.trust()
        assert world.policy(second) is None

    def test_what_is_refused_fails_no_promotion(self, world: World) -> None:
        world.trust(PROD)
        refuse(world, code="InvalidRequestException", message="No such principal.")
        ended = world.promote(world.models[0])
        assert ended.status is PromotionStatus.PROMOTED
        assert "InvalidRequestException: No such principal. The schedule tries again." in ended.reason
        assert world.shared() == []
        world.at.faults.clear()
        world.share()
        assert world.importers(world.models[0]) == [PROD_ROOT]
        assert world.versions()[world.models[0]].problem is None

    def test_a_throttle_passes(self, world: World) -> None:
        world.trust(PROD)
        refuse(world, kind="throttle", times=3)
        refuse(world, "DescribeResourcePolicy", kind="throttle", times=3)
        world.promote(world.models[0])
        assert world.importers(world.models[0]) == [PROD_ROOT]

    def test_an_account_that_takes_no_events_is_told_of(self, world: World) -> None:
        world.trust(PROD, STAGE, THIRD)
        failing = world.at.world.events.failing
        world.buses.closed(STAGE)
        failing.add(THIRD)
        ended = world.promote(world.models[0])
        assert ended.status is PromotionStatus.PROMOTED
        assert f"{STAGE} could not be told (AccessDeniedException: " in ended.reason
        assert f"{THIRD} could not be told (InternalFailure: not now)." in ended.reason
        assert len(world.shared(PROD)) == 1
        assert set(world.undelivered()) == {STAGE, THIRD}
        world.buses.opened(STAGE)
        failing.clear()
        assert world.share() == "It is shared with 3 accounts."
        assert len(world.shared(STAGE)) == len(world.shared(THIRD)) == 1
        assert world.undelivered() == {}

    def test_more_withdrawals_than_a_request_holds_are_told(self, world: World) -> None:
        first, second, _ = world.models
        world.trust(PROD)
        world.promote(first)
        world.promote(second)
        record = world.versions()[second]
        for number in range(25):
            name = f"{second[:-3]}{number:03d}"
            later = record.announcement.shared_at + timedelta(seconds=number)
            announcement = record.announcement.model_copy(update={"model": name, "shared_at": later})
            copied = record.model_copy(update={"announcement": announcement})
            world.at.bucket.write(version_key(name), copied)
        world.buses.requests.clear()
        world.promote(first)
        assert [*world.buses.requests.values()] == [1, 10, 10, 6]
        assert len(world.withdrawn()) == 26


def test_a_classifier_and_a_recognizer_in_one_account_do_not_see_each_other() -> None:
    classifier = Deployment()
    recognizer = Deployment(entities=True, labels=TYPES, name="people", beside=classifier)
    recognizer.upload("train/people.jsonl", as_json_lines(annotated(count=80)))
    classifier.upload("train/news.csv", documents(*LABELS, count=20))
    for at in (recognizer, classifier):
        assert at.run_turn().decision is DecisionKind.PROMOTE
        at.check_consistency()
    for at, other in ((recognizer, classifier), (classifier, recognizer)):
        (model,) = at.service.models.trained_by(at.flywheel_arn)
        assert model.arn == at.active_model()
        assert at.service.models.trained_by(other.flywheel_arn) == []
