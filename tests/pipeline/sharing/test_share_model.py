"""What is shared after promotions and changes of the list; what a kill, another writer or a refusal leaves."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.faults.errors import ServiceBusy, SharingRefused
from flywheel.records.announcements import MODEL_SHARED
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.sharing import LEASE_KEY, STATE_KEY, SharingState, version_key
from flywheel.sharing.policy import SID
from flywheel.sharing.share_model import trusted_principals
from flywheel.store.lease import held
from local.comprehend.faults import Fault
from tests.pipeline.entities.documents import TYPES, annotated, as_json_lines
from tests.pipeline.in_process_cloud import Killed, in_process_cloud
from tests.pipeline.sharing.world import PROD, PROD_ROOT, STAGE, STAGE_ROOT, World
from tests.pipeline.sharing_driver import LASTS, importers, policy_of, share, trust, versions
from tests.pipeline.turn_driver import LABELS, Deployment, documents

ROLE = f"arn:aws:iam::{PROD}:role/importer"


@pytest.fixture
def faults() -> Iterator[Any]:
    faults = in_process_cloud().comprehend.faults
    yield faults
    faults.clear()


def statement(model: str, *principals: str) -> dict[str, Any]:
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Action": "comprehend:ImportModel",
        "Resource": model,
        "Principal": {"AWS": list(principals)},
    }


def by_hand(world: World, model: str, *statements: dict[str, Any]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    world.at.comprehend.put_resource_policy(ResourceArn=model, ResourcePolicy=document)


OTHER = {"Sid": "Partner", "Effect": "Allow", "Action": "comprehend:ImportModel", "Resource": "*"}
OTHER["Principal"] = {"AWS": f"arn:aws:iam::{STAGE}:root"}  # type: ignore[assignment]  # a statement


class TestPromotion:
    def test_shares_the_version_with_exactly_the_list(self, world: World) -> None:
        trust(world.at, PROD, f"arn:aws:iam::{STAGE}:role/importer")
        ended = world.promote(world.models[0])
        assert policy_of(world.at, world.models[0]) == {
            "Version": "2012-10-17",
            "Statement": [statement(world.models[0], PROD_ROOT, f"arn:aws:iam::{STAGE}:role/importer")],
        }
        assert policy_of(world.at, world.models[1]) is None
        assert ended.status is PromotionStatus.PROMOTED
        assert ended.reason == "The model is active. It is shared with 2 accounts."

    def test_announces_it_without_text_of_documents(self, world: World) -> None:
        at, model = world.at, world.models[0]
        trust(at, PROD)
        world.promote(model)
        (told,) = world.shared()
        assert told.id.startswith("promotion-000001-")
        assert (told.flywheel, told.account, told.model) == (at.name, "111122223333", model)
        assert (told.model_type, told.mode, told.language) == ("DOCUMENT_CLASSIFIER", "MULTI_CLASS", "en")
        assert told.labels == LABELS
        assert (told.by, told.reason) == ("Ada", "She wants it.")
        assert told.scores
        assert told.scores.F1Score is not None
        assert "document" not in json.dumps(at.buses.of(PROD, MODEL_SHARED)).replace("document-classifier", "")
        assert world.withdrawn() == []

    def test_touches_nothing_without_a_list(self, world: World) -> None:
        trust(world.at)
        world.at.kills.reset()
        assert world.promote(world.models[0]).reason == "The model is active."
        assert world.at.keys("sharing/") == []
        assert policy_of(world.at, world.models[0]) is None
        assert not world.at.buses.taken

    def test_a_recognizer_is_shared_as_well(self) -> None:
        at = Deployment(kind=ENTITY_RECOGNITION, labels=TYPES, variant="entities")
        at.upload("train/people.jsonl", as_json_lines(annotated(count=100)))
        at.upload("test/people.jsonl", as_json_lines(annotated(start=300, count=60)))
        trust(at, PROD)
        assert at.run_turn().decision is DecisionKind.PROMOTE
        model = at.active_model()
        assert model
        assert importers(at, model) == [PROD_ROOT]
        (told,) = at.buses.of(PROD, MODEL_SHARED)
        assert (told["model_type"], told["mode"], told["turn"]) == ("ENTITY_RECOGNIZER", None, "turn-000001")

    def test_the_schedule_shares_what_was_published_before(self, world: World) -> None:
        world.promote(world.models[0])
        assert trust(world.at, PROD).sentence == "It is shared with 1 account."
        assert importers(world.at, world.models[0]) == [PROD_ROOT]

    def test_the_schedule_repeats_the_same_and_changes_nothing(self, world: World) -> None:
        trust(world.at, PROD)
        world.promote(world.models[0])
        before = world.at.comprehend.describe_resource_policy(ResourceArn=world.models[0])["PolicyRevisionId"]
        record = versions(world.at)[world.models[0]]
        share(world.at)
        first, second = world.shared()
        assert first == second
        after = world.at.comprehend.describe_resource_policy(ResourceArn=world.models[0])["PolicyRevisionId"]
        assert before == after == record.revision
        assert versions(world.at)[world.models[0]] == record


class TestTheList:
    def test_is_applied_to_every_shared_version(self, world: World) -> None:
        first, second, _ = world.models
        trust(world.at, PROD, STAGE)
        world.promote(first)
        world.promote(second)
        trust(world.at, STAGE)
        assert importers(world.at, first) == importers(world.at, second) == [STAGE_ROOT]
        trust(world.at)
        assert policy_of(world.at, first) is policy_of(world.at, second) is None
        assert share(world.at) is None
        trust(world.at, ROLE)
        assert importers(world.at, first) == importers(world.at, second) == [ROLE]

    def test_needs_no_model(self) -> None:
        assert trust(Deployment(), PROD).sentence == ""

    def test_a_refused_list_leaves_the_former(self, world: World, faults: Any) -> None:
        first, second, _ = world.models
        trust(world.at, PROD)
        world.promote(first)
        world.promote(second)
        faults.add(
            Fault(operation="PutResourcePolicy", code="InvalidRequestException", message="Invalid principal in policy")
        )
        with pytest.raises(SharingRefused, match="InvalidRequestException: Invalid principal in policy"):
            trust(world.at, ROLE)
        assert importers(world.at, first) == importers(world.at, second) == [PROD_ROOT]
        # What CloudFormation does then, also while nothing can be put.
        by_hand_again = trust(world.at, PROD)
        assert not by_hand_again.problems
        faults.clear()
        share(world.at)
        assert importers(world.at, first) == importers(world.at, second) == [PROD_ROOT]

    def test_a_list_that_was_applied_is_not_refused_again(self, world: World, faults: Any) -> None:
        """The rollback of a deployment has to succeed, also after a principal was deleted in its account."""
        trust(world.at, PROD)
        for model in world.models[:2]:
            world.promote(model)
        for model in world.models[:2]:
            by_hand(world, model, statement(model, "arn:aws:iam::444455556666:role/unknown"))
        faults.add(Fault(operation="PutResourcePolicy", code="InvalidRequestException"))
        assert len(trust(world.at, PROD).problems) == 2
        # But nobody is taken off a list that nothing has taken off.
        faults.clear()
        faults.add(Fault(operation="DeleteResourcePolicy", code="AccessDeniedException"))
        with pytest.raises(SharingRefused, match="AccessDenied"):
            trust(world.at)
        assert importers(world.at, world.models[0])

    def test_a_deployment_waits_for_another_run(self, world: World) -> None:
        trust(world.at, PROD)
        world.promote(world.models[0])
        with (
            held(LEASE_KEY, holder="another", intake=world.at.bucket, now=world.at.now(), lasts=LASTS),
            pytest.raises(ServiceBusy, match="another"),
        ):
            trust(world.at, STAGE)
        assert importers(world.at, world.models[0]) == [PROD_ROOT]


class TestGoingBack:
    def test_withdraws_what_was_shared_later(self, world: World) -> None:
        first, second, third = world.models
        trust(world.at, PROD)
        world.promote(first)
        world.promote(second)
        world.promote(third)
        assert [len(importers(world.at, model)) for model in world.models] == [1, 1, 1]
        ids = [told.id for told in world.shared()]
        ended = world.promote(second)
        assert "is withdrawn" in ended.reason
        assert [len(importers(world.at, model)) for model in world.models] == [1, 1, 0]
        (told,) = world.withdrawn()
        assert told.id.startswith("withdrawn-promotion-000004-")
        assert (told.model, told.instead, told.by) == (third, second, "Ada")
        assert told.withdrawn_at > versions(world.at)[third].announcement.shared_at
        # What is active again keeps its id.
        assert world.shared()[-1].id == ids[1]

    def test_is_told_until_something_newer_is_shared(self, world: World) -> None:
        first, second, third = world.models
        trust(world.at, PROD)
        world.promote(first)
        world.promote(second)
        world.promote(first)
        share(world.at)
        assert len(world.withdrawn()) == 2
        assert len({told.id for told in world.withdrawn()}) == 1
        world.promote(third)
        share(world.at)
        assert len(world.withdrawn()) == 2

    def test_what_is_promoted_again_is_shared_anew(self, world: World) -> None:
        first, second, _ = world.models
        trust(world.at, PROD)
        world.promote(first)
        world.promote(second)
        world.promote(first)
        world.promote(second)
        assert importers(world.at, second) == [PROD_ROOT]
        told = [each for each in world.shared() if each.model == second]
        assert len({each.id for each in told}) == 2
        assert told[-1].shared_at > told[0].shared_at
        assert versions(world.at)[second].withdrawn is None

    def test_two_promotions_between_two_runs_come_to_the_same(self, world: World) -> None:
        """The first one's run was lost."""
        first, second, third = world.models
        trust(world.at, PROD)
        for model in (first, second, third):
            world.promote(model)
        # The steps of the promotion that went back to the second were killed before they shared anything.
        with held(LEASE_KEY, holder="another", intake=world.at.bucket, now=world.at.now(), lasts=timedelta(days=1)):
            assert "could not be shared" in world.promote(second).reason
            world.promote(first)
        assert importers(world.at, third) == [PROD_ROOT]
        share(world.at)
        assert [len(importers(world.at, model)) for model in world.models] == [1, 0, 0]


