from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tests.infrastructure.test_actions import formats
from tests.simulation.api import ACCOUNT, IMPORTER, REGION
from tests.simulation.deployment.apps import app, function, intake, machine
from tests.simulation.deployment.stack import Rule, Stack
from tests.simulation.deployment.synthesis import FLYWHEELS, IMPORTING, context_of, templates_of
from tests.simulation.deployment.templates import resolve, resolve_app

KINDS = [*FLYWHEELS, IMPORTING]


@cache
def flywheel_stack() -> Stack:
    return app()["news-flywheel"]


def rule(prefix: str, stack: Stack) -> Rule:
    return next(each for each in stack.rules if each.logical_id.startswith(prefix))


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_of_the_templates_is_resolved(kind: str) -> None:
    found = app(kind)
    assert len(found) == 3
    for name, stack in found.items():
        text = json.dumps([each.properties for each in stack.resources.values()]) + json.dumps(stack.outputs)
        assert "Fn::" not in text
        assert '{"Ref"' not in text
        assert len(stack.resources) > 0.9 * len(templates_of(kind)[name]["Resources"])


@pytest.mark.parametrize("kind", KINDS)
def test_what_points_at_something_points_at_what_is_there(kind: str) -> None:
    stacks = app(kind).values()
    roles = {each.name for stack in stacks for each in stack.roles}
    arns = {each.arn for stack in stacks for each in stack.functions}
    arns |= {each.arn for stack in stacks for each in stack.machines}
    arns |= {each.arn for stack in stacks for each in stack.queues}
    names = {each.name for stack in stacks for each in stack.functions}
    for stack in stacks:
        assert {each.role for each in stack.functions} <= roles
        assert {each.role for each in stack.machines} <= roles
        targets = [target for each in stack.rules for target in each.targets]
        assert {target.arn for target in targets} <= arns
        assert {target.dead_letters for target in targets} <= arns
        assert {target.role for target in targets if target.role} <= roles
        assert {each.queue for each in stack.event_source_mappings} <= arns
        assert {each.function for each in stack.event_source_mappings} <= names
        assert {each.dead_letters for each in stack.queues if each.dead_letters} <= arns
        assert {each.function for each in stack.custom_resources} <= arns


@pytest.mark.parametrize("kind", KINDS)
def test_the_tasks_of_the_machines_name_functions_of_the_app(kind: str) -> None:
    arns = {each.arn for stack in app(kind).values() for each in stack.functions}
    tasks = [
        task
        for stack in app(kind).values()
        for each in stack.machines
        for task in _tasks(each.definition)
        if task["Resource"].startswith("arn:aws:states:::lambda:invoke")
    ]
    assert tasks
    for task in tasks:
        called = task["Arguments"]["FunctionName"]
        assert called in arns or called.startswith("{%")


def _tasks(state: Any) -> list[dict[str, Any]]:
    match state:
        case dict():
            own = [state] if state.get("Type") == "Task" else []
            return own + [found for each in state.values() for found in _tasks(each)]
        case list():
            return [found for each in state for found in _tasks(each)]
    return []


def test_a_function() -> None:
    found = function("begin_turn")
    assert found.module == "handlers.turn.begin_turn"
    assert found.arn == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{found.name}"
    assert found.environment["FLYWHEEL_ARN"] == flywheel_stack().flywheels[0].arn
    assert found.environment["INTAKE_BUCKET"] in {each.name for each in flywheel_stack().buckets}
    assert found.log_group == "/comprehend-flywheel/news/begin_turn"
    assert function("prepare_upload").storage == 10240
    assert function("prepare_upload").timeout == 900
    assert function("report_turn").dead_letters in {each.arn for each in flywheel_stack().queues}


def test_a_machine_is_named_by_its_deployment() -> None:
    found = machine("Turn")
    assert found.name == f"news-flywheel-turn-{flywheel_stack().id.split('/')[2].split('-')[0]}"
    assert found.definition["QueryLanguage"] == "JSONata"
    assert machine("Serve").arn == f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:news-serving-serve"


def test_rules() -> None:
    uploads = rule("TriggersUploads", flywheel_stack())
    assert uploads.enabled
    assert uploads.schedule is None
    assert uploads.pattern is not None
    assert uploads.pattern["detail"]["bucket"]["name"] == [intake()]
    (target,) = uploads.targets
    assert (target.attempts, target.event_age, target.role) == (20, 3600, None)
    schedule = rule("SharingSchedule", flywheel_stack())
    assert (schedule.schedule, schedule.pattern) == ("rate(1 hour)", None)
    assert schedule.targets[0].input == '{"poke": "schedule"}'
    (wish,) = rule("TriggersWish", app()["news-serving"]).targets
    assert wish.arn == machine("Serve").arn
    assert wish.role in {each.name for each in app()["news-serving"].roles}


def test_parameters_of_the_template_reach_what_depends_on_them() -> None:
    template = templates_of("classifier")["news-flywheel"]
    given = {"TriggerOnUpload": "false", "TurnSchedule": "rate(2 hours)", "NotificationEmail": "a@example.com"}
    found = resolve(template, name="news-flywheel", account=ACCOUNT, parameters=given)
    assert not rule("TriggersUploads", found).enabled
    assert rule("SharingSchedule", found).schedule == "rate(2 hours)"
    assert found.topics[0].subscriptions == (("email", "a@example.com"),)
    assert flywheel_stack().topics[0].subscriptions == ()
    assert found.given["TurnSchedule"] == "rate(2 hours)"
    with pytest.raises(ValueError, match="TurnSchedule cannot be 'hourly'"):
        resolve(template, name="news-flywheel", account=ACCOUNT, parameters={"TurnSchedule": "hourly"})


