from __future__ import annotations

from typing import Any

import pytest

from tests.contract.comprehend_world import World
from tests.contract.error_codes import refused
from tests.contract.sample_documents import documents
from tests.contract.waiting import until


def tags(**values: str) -> Any:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def tags_of(world: World, arn: str) -> dict[str, str | None]:
    answer = world.client.list_tags_for_resource(ResourceArn=arn)
    assert answer["ResourceArn"] == arn
    return {tag["Key"]: tag.get("Value") for tag in answer["Tags"]}


def test_flywheels_datasets_and_models_have_tags(world: World) -> None:
    flywheel = world.flywheel(Tags=tags(team="news"))
    uri = world.put("first.csv", documents())
    dataset = world.create_dataset(flywheel, "first", uri, Tags=tags(week="47"))
    until(lambda: world.dataset_properties(dataset)["Status"] == "COMPLETED")
    model = world.iterate(flywheel)["TrainedModelArn"]
    assert tags_of(world, flywheel) == {"team": "news"}
    assert tags_of(world, dataset) == {"week": "47"}
    assert tags_of(world, model) == {}
    for arn in (flywheel, dataset, model):
        world.client.tag_resource(ResourceArn=arn, Tags=tags(cost="1", owner="me"))
        world.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "cost"}])
        world.client.untag_resource(ResourceArn=arn, TagKeys=["owner", "never-set"])
        assert tags_of(world, arn).items() >= {("cost", None)}
        assert "owner" not in tags_of(world, arn)


def test_at_most_fifty_tags(world: World) -> None:
    flywheel = world.flywheel()
    world.client.tag_resource(ResourceArn=flywheel, Tags=tags(**{f"k{n}": "" for n in range(50)}))
    world.client.tag_resource(ResourceArn=flywheel, Tags=tags(k7="again"))
    with refused("TooManyTagsException"):
        world.client.tag_resource(ResourceArn=flywheel, Tags=tags(one="more"))
    with refused("TooManyTagKeysException"):
        world.client.untag_resource(ResourceArn=flywheel, TagKeys=[f"k{n}" for n in range(51)])
    assert len(tags_of(world, flywheel)) == 50


@pytest.mark.parametrize("wrong", [[{"Key": "aws:mine"}], [{"Key": "twice"}, {"Key": "twice"}], [{"Key": "k" * 129}]])
def test_unusable_tags_are_refused(world: World, wrong: Any) -> None:
    flywheel = world.flywheel()
    with refused("InvalidRequestException"):
        world.client.tag_resource(ResourceArn=flywheel, Tags=wrong)
    assert tags_of(world, flywheel) == {}


@pytest.mark.parametrize("what", ["flywheel/none", "flywheel/news/dataset/none", "document-classifier/none/version/1"])
def test_tags_of_nothing(world: World, what: str) -> None:
    arn = world.flywheel().replace("flywheel/news", what)
    for call in (
        lambda: world.client.list_tags_for_resource(ResourceArn=arn),
        lambda: world.client.tag_resource(ResourceArn=arn, Tags=tags(a="b")),
        lambda: world.client.untag_resource(ResourceArn=arn, TagKeys=["a"]),
    ):
        with refused("ResourceNotFoundException"):
            call()


def test_tags_go_with_the_flywheel(world: World) -> None:
    flywheel = world.flywheel(Tags=tags(team="news"))
    world.client.delete_flywheel(FlywheelArn=flywheel)
    until(lambda: world.client.list_flywheels()["FlywheelSummaryList"] == [])
    assert tags_of(world, world.flywheel()) == {}
