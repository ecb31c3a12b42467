from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.contract.comprehend_world import World
from tests.contract.error_codes import refused
from tests.contract.waiting import until


def add(world: World, **fault: Any) -> None:
    status, content = world.administration("POST", "faults", fault)
    assert status == 200, content


def outcomes(world: World, count: int) -> str:
    """One letter a ListFlywheels call: ``.`` answered, ``x`` refused."""
    marks = ""
    for _ in range(count):
        try:
            world.client.list_flywheels()
            marks += "."
        except world.client.exceptions.ClientError:
            marks += "x"
    return marks


def test_every_third_call_is_throttled(world: World) -> None:
    add(world, operation="*", kind="throttle", every=3)
    assert outcomes(world, 7) == "..x..x."
    with refused("ThrottlingException") as refusal:
        world.client.list_datasets()
        world.client.list_datasets()
    assert refusal.status == 400


def test_fault_ends_after_its_times(world: World) -> None:
    add(world, operation="ListFlywheels", kind="fail", times=2)
    assert outcomes(world, 4) == "xx.."
    assert world.administration("GET", "faults")[1]["faults"][0]["struck"] == 2


def test_fault_of_one_operation_spares_the_others(world: World) -> None:
    add(world, operation="ListDatasets", kind="fail", code="TooManyRequestsException", message="slow down")
    assert outcomes(world, 2) == ".."
    with refused("TooManyRequestsException") as refusal:
        world.client.list_datasets()
    assert (refusal.status, refusal.message) == (429, "slow down")
    world.administration("DELETE", "faults")
    world.client.list_datasets()
    assert world.administration("GET", "faults") == (200, {"faults": []})


def test_failure_is_an_internal_error_unless_said(world: World) -> None:
    add(world, operation="ListFlywheels", kind="fail")
    with refused("InternalServerException") as refusal:
        world.client.list_flywheels()
    assert refusal.status == 500


def test_lost_response_takes_effect(world: World) -> None:
    flywheel = world.flywheel()
    add(world, operation="StartFlywheelIteration", kind="lose_response", times=1)
    with refused("InternalServerException"):
        world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    history = world.client.list_flywheel_iteration_history(FlywheelArn=flywheel)
    assert len(history["FlywheelIterationPropertiesList"]) == 1


def test_delay_answers_all_the_same(world: World) -> None:
    add(world, operation="ListFlywheels", kind="delay", seconds=0.01)
    assert outcomes(world, 1) == "."
    assert world.administration("GET", "faults")[1]["faults"][0]["struck"] == 1


def test_delayed_update_takes_effect_after_its_caller_is_gone(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "one")
    model = world.iterate(flywheel)["TrainedModelArn"]
    add(world, operation="UpdateFlywheel", kind="delay", seconds=0.5, times=1)
    with pytest.raises(ReadTimeoutError):
        world.client_of(patience=0.05).update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    assert "ActiveModelArn" not in world.flywheel_properties(flywheel)
    until(lambda: world.flywheel_properties(flywheel).get("ActiveModelArn") == model)


def test_next_model_is_trained_with_a_warning_and_can_be_used(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "one")
    add(world, resource="model", kind="warn", message="Few documents of SPORTS.", times=1)
    iteration = world.iterate(flywheel)
    assert iteration["Status"] == "COMPLETED"
    model = world.model_properties(iteration["TrainedModelArn"])
    assert (model["Status"], model["Message"]) == ("TRAINED_WITH_WARNING", "Few documents of SPORTS.")
    assert model["ClassifierMetadata"]["NumberOfTrainedDocuments"] > 0
    world.promote(flywheel, iteration["TrainedModelArn"])
    world.dataset(flywheel, "two")
    second = world.model_properties(world.iterate(flywheel)["TrainedModelArn"])
    assert second["Status"] == "TRAINED"
    assert "Message" not in second


def test_next_dataset_fails(world: World) -> None:
    flywheel = world.flywheel()
    add(world, resource="dataset", message="Out of luck.", times=1)
    failed = world.dataset(flywheel, "one")
    assert (failed["Status"], failed["Message"]) == ("FAILED", "Out of luck.")
    assert world.dataset(flywheel, "two")["Status"] == "COMPLETED"


def test_next_iteration_fails_and_its_data_are_new_to_the_one_after(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "one")
    add(world, resource="iteration", message="Out of luck.", times=1)
    failed = world.iterate(flywheel)
    assert (failed["Status"], failed["Message"]) == ("FAILED", "Out of luck.")
    assert "TrainedModelArn" in world.iterate(flywheel)


def test_next_flywheel_fails(world: World) -> None:
    add(world, resource="flywheel", message="Out of luck.", times=1)
    failed = world.flywheel_properties(world.flywheel())
    assert (failed["Status"], failed["Message"]) == ("FAILED", "Out of luck.")


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"operation": "*", "resource": "dataset"},
        {"resource": "dataset", "kind": "throttle"},
        {"resource": "dataset", "kind": "warn"},
        {"resource": "model", "kind": "fail"},
        {"operation": "*", "kind": "warn"},
        {"operation": "*", "kind": "explode"},
        {"operation": "*", "every": 0},
        {"operation": "*", "unknown": 1},
    ],
)
def test_unusable_fault_is_refused(world: World, fault: dict[str, Any]) -> None:
    status, content = world.administration("POST", "faults", fault)
    assert status == 400
    assert content["error"]