def test_queues_and_what_takes_messages_from_them() -> None:
    queues = {each.arn: each for each in flywheel_stack().queues}
    mapping = next(each for each in flywheel_stack().event_source_mappings if "StartTurn" in each.function)
    assert mapping.function == function("start_turn").name
    assert mapping.reports_failures
    assert (mapping.concurrency, mapping.batch_size > 1) == (2, True)
    queue = queues[mapping.queue]
    assert queue.url == f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue.name}"
    assert queue.dead_letters in queues
    assert queue.receives is not None
    assert queue.visibility >= function("start_turn").timeout


def test_the_flywheel_and_what_it_publishes() -> None:
    (flywheel,) = flywheel_stack().flywheels
    assert flywheel.properties["TaskConfig"]["DocumentClassificationConfig"]["Mode"] == "MULTI_CLASS"
    assert flywheel.properties["DataAccessRoleArn"] in {each.arn for each in flywheel_stack().roles}
    published = {each.name: each.value for each in flywheel_stack().parameters}
    assert published["/comprehend-flywheel/news/flywheel-arn"] == flywheel.arn
    assert json.loads(published["/comprehend-flywheel/news/deployment"])


def test_a_stack_that_comes_later_reads_what_the_first_one_publishes() -> None:
    assert (
        function("begin_analysis").environment["INTAKE_BUCKET"] == function("begin_turn").environment["INTAKE_BUCKET"]
    )
    with pytest.raises(LookupError, match="IntakeBucket is read from Systems Manager's parameter"):
        resolve(templates_of("classifier")["news-analysis"], name="news-analysis", account=ACCOUNT)


def test_custom_resources_and_who_answers_them() -> None:
    sharing = next(each for each in flywheel_stack().custom_resources if each.type == "Custom::ModelSharing")
    assert sharing.function == function("share_model").arn
    assert sharing.properties["TrustedAccounts"] == [IMPORTER]
    (removal,) = app()["news-serving"].custom_resources
    assert removal.function == function("remove_endpoint").arn


def test_a_policy_has_its_resources_resolved_and_as_the_template_has_them() -> None:
    role = next(each for each in flywheel_stack().roles if each.name == function("register_dataset").role)
    (creating,) = (each for each in role.statements if "comprehend:CreateDataset" in each.actions)
    assert flywheel_stack().flywheels[0].arn in creating.resources
    assert all("<AWS::Region>" in text for text in creating.texts)
    (trust,) = role.trust
    assert (trust.principal, trust.actions) == ({"Service": "lambda.amazonaws.com"}, ("sts:AssumeRole",))
    known = [action for each in flywheel_stack().roles for found in each.statements for action in found.actions]
    assert all(formats(action) for action in set(known))


def test_people_are_given_managed_policies() -> None:
    names = [each.logical_id for each in flywheel_stack().managed_policies]
    for people in ("TrainingUploaders", "TestUploaders", "Operators", "Approvers", "Reviewers"):
        assert any(people in name for name in names), names


def test_policies_of_resources() -> None:
    found = app(IMPORTING)["served-import"].resource_policies
    (bus,) = (each for each in found if each.kind == "AWS::Events::EventBusPolicy")
    assert bus.of == (f"arn:aws:events:{REGION}:{IMPORTER}:event-bus/default",)
    assert bus.statements[0].principal == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    announced = rule("TriggersAnnounced", app(IMPORTING)["served-import"])
    (permission,) = (each for each in found if each.of == (function("receive_announcement", IMPORTING).arn,))
    assert permission.statements[0].conditions == {"ArnLike": {"aws:SourceArn": announced.arn}}


def test_another_generation_is_another_flywheel_in_a_stack_with_the_same_names() -> None:
    first, second = (app("classifier", generation)["news-flywheel"] for generation in (1, 2))
    assert first.flywheels[0].arn != second.flywheels[0].arn
    assert [each.arn for each in first.machines] == [each.arn for each in second.machines]
    assert {each.name for each in first.buckets} <= {each.name for each in second.buckets}
    labels = second.flywheels[0].properties["TaskConfig"]["DocumentClassificationConfig"]["Labels"]
    assert "CULTURE" in labels


def test_the_same_app_in_two_accounts_shares_no_name() -> None:
    other = resolve_app(templates_of("classifier"), account=IMPORTER)["news-flywheel"]
    assert not {each.name for each in other.buckets} & {each.name for each in flywheel_stack().buckets}


def test_settings_of_each_kind_are_those_of_a_schedule() -> None:
    assert context_of("recognizer", 2)["entity_types"] == ["PERSON", "PLACE", "WORK"]
    assert context_of("multi-label", 2)["labels"] == ["DRAMA", "THRILLER"]
    assert app("recognizer")["news-flywheel"].flywheels[0].properties["ModelType"] == "ENTITY_RECOGNIZER"
