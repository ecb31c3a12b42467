"""The template of a flywheel that begins with an existing model."""

from __future__ import annotations

from typing import Any

from tests.infrastructure.synthesised import Synthesised, as_list, as_text, inline_statements
from tests.infrastructure.test_functions import CREATION, FUNCTIONS
from tests.infrastructure.test_interface import resource_parameter


def depended_on(stack: Synthesised, logical_id: str) -> set[str]:
    """Everything that must be there before, directly or not."""
    found: set[str] = set()
    waiting = [logical_id]
    while waiting:
        body = stack.resources[waiting.pop()].body
        before = {*as_list(body.get("DependsOn", [])), *referred(body.get("Properties", {}))} & stack.resources.keys()
        waiting += before - found
        found |= before
    return found


def referred(value: Any) -> set[str]:
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [name, _]}:
            return {name}
        case dict():
            return set().union(*map(referred, value.values()))
        case list():
            return set().union(*map(referred, value))
        case _:
            return set()


def test_the_data_access_role_may_read_what_the_model_was_trained_on_and_no_more(
    default: Synthesised, initial_model: Synthesised
) -> None:
    def granted(stack: Synthesised) -> set[tuple[str, str]]:
        role = next(found for found in stack.of_type("AWS::IAM::Role") if found.logical_id.startswith("DataAccess"))
        return {
            (action, as_text(resource))
            for statement in inline_statements(role)
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }

    bucket = "arn:<AWS::Partition>:s3:::data-of-initial-model"
    assert granted(initial_model) - granted(default) == {
        ("s3:ListBucket", bucket),
        ("s3:GetObject", f"{bucket}/train/*"),
    }


def test_all_that_works_for_it_is_there_before_it_and_all_that_uses_it_after_it(initial_model: Synthesised) -> None:
    (flywheel,) = initial_model.of_type("Custom::FlywheelWithModel")
    before = depended_on(initial_model, flywheel.logical_id)
    functions = initial_model.functions()
    assert {functions[name].logical_id for name in CREATION} <= before
    assert {"CreationCreateMachine2EA42646", "CreationStopsCreationStopped1728B7E2"} <= before
    for name in FUNCTIONS["flywheel"] - {"delete_runtime_parameters"}:
        role = initial_model.role_of(functions[name].properties["Role"])
        assert as_list(role.body["DependsOn"]) == [flywheel.logical_id]


def test_the_parameter_that_pokes_for_its_promotion_comes_after_all_that_hears_of_it(
    initial_model: Synthesised,
) -> None:
    (logical_id,) = [
        found.logical_id
        for found in initial_model.of_type("AWS::SSM::Parameter")
        if found.properties == resource_parameter(initial_model, "flywheel-arn")
    ]
    before = depended_on(initial_model, logical_id)
    (rule,) = [found for found in before if found.startswith("PromotionTriggersFlywheelCreated")]
    pattern = initial_model.resources[rule].properties["EventPattern"]
    assert pattern["detail"]["name"] == ["/comprehend-flywheel/news/flywheel-arn"]
    policies = {found.logical_id for found in initial_model.of_type("AWS::SQS::QueuePolicy")}
    mapping = {found.logical_id for found in initial_model.of_type("AWS::Lambda::EventSourceMapping")}
    assert policies <= before
    assert [found for found in mapping & before if found.startswith("PromotionTriggers")]
    assert "PromoteMachineD3A53428" in before