class TestOthers:
    def test_their_statements_stay_and_are_told_of(self, world: World) -> None:
        model = world.models[0]
        by_hand(world, model, OTHER)
        trust(world.at, PROD)
        assert "has 1 statement of somebody else, which stay" in world.promote(model).reason
        policy = policy_of(world.at, model)
        assert policy
        assert policy["Statement"] == [OTHER, statement(model, PROD_ROOT)]
        trust(world.at)
        policy = policy_of(world.at, model)
        assert policy
        assert policy["Statement"] == [OTHER]

    def test_an_edit_of_the_own_statement_is_undone(self, world: World) -> None:
        model = world.models[0]
        trust(world.at, PROD)
        world.promote(model)
        by_hand(world, model, statement(model, PROD_ROOT, STAGE_ROOT))
        share(world.at)
        assert importers(world.at, model) == [PROD_ROOT]
        world.at.comprehend.delete_resource_policy(ResourceArn=model)
        share(world.at)
        assert importers(world.at, model) == [PROD_ROOT]

    def test_who_comes_between_is_not_overwritten(self, world: World) -> None:
        model = world.models[0]
        by_hand(world, model, {**OTHER, "Sid": "Earlier"})
        trust(world.at, PROD)
        client = world.at.functions.clients["comprehend"]
        came: list[int] = []

        def come_between(**_: Any) -> None:
            if not came:
                came.append(1)
                by_hand(world, model, OTHER)

        client.meta.events.register("before-call.comprehend.PutResourcePolicy", come_between)
        try:
            world.promote(model)
        finally:
            client.meta.events.unregister("before-call.comprehend.PutResourcePolicy", come_between)
        policy = policy_of(world.at, model)
        assert came
        assert policy
        assert policy["Statement"] == [OTHER, statement(model, PROD_ROOT)]

    def test_who_never_stops_is_told_of(self, world: World) -> None:
        model = world.models[0]
        by_hand(world, model, OTHER)
        trust(world.at, PROD)
        client = world.at.functions.clients["comprehend"]

        def come_between(**_: Any) -> None:
            by_hand(world, model, OTHER)

        client.meta.events.register("before-call.comprehend.PutResourcePolicy", come_between)
        try:
            assert "all the time" in world.promote(model).reason
        finally:
            client.meta.events.unregister("before-call.comprehend.PutResourcePolicy", come_between)
        # Nobody is told of a model that cannot be imported.
        assert world.shared() == []
        share(world.at)
        assert importers(world.at, model) == [PROD_ROOT]
        assert len(world.shared()) == 1


