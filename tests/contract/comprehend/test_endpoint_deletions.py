from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.comprehend_world import World
from tests.contract.endpoints import (
    SPORT,
    best,
    create,
    described,
    gone,
    mistaken,
    serving,
    settled,
    trained,
)
from tests.contract.error_codes import refused
from tests.contract.waiting import until


def test_deletion(make_world: Callable[..., World]) -> None:
    world = make_world(endpoint_deletion_seconds=10)
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    world.client.delete_endpoint(EndpointArn=arn)
    assert described(world, arn)["Status"] == "DELETING"
    with refused("ResourceUnavailableException"):
        best(world, arn, SPORT)
    for call in (
        lambda: world.client.delete_endpoint(EndpointArn=arn),
        lambda: world.client.update_endpoint(EndpointArn=arn, DesiredInferenceUnits=2),
        lambda: create(world, ModelArn=model),
    ):
        with refused("ResourceInUseException"):
            call()
    world.clock.advance(10)
    gone(world, arn)
    with refused("ResourceNotFoundException"):
        world.client.delete_endpoint(EndpointArn=arn)
    with refused("ResourceNotFoundException"):
        described(world, arn)


@pytest.mark.parametrize("status", ["CREATING", "UPDATING"])
def test_deletion_in_the_middle_of_a_change(make_world: Callable[..., World], status: str) -> None:
    world = make_world()
    _, model = trained(world)
    world.set(endpoint_creation_seconds=10 if status == "CREATING" else 0, endpoint_update_seconds=10)
    arn, other = create(world, ModelArn=model), create(world, "other", ModelArn=model)
    if status == "UPDATING":
        for one in (arn, other):
            settled(world, one)
            world.client.update_endpoint(EndpointArn=one, DesiredInferenceUnits=2)
    assert described(world, arn)["Status"] == status
    with refused("ResourceInUseException"):
        world.client.delete_endpoint(EndpointArn=arn)
    world.set(endpoint_deletion_during_change="allow", endpoint_deletion_seconds=20)
    world.client.delete_endpoint(EndpointArn=arn)
    world.clock.advance(10)
    # The same change of the other one has come to its end: so has this one's, and it brought nothing back.
    assert settled(world, other)["Status"] == "IN_SERVICE"
    assert described(world, arn)["Status"] == "DELETING"
    world.clock.advance(10)
    gone(world, arn)


def test_model_of_an_endpoint_cannot_be_deleted(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel, first = trained(world)
    second = mistaken(world, flywheel)
    arn = serving(world, ModelArn=first)
    world.promote(flywheel, second)

    def deletion_is_refused(model: str) -> None:
        with refused("ResourceInUseException") as refusal:
            world.client.delete_document_classifier(DocumentClassifierArn=model)
        assert arn in refusal.message

    deletion_is_refused(first)
    world.set(endpoint_update_seconds=10, endpoint_deletion_seconds=10)
    world.client.update_endpoint(EndpointArn=arn, FlywheelArn=flywheel)
    deletion_is_refused(first)
    world.promote(flywheel, first)
    deletion_is_refused(second)
    world.clock.advance(10)
    until(lambda: described(world, arn)["ModelArn"] == second)
    world.clock.advance(10)
    assert settled(world, arn)["ModelArn"] == first
    world.client.delete_document_classifier(DocumentClassifierArn=second)
    world.client.delete_endpoint(EndpointArn=arn)
    world.set(flywheel_deletion_with_endpoints="allow")
    world.client.delete_flywheel(FlywheelArn=flywheel)
    until(lambda: world.client.list_flywheels()["FlywheelSummaryList"] == [])
    deletion_is_refused(first)
    world.clock.advance(10)
    gone(world, arn)
    world.client.delete_document_classifier(DocumentClassifierArn=first)


def test_flywheel_of_an_endpoint_is_kept_or_not(world: World) -> None:
    flywheel, model = trained(world)
    arn = serving(world, FlywheelArn=flywheel)
    serving(world, "pinned", ModelArn=model)
    with refused("ResourceInUseException") as refusal:
        world.client.delete_flywheel(FlywheelArn=flywheel)
    assert arn in refusal.message
    assert "pinned" not in refusal.message
    assert world.flywheel_properties(flywheel)["Status"] == "ACTIVE"
    world.set(flywheel_deletion_with_endpoints="allow")
    world.client.delete_flywheel(FlywheelArn=flywheel)
    until(lambda: world.client.list_flywheels()["FlywheelSummaryList"] == [])
    assert best(world, arn, SPORT) == "SPORTS"


def test_flywheel_can_go_once_its_endpoint_is_pinned(world: World) -> None:
    flywheel, model = trained(world)
    arn = serving(world, FlywheelArn=flywheel)
    world.client.update_endpoint(EndpointArn=arn, DesiredModelArn=model)
    settled(world, arn)
    world.client.delete_flywheel(FlywheelArn=flywheel)
