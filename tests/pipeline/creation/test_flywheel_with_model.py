"""A flywheel that begins with an existing model: made, killed, changed and deleted, and what the pipeline makes of
it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flywheel.creation.change_flywheel import Awaited, create_or_change, delete_flywheel
from flywheel.creation.report_flywheel import accept_flywheel, remove_unused
from flywheel.creation.wanted_flywheel import Tag, WantedFlywheel
from flywheel.faults.errors import FlywheelRefused, ServiceBusy
from flywheel.promotions.start_promotion import Poke
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import InitialModel, PromotionMode, initial_key
from flywheel.records.turns import DeletedModels, deleted_key
from tests.infrastructure.conftest import VARIANTS
from tests.pipeline.deployment import settled
from tests.pipeline.in_process_cloud import Killed, in_process_cloud, switched
from tests.pipeline.step_roles import NotGranted
from tests.pipeline.turn_driver import LABELS, ROLE, Deployment, as_csv, documents

MODEL = VARIANTS["initial-model"]["initial_model_arn"]
(FOLDER,) = VARIANTS["initial-model"]["initial_model_data"]
NETWORK = {"VpcConfig": {"Subnets": ["subnet-12345678"], "SecurityGroupIds": ["sg-12345678"]}}


@dataclass(kw_only=True)
class World:
    """A deployment, and the flywheel that a template wants of it."""

    at: Deployment
    wanted: WantedFlywheel
    updates: list[dict[str, Any]] = field(default_factory=list)
    """What UpdateFlywheel was asked for."""

    def provide(self, *, old_tags: tuple[Tag, ...] = (), **changes: Any) -> Awaited:
        wanted = self.wanted.model_copy(update=changes)
        with self.at.acting_as("change_flywheel"):
            return create_or_change(wanted, token=self.at.name, old_tags=old_tags, comprehend=self.comprehend)

    def create(self) -> None:
        """As the machine does it."""
        assert self.at.with_retries(self.provide) is Awaited.ACTIVE
        settled(self.at.service.describe, lambda found: found.active)
        with self.at.acting_as("report_flywheel"):
            accept_flywheel(self.wanted, comprehend=self.comprehend, intake=self.at.intake)

    def delete(self) -> Awaited:
        with self.at.acting_as("change_flywheel"):
            return delete_flywheel(self.wanted.flywheel_arn, self.wanted, comprehend=self.comprehend)

    @property
    def comprehend(self) -> Any:
        return self.at._clients["comprehend"]

    def described(self) -> dict[str, Any]:
        found = self.at.comprehend.describe_flywheel(FlywheelArn=self.wanted.flywheel_arn)
        return dict(found["FlywheelProperties"])

    def tags(self) -> dict[str, str]:
        found = self.at.comprehend.list_tags_for_resource(ResourceArn=self.wanted.flywheel_arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}


@pytest.fixture(scope="module", autouse=True)
def _initial_model() -> None:
    """Trained once in this process. Most of its documents have a wrong label, so that another one is better."""
    cloud = in_process_cloud()
    s3, comprehend = cloud.clients["s3"], cloud.clients["comprehend"]
    bucket, _, prefix = FOLDER.removeprefix("s3://").partition("/")
    s3.create_bucket(Bucket=bucket)
    other = dict(zip(LABELS, LABELS[::-1], strict=True))
    right = documents(*LABELS, count=60)
    rows = [(other[label] if n % 10 < 8 else label, text) for n, (label, text) in enumerate(right)]
    s3.put_object(Bucket=bucket, Key=f"{prefix}rows.csv", Body=as_csv(rows))
    comprehend.create_document_classifier(
        DocumentClassifierName="initial",
        VersionName="first",
        LanguageCode="en",
        InputDataConfig={"S3Uri": FOLDER},
        DataAccessRoleArn=ROLE,
    )

    def status() -> list[str]:
        found = comprehend.describe_document_classifier(DocumentClassifierArn=MODEL)
        return [found["DocumentClassifierProperties"]["Status"]]

    assert settled(status, lambda found: found[0] not in ("SUBMITTED", "TRAINING")) == ["TRAINED"]


@pytest.fixture
def world() -> Iterator[World]:
    at = Deployment(variant="initial-model")
    arn = f"{at.flywheel_arn[:-8]}0000000b"
    wanted = WantedFlywheel(
        flywheel_arn=arn,
        initial_model_arn=MODEL,
        initial_model_data=(FOLDER,),
        model_type="DOCUMENT_CLASSIFIER",
        language_code="en",
        mode="MULTI_CLASS",
        labels=LABELS,
        data_access_role_arn=ROLE,
        data_lake_s3_uri=f"s3://{at.name}-lake/flywheels/",
        tags=(Tag(key="owner", value="news"),),
    )
    at.flywheel_arn = arn
    world = World(at=at, wanted=wanted)
    events = world.comprehend.meta.events

    def note(params: dict[str, Any], **_: Any) -> None:
        world.updates.append(dict(params))

    events.register("provide-client-params.comprehend.UpdateFlywheel", note)
    yield world
    events.unregister("provide-client-params.comprehend.UpdateFlywheel", note)


def test_the_model_is_promoted_once_and_is_no_change_from_outside(world: World) -> None:
    world.at.promotion_mode = PromotionMode.APPROVAL
    world.create()
    assert world.tags() == {"owner": "news"}
    assert world.at.poked().reason == "there is nothing to do"
    assert world.at.poked_promotion(Poke.CREATED).start
    assert not world.at.poked().start
    world.at.promote_all()
    assert world.at.published.active() == MODEL
    assert not world.at.poked().start
    world.create()
    assert not world.at.poked_promotion().start
    assert len(world.at.keys("promotions/ends/")) == 1


def test_a_model_that_people_made_active_before_is_not_replaced(world: World) -> None:
    world.create()
    beginning = world.at.bucket.require(initial_key(world.wanted.flywheel_arn), InitialModel)
    other = beginning.model_copy(update={"model_arn": f"{MODEL}-2"})
    world.at.bucket.write(initial_key(world.wanted.flywheel_arn), other)
    assert not world.at.poked_promotion().start


def test_the_first_candidate_is_compared_with_the_initial_model(world: World) -> None:
    """And what the flywheel did not train is not deleted by it."""
    at = world.at
    at.models_to_keep = 1
    world.create()
    at.promote_all()
    at.upload("test/test.csv", documents(*LABELS, start=1000, count=10))
    at.upload("train/train.csv", documents(*LABELS, start=100, count=200))
    record = at.run_turn()
    assert record.active
    assert record.active.arn == MODEL
    assert record.decision is DecisionKind.PROMOTE, record.reasons
    at.promote_all()
    for n in range(2):
        at.upload(f"train/more-{n}.csv", documents(*LABELS, start=500 + 100 * n, count=50))
        record = at.run_turn()
    at.promote_all()
    deleted = at.bucket.read(deleted_key(record.turn), DeletedModels) or DeletedModels()
    assert MODEL not in deleted.deleted
    found = at.comprehend.describe_document_classifier(DocumentClassifierArn=MODEL)
    assert found["DocumentClassifierProperties"]["Status"] == "TRAINED"


def test_no_iteration_is_started_for_the_data_of_the_initial_model_alone(world: World) -> None:
    world.create()
    world.at.promote_all()
    record = world.at.run_turn()
    assert record.iteration_id is None


@pytest.mark.parametrize("after", range(3))
def test_a_creation_that_is_killed_goes_on(world: World, after: int) -> None:
    world.at.kills.reset(after=after)
    try:
        world.create()
        assert after == 2, world.at.kills.requests
    except Killed:
        assert world.at.kills.struck
    world.at.kills.reset()
    world.create()
    assert world.described()["ActiveModelArn"] == MODEL
    assert world.at.kills.requests[-1] == "PutObject"


class TestAnUpdate:
    def test_changes_what_is_changed_and_never_names_a_model(self, world: World) -> None:
        world.create()
        world.at.promote_all()
        promoted = self.another_model(world)
        world.updates.clear()
        assert world.provide(data_security_config=NETWORK) is Awaited.ACTIVE
        (update,) = world.updates
        assert update == {
            "FlywheelArn": world.wanted.flywheel_arn,
            "DataAccessRoleArn": ROLE,
            "DataSecurityConfig": NETWORK,
        }
        assert world.described()["DataSecurityConfig"] == NETWORK
        assert world.described()["ActiveModelArn"] == promoted

        # The update is rolled back, and a network that is not wanted any more goes.
        assert world.provide() is Awaited.ACTIVE
        assert not world.described()["DataSecurityConfig"].get("VpcConfig")
        assert world.described()["ActiveModelArn"] == promoted
        assert [members.get("ActiveModelArn") for members in world.updates] == [None, None]

    def test_of_tags_alone_updates_nothing_else_and_keeps_what_people_tagged(self, world: World) -> None:
        world.create()
        arn = world.wanted.flywheel_arn
        world.at.comprehend.tag_resource(ResourceArn=arn, Tags=[{"Key": "by-hand", "Value": "1"}])
        world.provide(tags=(Tag(key="cost", value="4711"),), old_tags=world.wanted.tags)
        assert world.tags() == {"cost": "4711", "by-hand": "1"}
        assert world.updates == []

    def test_waits_for_an_iteration_if_it_has_to(self, world: World) -> None:
        world.create()
        with switched(update_during_iteration="InvalidRequestException", iteration_training_seconds=3600):
            world.at.create_dataset_in_console(documents(*LABELS, start=100, count=50))
            world.at.comprehend.start_flywheel_iteration(FlywheelArn=world.wanted.flywheel_arn)
            with pytest.raises(ServiceBusy, match="while iteration"):
                world.provide(data_security_config=NETWORK)
            with pytest.raises(ServiceBusy, match="cannot be deleted yet"):
                world.delete()

    def test_cannot_name_a_model_at_all(self, world: World) -> None:
        """IAM would not let it."""
        world.create()
        with pytest.raises(NotGranted, match="UpdateFlywheel"), world.at.acting_as("change_flywheel"):
            world.comprehend.update_flywheel(FlywheelArn=world.wanted.flywheel_arn, ActiveModelArn=MODEL)

    @staticmethod
    def another_model(world: World) -> str:
        at = world.at
        at.upload("test/test.csv", documents(*LABELS, start=1000, count=10))
        at.upload("train/train.csv", documents(*LABELS, start=100, count=200))
        at.run_until_at_rest()
        active = str(world.described()["ActiveModelArn"])
        assert active != MODEL
        return active


class TestADeletion:
    def test_deletes_and_can_be_repeated(self, world: World) -> None:
        world.create()
        assert world.delete() is Awaited.GONE
        settled(lambda: [world.delete()], lambda found: found == [Awaited.NOTHING])
        with pytest.raises(ClientError, match="ResourceNotFound"):
            world.described()

    def test_leaves_a_flywheel_that_is_somebody_elses(self, world: World) -> None:
        """Also one of whose creation nothing came because of it."""
        world.at.comprehend.create_flywheel(
            FlywheelName=world.wanted.name,
            ActiveModelArn=MODEL,
            DataAccessRoleArn=ROLE,
            DataLakeS3Uri=f"s3://{world.at.name}-lake/others/",
        )
        settled(world.at.service.describe, lambda found: found.active)
        with pytest.raises(FlywheelRefused, match="There is already a flywheel"):
            world.provide()
        assert world.delete() is Awaited.NOTHING
        remove_unused(world.wanted, comprehend=world.comprehend)
        assert world.described()["Status"] == "ACTIVE"


class TestAModelThatDoesNotFit:
    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"initial_model_arn": f"{MODEL}-unknown"}, "there is no such document classifier"),
            ({"language_code": "fr"}, "its language is en, and the setting language is fr"),
            ({"mode": "MULTI_LABEL"}, "its mode is MULTI_CLASS, and the setting mode is MULTI_LABEL"),
            ({"labels": ("A", "B", "C")}, "it has 2 labels, and the setting labels names 3"),
            ({"initial_model_data": ("s3://elsewhere/",)}, f"its data are at {FOLDER}"),
        ],
    )
    def test_is_refused_before_there_is_a_flywheel(self, world: World, changes: dict[str, Any], sentence: str) -> None:
        wanted = world.wanted.model_copy(update=changes)
        with pytest.raises(FlywheelRefused, match=sentence):
            create_or_change(wanted, token=world.at.name, old_tags=(), comprehend=world.at.comprehend)
        with pytest.raises(ClientError, match="ResourceNotFound"):
            world.described()

    def test_by_its_labels_is_refused_afterwards_and_the_flywheel_goes_again(self, world: World) -> None:
        world.create()
        world.wanted = world.wanted.model_copy(update={"labels": ("BUSINESS", "WEATHER")})
        sentence = "its labels are BUSINESS, SPORTS, and the settings name BUSINESS, WEATHER"
        with pytest.raises(FlywheelRefused, match=sentence), world.at.acting_as("report_flywheel"):
            accept_flywheel(world.wanted, comprehend=world.comprehend, intake=world.at.intake)
        with world.at.acting_as("report_flywheel"):
            remove_unused(world.wanted, comprehend=world.comprehend)
        settled(lambda: [world.delete()], lambda found: found == [Awaited.NOTHING])

    def test_all_differences_are_told_at_once(self, world: World) -> None:
        wanted = world.wanted.model_copy(update={"language_code": "fr", "labels": ("A", "B", "C")})
        with pytest.raises(FlywheelRefused, match=r"language is en.*; it has 2 labels"):
            create_or_change(wanted, token=world.at.name, old_tags=(), comprehend=world.at.comprehend)