class TestFailures:
    def test_a_version_that_is_gone_ends_its_record(self, world: World) -> None:
        first, second, _ = world.models
        trust(world.at, PROD)
        world.promote(first)
        world.promote(second)
        world.at.comprehend.delete_document_classifier(DocumentClassifierArn=first)
        world.at.with_retries(lambda: _require_gone(world, first))
        outcome = share(world.at)
        assert outcome
        assert not outcome.problems
        gone_at = versions(world.at)[first].gone_at
        assert gone_at
        trust(world.at, STAGE)
        assert versions(world.at)[first].gone_at == gone_at
        assert not versions(world.at)[second].gone_at
        trust(world.at)
        assert policy_of(world.at, second) is None

    def test_what_is_refused_fails_no_promotion(self, world: World, faults: Any) -> None:
        trust(world.at, PROD)
        faults.add(Fault(operation="PutResourcePolicy", code="InvalidRequestException", message="No such principal."))
        ended = world.promote(world.models[0])
        assert ended.status is PromotionStatus.PROMOTED
        assert "InvalidRequestException: No such principal. The schedule tries again." in ended.reason
        assert world.shared() == []
        faults.clear()
        share(world.at)
        assert importers(world.at, world.models[0]) == [PROD_ROOT]
        assert versions(world.at)[world.models[0]].problem is None

    def test_a_throttle_passes(self, world: World, faults: Any) -> None:
        trust(world.at, PROD)
        faults.add(Fault(operation="PutResourcePolicy", kind="throttle", times=3))
        faults.add(Fault(operation="DescribeResourcePolicy", kind="throttle", times=3))
        world.promote(world.models[0])
        assert importers(world.at, world.models[0]) == [PROD_ROOT]

    def test_an_account_that_takes_no_events_is_told_of(self, world: World) -> None:
        at = world.at
        third = "888899990000"
        trust(at, PROD, STAGE, third)
        at.buses.denying, at.buses.failing = {STAGE}, {third}
        ended = world.promote(world.models[0])
        assert ended.status is PromotionStatus.PROMOTED
        assert f"{STAGE} could not be told (AccessDeniedException: no policy)." in ended.reason
        assert f"{third} could not be told (InternalFailure: not now)." in ended.reason
        assert len(world.shared(PROD)) == 1
        assert set(at.bucket.require(STATE_KEY, SharingState).undelivered) == {STAGE, third}
        at.buses.denying, at.buses.failing = set(), set()
        outcome = share(at)
        assert outcome
        assert not outcome.undelivered
        assert len(world.shared(STAGE)) == len(world.shared(third)) == 1
        assert at.bucket.require(STATE_KEY, SharingState).undelivered == {}

    def test_more_withdrawals_than_a_request_holds_are_told(self, world: World) -> None:
        first, second, _ = world.models
        trust(world.at, PROD)
        world.promote(first)
        world.promote(second)
        record = versions(world.at)[second]
        for number in range(25):
            name = f"{second[:-3]}{number:03d}"
            later = record.announcement.shared_at + timedelta(seconds=number)
            announcement = record.announcement.model_copy(update={"model": name, "shared_at": later})
            copied = record.model_copy(update={"announcement": announcement})
            world.at.bucket.write(version_key(name), copied)
        world.at.buses.requests.clear()
        world.promote(first)
        assert world.at.buses.requests == [1, 10, 10, 6]
        assert len(world.withdrawn()) == 26


