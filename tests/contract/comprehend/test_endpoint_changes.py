from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.contract.comprehend_world import DENIED_ROLE, ROLE, World
from tests.contract.endpoints import (
    ARN,
    PREFIX,
    SPORT,
    best,
    create,
    described,
    mistaken,
    serving,
    settled,
    trained,
)
from tests.contract.error_codes import refused
from tests.contract.waiting import until


def test_endpoint_of_a_flywheel_follows_and_answers_all_the_while(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel, first = trained(world)
    second = mistaken(world, flywheel)
    bound, pinned = serving(world, "bound", FlywheelArn=flywheel), serving(world, "pinned", ModelArn=first)
    world.set(endpoint_update_seconds=60)
    world.clock.advance(1)
    world.promote(flywheel, second)
    during = described(world, bound)
    assert (during["Status"], during["ModelArn"], during["DesiredModelArn"]) == ("UPDATING", first, second)
    assert during["LastModifiedTime"] - during["CreationTime"] == timedelta(seconds=1)
    assert best(world, bound, SPORT) == "SPORTS"
    world.clock.advance(60)
    after = settled(world, bound)
    assert (after["ModelArn"], after["DesiredModelArn"], after["FlywheelArn"]) == (second, second, flywheel)
    assert best(world, bound, SPORT) != "SPORTS"
    assert (described(world, pinned)["Status"], described(world, pinned)["ModelArn"]) == ("IN_SERVICE", first)
    assert best(world, pinned, SPORT) == "SPORTS"


def test_promotion_during_a_change_is_followed_after_it(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel, first = trained(world)
    second = mistaken(world, flywheel)
    world.set(endpoint_creation_seconds=10, endpoint_update_seconds=10)
    arn = create(world, FlywheelArn=flywheel)
    world.promote(flywheel, second)
    assert (described(world, arn)["Status"], described(world, arn)["DesiredModelArn"]) == ("CREATING", first)
    world.clock.advance(10)
    until(lambda: described(world, arn)["Status"] == "UPDATING")
    assert (described(world, arn)["ModelArn"], described(world, arn)["DesiredModelArn"]) == (first, second)
    # And back, before it has got there.
    world.promote(flywheel, first)
    assert described(world, arn)["DesiredModelArn"] == second
    world.clock.advance(10)
    until(lambda: described(world, arn)["ModelArn"] == second)
    assert (described(world, arn)["Status"], described(world, arn)["DesiredModelArn"]) == ("UPDATING", first)
    world.clock.advance(10)
    assert settled(world, arn)["ModelArn"] == first


def test_endpoint_may_take_a_while_to_notice_a_promotion(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel, first = trained(world)
    second = mistaken(world, flywheel)
    arn = serving(world, FlywheelArn=flywheel)
    world.set(endpoint_follow_delay_seconds=5)
    world.promote(flywheel, second)
    unaware = described(world, arn)
    assert (unaware["Status"], unaware["ModelArn"], unaware["DesiredModelArn"]) == ("IN_SERVICE", first, first)
    world.clock.advance(5)
    until(lambda: described(world, arn)["ModelArn"] == second)


def test_update_that_changes_no_model_moves_no_endpoint(world: World) -> None:
    flywheel, _ = trained(world)
    arn = serving(world, FlywheelArn=flywheel)
    before = described(world, arn)
    world.clock.advance(1)
    world.client.update_flywheel(FlywheelArn=flywheel, DataAccessRoleArn=DENIED_ROLE)
    assert described(world, arn) == before


def test_units_are_changed(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel, model = trained(world)
    arn = serving(world, FlywheelArn=flywheel)
    world.set(endpoint_update_seconds=10)
    assert "DesiredModelArn" not in world.client.update_endpoint(EndpointArn=arn, DesiredInferenceUnits=3)
    during = described(world, arn)
    assert (during["Status"], during["CurrentInferenceUnits"], during["DesiredInferenceUnits"]) == ("UPDATING", 1, 3)
    for change in ({"DesiredInferenceUnits": 4}, {"DesiredModelArn": model}):
        with refused("ResourceInUseException"):
            world.client.update_endpoint(EndpointArn=arn, **change)
    world.clock.advance(10)
    after = settled(world, arn)
    assert (after["CurrentInferenceUnits"], after["DesiredInferenceUnits"]) == (3, 3)
    assert (after["ModelArn"], after["FlywheelArn"]) == (model, flywheel)


def test_model_pins_an_endpoint_and_a_flywheel_binds_it(world: World) -> None:
    flywheel, first = trained(world)
    second = mistaken(world, flywheel)
    arn = serving(world, FlywheelArn=flywheel)
    assert world.client.update_endpoint(EndpointArn=arn, DesiredModelArn=first)["DesiredModelArn"] == first
    assert "FlywheelArn" not in settled(world, arn)
    world.promote(flywheel, second)
    assert (described(world, arn)["Status"], described(world, arn)["ModelArn"]) == ("IN_SERVICE", first)
    bound = world.client.update_endpoint(
        EndpointArn=arn, FlywheelArn=flywheel, DesiredModelArn=second, DesiredDataAccessRoleArn=ROLE
    )
    assert bound["DesiredModelArn"] == second
    after = settled(world, arn)
    assert (after["ModelArn"], after["FlywheelArn"], after["DataAccessRoleArn"]) == (second, flywheel, ROLE)
    world.promote(flywheel, first)
    until(lambda: described(world, arn)["ModelArn"] == first)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "InvalidRequestException"),
        ({"DesiredInferenceUnits": 51}, "ResourceLimitExceededException"),
        ({"DesiredModelArn": f"{PREFIX}:document-classifier/none/version/1"}, "ResourceNotFoundException"),
        ({"FlywheelArn": f"{PREFIX}:flywheel/none"}, "ResourceNotFoundException"),
        ({"FlywheelArn": f"{PREFIX}:flywheel/new"}, "ResourceUnavailableException"),
        (
            {"FlywheelArn": f"{PREFIX}:flywheel/news", "DesiredModelArn": f"{PREFIX}:document-classifier/m"},
            "InvalidRequestException",
        ),
        ({"EndpointArn": f"{ARN}0", "DesiredInferenceUnits": 2}, "ResourceNotFoundException"),
        ({"EndpointArn": f"{PREFIX}:entity-recognizer-endpoint/live"}, "ResourceNotFoundException"),
    ],
)
def test_updates_that_change_nothing(world: World, changes: dict[str, Any], code: str) -> None:
    _, model = trained(world)
    world.flywheel("new")
    before = described(world, serving(world, ModelArn=model))
    with refused(code):
        world.client.update_endpoint(**{"EndpointArn": ARN, **changes})
    assert described(world, ARN) == before


@pytest.mark.parametrize(("reading", "with_model"), [("flywheel_alone", True), ("flywheel_with_model", False)])
def test_what_an_endpoint_is_moved_by_can_be_switched(
    make_world: Callable[..., World], reading: str, with_model: bool
) -> None:
    world = make_world(endpoint_moves_by=reading)
    flywheel, model = trained(world)
    arn = serving(world, ModelArn=model)
    changes: dict[str, Any] = {"EndpointArn": arn, "FlywheelArn": flywheel}
    given: dict[str, Any] = {"DesiredModelArn": model}
    with refused("InvalidRequestException"):
        world.client.update_endpoint(**changes, **(given if with_model else {}))
    world.client.update_endpoint(**changes, **({} if with_model else given))
    assert settled(world, arn)["FlywheelArn"] == flywheel
