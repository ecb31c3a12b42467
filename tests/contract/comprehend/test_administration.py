from __future__ import annotations

from tests.contract.comprehend_world import ACCOUNT, REGION, World
from tests.contract.error_codes import refused


def test_settings_are_merged(world: World) -> None:
    _, before = world.administration("GET", "settings")
    status, after = world.administration("PUT", "settings", {"first_model_becomes_active": True})
    assert status == 200
    assert after == {**before, "first_model_becomes_active": True}
    assert world.administration("GET", "settings") == (200, after)


def test_unusable_settings_change_nothing(world: World) -> None:
    before = world.administration("GET", "settings")
    for wrong in (
        {"minimum_per_label": "sometimes"},
        {"unknown": 1},
        {"second_iteration_error": "KmsKeyValidationException"},
    ):
        status, content = world.administration("PUT", "settings", wrong)
        assert status == 400
        assert next(iter(wrong)) in content["error"]
    assert world.administration("GET", "settings") == before


def test_calls_are_logged_with_their_outcome(world: World) -> None:
    world.client.list_flywheels(MaxResults=7)
    with refused("InvalidRequestException"):
        world.client.describe_flywheel(FlywheelArn="news")
    _, log = world.administration("GET", "calls")
    common = {"time": world.clock.now(), "account": ACCOUNT, "region": REGION}
    assert log["calls"] == [
        {"operation": "ListFlywheels", "request": {"MaxResults": 7}, "outcome": "ok", **common},
        {
            "operation": "DescribeFlywheel",
            "request": {"FlywheelArn": "news"},
            "outcome": "InvalidRequestException",
            **common,
        },
    ]
    _, of_one = world.administration("GET", "calls?operation=ListFlywheels")
    assert of_one["calls"] == log["calls"][:1]
    world.administration("DELETE", "calls")
    assert world.administration("GET", "calls") == (200, {"calls": []})


def test_what_is_not_there(world: World) -> None:
    for method, path in (("GET", "nothing"), ("DELETE", "settings")):
        status, content = world.administration(method, path)
        assert status == 404
        assert path in content["error"]