def _require_gone(world: World, model: str) -> None:
    if world.at.service.models.describe(model) is not None:
        raise ServiceBusy("It is being deleted.")


STORIES: dict[str, Callable[[World], object]] = {
    "first": lambda world: world.promote(world.models[1]),
    "back": lambda world: world.promote(world.models[0]),
    "list": lambda world: trust(world.at, STAGE),
    "nobody": lambda world: trust(world.at),
}


@pytest.mark.parametrize("story", ["back", "list", "nobody"])
def test_a_kill_at_any_place_is_mended_by_the_next_run(world: World, story: str) -> None:
    """The same deployment again and again: promote the second, then do the story and die in it."""
    first, second, _ = world.models
    at = world.at
    trust(at, PROD)
    world.promote(first)
    for after in itertools.count():
        trust(at, PROD)
        world.promote(second)
        assert importers(at, second) == [PROD_ROOT]
        at.kills.reset(after=after)
        with contextlib.suppress(Killed):
            STORIES[story](world)
        struck = at.kills.struck
        at.kills.reset()
        # The lease of the dead is over.
        at.cloud.clock.advance(LASTS + timedelta(seconds=1))
        if at.promotion and not at.promotion.ended:
            at.promotion.run()
        if story == "back":
            at.promote_all()
            share(at)
            assert importers(at, first) == [PROD_ROOT]
            assert importers(at, second) == []
            assert versions(at)[second].withdrawn
        else:
            # The dead deployment goes back to the former list, or is made again.
            share(at)
            assert importers(at, second) in ([PROD_ROOT], [STAGE_ROOT], [])
            STORIES[story](world)
            expected = [STAGE_ROOT] if story == "list" else []
            assert importers(at, first) == importers(at, second) == expected
        assert all(version.principals is not None for version in versions(at).values())
        if not struck:
            assert after > 4, "it was hardly killed"
            return


