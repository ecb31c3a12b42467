"""A flywheel that begins with an existing model: made, killed, changed and deleted, and what the pipeline makes of
it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionMode
from flywheel.records.turns import DeletedModels, deleted_key
from tests.pipeline.creation.with_model import FOLDER, MODEL, FlywheelWithModel
from tests.pipeline.documents import LABELS, as_csv, documents
from tests.simulation.api import ACCOUNT
from tests.simulation.cloudformation import DeploymentFailed
from tests.simulation.trainings import train

NETWORK = {"VpcConfig": {"Subnets": ["subnet-12345678"], "SecurityGroupIds": ["sg-12345678"]}}
TAG = {"Key": "application", "Value": "news-flywheel"}

FUNCTIONS = ("provide_flywheel", "change_flywheel", "report_flywheel")


@pytest.fixture
def at() -> FlywheelWithModel:
    at = FlywheelWithModel()
    at.provide()
    return at


def test_the_model_is_promoted_once_and_is_no_change_from_outside() -> None:
    """Nobody is asked, and no turn is started for it."""
    at = FlywheelWithModel(promotion_mode=PromotionMode.APPROVAL)
    at.provide()
    assert at.tags() == {"application": "news-flywheel"}
    promotion = at.run_before("BeginPromotion", machine="Promote")
    assert at.poked().reason == "there is nothing to do"
    at.go_on(promotion)
    at.settle()
    assert at.published.active() == MODEL
    assert not at.poked().start
    at.provide(Tags=[TAG, {"Key": "cost", "Value": "4711"}])
    at.settle()
    assert not at.poked_promotion().start
    assert len(at.keys("promotions/ends/")) == 1


def test_a_model_that_people_made_active_before_is_not_replaced() -> None:
    at = FlywheelWithModel()
    at.script.events_take = 3600
    at.provide()
    rows = documents(*LABELS, count=60)
    theirs = train(at.world, as_csv(rows), name="theirs", version="first", folder="s3://theirs/train/", account=ACCOUNT)
    at.make_active(theirs)
    assert not at.poked_promotion().start
    at.settle()
    assert at.active_model() == theirs
    assert at.keys("promotions/ends/") == []


def test_the_first_candidate_is_compared_with_the_initial_model() -> None:
    """And what the flywheel did not train is not deleted by it."""
    at = FlywheelWithModel(models_to_keep=1)
    at.provide()
    at.settle()
    at.upload("test/test.csv", documents(*LABELS, start=1000, count=10))
    at.upload("train/train.csv", documents(*LABELS, start=100, count=200))
    record = at.run_turn()
    assert record.active
    assert record.active.arn == MODEL
    assert record.decision is DecisionKind.PROMOTE, record.reasons
    for n in range(2):
        at.upload(f"train/more-{n}.csv", documents(*LABELS, start=500 + 100 * n, count=50))
        record = at.run_turn()
    deleted = at.bucket.read(deleted_key(record.turn), DeletedModels) or DeletedModels()
    assert MODEL not in deleted.deleted
    found = at.comprehend.describe_document_classifier(DocumentClassifierArn=MODEL)
    assert found["DocumentClassifierProperties"]["Status"] == "TRAINED"


def test_no_iteration_is_started_for_the_data_of_the_initial_model_alone(at: FlywheelWithModel) -> None:
    at.settle()
    assert at.run_turn().iteration_id is None


def test_while_it_is_created_nothing_is_published() -> None:
    """Comprehend does not say the labels before the flywheel is ACTIVE, and the schedules run already."""
    at = FlywheelWithModel()
    with at.comprehend_with(flywheel_creation_seconds=60):
        deployment = at.beside(at.provide)
        at.step_until(lambda: bool(at.comprehend.list_flywheels()["FlywheelSummaryList"]))
        assert at.invoke("publish_answers", {"poke": "schedule"}) == {"documents": 0, "uploads": []}
        assert not deployment.done
        at.step_until(lambda: deployment.done)
    assert at.described()["Status"] == "ACTIVE"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_creation_that_is_killed_goes_on(function: str) -> None:
    for after in itertools.count():
        at = FlywheelWithModel()
        at.script.kill(after=after, function=function)
        at.provide()
        at.settle()
        assert at.active_model() == at.published.active() == MODEL
        assert len(at.comprehend.list_flywheels()["FlywheelSummaryList"]) == 1
        if not at.script.killed:
            assert after > 0, "it was not killed"
            return


class TestAnUpdate:
    def test_changes_what_is_changed_and_never_names_a_model(self, at: FlywheelWithModel) -> None:
        promoted = another_model(at)
        with updates(at) as sent:
            at.provide(DataSecurityConfig=NETWORK)
            assert at.described()["DataSecurityConfig"] == NETWORK
            # What CloudFormation does when another resource fails: the network is not wanted any more.
            at.provide()
            assert not at.described()["DataSecurityConfig"].get("VpcConfig")
        assert at.active_model() == promoted
        role = at.resource.properties["DataAccessRoleArn"]
        update = {"FlywheelArn": at.flywheel_arn, "DataAccessRoleArn": role}
        assert sent == [update | {"DataSecurityConfig": NETWORK}, update | {"DataSecurityConfig": {}}]

    def test_of_tags_alone_updates_nothing_else_and_keeps_what_people_tagged(self, at: FlywheelWithModel) -> None:
        at.comprehend.tag_resource(ResourceArn=at.flywheel_arn, Tags=[{"Key": "by-hand", "Value": "1"}])
        with updates(at) as sent:
            at.provide(Tags=[{"Key": "cost", "Value": "4711"}])
        assert at.tags() == {"cost": "4711", "by-hand": "1"}
        assert sent == []

    def test_waits_for_an_iteration_if_it_has_to(self, at: FlywheelWithModel) -> None:
        with at.comprehend_with(update_during_iteration="InvalidRequestException", iteration_training_seconds=86400):
            at.train_in_console(documents(*LABELS, start=100, count=50))
            with pytest.raises(DeploymentFailed, match="while iteration"):
                at.provide(DataSecurityConfig=NETWORK)
            assert not at.app.unfinished
            with pytest.raises(DeploymentFailed, match="cannot be deleted yet"):
                at.app.destroy("flywheel")

    def test_cannot_name_a_model_at_all(self, at: FlywheelWithModel) -> None:
        """IAM would not let it."""
        with at.acting_as("change_flywheel"), pytest.raises(ClientError, match=r"AccessDenied.*UpdateFlywheel"):
            at.client("comprehend").update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=MODEL)


@contextmanager
def updates(at: FlywheelWithModel) -> Iterator[list[Any]]:
    """What UpdateFlywheel is asked for while the block runs."""
    sent: list[Any] = []
    at.world.noted["UpdateFlywheel"] = sent
    yield sent
    del at.world.noted["UpdateFlywheel"]


def another_model(at: FlywheelWithModel) -> str:
    at.settle()
    at.upload("test/test.csv", documents(*LABELS, start=1000, count=10))
    at.upload("train/train.csv", documents(*LABELS, start=100, count=200))
    at.run_until_at_rest()
    active = at.active_model()
    assert active
    assert active != MODEL
    return active


class TestADeletion:
    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_that_is_killed_goes_on(self, function: str) -> None:
        for after in itertools.count():
            at = FlywheelWithModel()
            at.provide()
            at.settle()
            at.script.kill(after=after, function=function)
            at.app.destroy("flywheel")
            assert at.comprehend.list_flywheels()["FlywheelSummaryList"] == []
            if not at.script.killed:
                assert after > 0, "it was not killed"
                return

    def test_leaves_a_flywheel_that_is_somebody_elses(self) -> None:
        """Also one of whose creation nothing came because of it."""
        at = FlywheelWithModel()
        wanted = at.resource.properties
        at.world.deploy_first(at.stack)
        at.comprehend.create_flywheel(
            FlywheelName=wanted["FlywheelArn"].rpartition("/")[2],
            ActiveModelArn=MODEL,
            DataAccessRoleArn=wanted["DataAccessRoleArn"],
            DataLakeS3Uri=f"{wanted['DataLakeS3Uri'].removesuffix('flywheels/')}others/",
        )
        at.let_pass(timedelta(minutes=1))
        with pytest.raises(DeploymentFailed, match="There is already a flywheel"):
            at.provide()
        request = at.request("Delete", PhysicalResourceId=wanted["FlywheelArn"])
        assert at.invoke("change_flywheel", {"request": request})["awaited"] == "NOTHING"
        at.invoke("report_flywheel", {"request": at.request("Create"), "error": "FlywheelFailed", "cause": "none"})
        assert at.described()["Status"] == "ACTIVE"


class TestAModelThatDoesNotFit:
    @pytest.mark.parametrize(
        ("properties", "sentence"),
        [
            ({"LanguageCode": "fr"}, "its language is en, and the setting language is fr"),
            ({"Mode": "MULTI_LABEL"}, "its mode is MULTI_CLASS, and the setting mode is MULTI_LABEL"),
            ({"Labels": ["A", "B", "C"]}, "it has 2 labels, and the setting labels names 3"),
            ({"InitialModelData": ["s3://elsewhere/"]}, f"its data are at {FOLDER}"),
            # All differences are told at once.
            ({"LanguageCode": "fr", "Labels": ["A", "B", "C"]}, "language is en.*; it has 2 labels"),
        ],
    )
    def test_is_refused_before_there_is_a_flywheel(self, properties: dict[str, Any], sentence: str) -> None:
        at = FlywheelWithModel()
        at.script.kill()
        with pytest.raises(DeploymentFailed, match=sentence):
            at.provide(**properties)
        assert "CreateFlywheel" not in at.script.changes

    def test_is_refused_if_there_is_none(self) -> None:
        at = FlywheelWithModel(trained=False)
        at.script.kill()
        with pytest.raises(DeploymentFailed, match="there is no such document classifier"):
            at.provide()
        assert "CreateFlywheel" not in at.script.changes

    def test_by_its_labels_is_refused_afterwards_and_the_flywheel_goes_again(self) -> None:
        at = FlywheelWithModel()
        at.script.kill()
        sentence = "its labels are BUSINESS, SPORTS, and the settings name BUSINESS, WEATHER"
        with pytest.raises(DeploymentFailed, match=sentence):
            at.provide(Labels=["BUSINESS", "WEATHER"])
        assert "CreateFlywheel" in at.script.changes
        at.let_pass(timedelta(minutes=1))
        assert at.comprehend.list_flywheels()["FlywheelSummaryList"] == []