def test_a_deployment_that_was_killed_lets_nobody_in_that_the_known_list_does_not_name(world: World) -> None:
    """CloudFormation may not come back for an hour; the schedule does."""
    at, model = world.at, world.models[0]
    trust(at, PROD)
    world.promote(model)
    for after in itertools.count():
        trust(at)
        at.kills.reset(after=after)
        with contextlib.suppress(Killed):
            trust(at, PROD)
        struck = at.kills.struck
        at.kills.reset()
        at.cloud.clock.advance(LASTS + timedelta(seconds=1))
        share(at)
        assert importers(at, model) == list(trusted_principals(at.bucket)), after
        if not struck:
            assert after > 4, "it was hardly killed"
            return


def test_a_classifier_and_a_recognizer_in_one_account_do_not_see_each_other() -> None:
    recognizer, classifier = Deployment(kind=ENTITY_RECOGNITION, labels=TYPES, variant="entities"), Deployment()
    recognizer.upload("train/people.jsonl", as_json_lines(annotated(count=80)))
    classifier.upload("train/news.csv", documents(*LABELS, count=20))
    for at in (recognizer, classifier):
        assert at.run_turn().decision is DecisionKind.PROMOTE
        at.promote_all()
        at.check_consistency()
    for at, other in ((recognizer, classifier), (classifier, recognizer)):
        (model,) = at.service.models.trained_by(at.flywheel_arn)
        assert model.arn == at.active_model()
        assert at.service.models.trained_by(other.flywheel_arn) == []
