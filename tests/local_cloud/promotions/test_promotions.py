"""The deployed promote machine: what people answer, ask for, edit and break, and what becomes active."""

from __future__ import annotations

import json

import pytest

from flywheel.promotions import requests, start_promotion
from flywheel.records import promotions
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionSource, PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from local.cloud import LocalCloud
from ops.verbs import approve as answer
from tests.local_cloud.people import mislabelled, operator
from tests.local_cloud.pipeline import CONTEXT, LONG, NAME, Document, Pipeline, documents, paused
from tests.local_cloud.resources import Aws, Shell, Synthesise, create_queue, lets_send, messages, until

DESIRED = f"/comprehend-flywheel/{NAME}/desired-model-arn"


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    """One with two models, of which the poor one is active, and where a person has to agree to every better one."""
    pipeline = Pipeline.deploy(
        cloud.account("100000000005"), synthesise(context=CONTEXT), MinimumScore="0", PromotionMode="APPROVAL"
    )
    with paused(pipeline):
        pipeline.upload("test/test.csv", documents(20))
    first = turn(pipeline, mislabelled(documents(50)))
    if first.promotion is not None and not first.promotion.status.made_active:
        approve(pipeline)
        pipeline.promotion_of(first)
    better = turn(pipeline, documents(50))
    assert better.decision is DecisionKind.PROMOTE, better.reasons
    pipeline.waits()
    answer.decline(pipeline.as_person("Approvers"), better.turn, reason="a better one comes")
    pipeline.promotion_of(better)
    pipeline.at_rest()
    return pipeline


# What a turn decided.


def test_a_person_approves_with_the_command_that_the_notification_gives(pipeline: Pipeline, shell: Shell) -> None:
    former = back_to_a_poor_model(pipeline)
    bus = events_of_the_bus(pipeline)
    record = turn(pipeline, documents(60))
    assert record.decision is DecisionKind.PROMOTE, record.reasons
    waiting = pipeline.waits()
    assert waiting.beginning.request
    assert waiting.beginning.request.turn == record.turn
    assert pipeline.active_model() == former
    question = heard(pipeline, f"{record.turn}: a promotion waits for approval")
    assert "Better: " in question
    assert shell(pipeline.account, line_with(question, "send-task-success")) == 0
    promotion = pipeline.promotion_of(record)
    assert (promotion.status, promotion.answered_by) == (PromotionStatus.PROMOTED, "your name"), promotion.reason
    assert record.candidate
    assert pipeline.active_model() == promotion.model_arn == record.candidate.arn
    assert promotion.former_model_arn == former
    pipeline.at_rest()
    assert pipeline.published() == {
        "active-model-arn": promotion.model_arn,
        "desired-model-arn": promotion.model_arn,
        "previous-model-arn": former,
    }
    [event] = until(lambda: messages(pipeline.account, bus), patience=LONG)
    assert (event["source"], event["detail-type"]) == ("comprehend.flywheel", "Model Promoted")
    assert event["detail"]["modelArn"] == promotion.model_arn
    assert event["detail"]["formerModelArn"] == former
    assert event["detail"]["turn"] == record.turn


def test_a_person_declines_and_nothing_changes(pipeline: Pipeline, shell: Shell) -> None:
    poor = back_to_a_poor_model(pipeline)
    record = turn(pipeline, documents(50))
    pipeline.waits()
    question = heard(pipeline, f"{record.turn}: a promotion waits for approval")
    no = line_with(question, "send-task-failure").replace("the reason", "not before the release")
    assert shell(pipeline.account, no) == 0
    promotion = pipeline.promotion_of(record)
    assert (promotion.status, promotion.reason) == (PromotionStatus.DECLINED, "not before the release")
    assert pipeline.at_rest(serves=poor)
    assert "declined" in heard(pipeline, "declined")
    assert shell(pipeline.account, line_with(question, "send-task-success")) != 0, "an answer counted twice"
    assert pipeline.active_model() == poor


def test_a_wish_of_a_person_supersedes_the_candidate_that_waits(pipeline: Pipeline) -> None:
    back_to_a_poor_model(pipeline)
    first = turn(pipeline, documents(50))
    waiting = pipeline.waits()
    operator(pipeline, str(waiting.beginning.request and waiting.beginning.request.decided_against), "operator-noop")
    promotion = pipeline.promotion_of(first)
    assert promotion.status is PromotionStatus.SUPERSEDED
    assert pipeline.ended("operator-noop").status is PromotionStatus.ALREADY_ACTIVE
    pipeline.at_rest()


def test_nobody_answers_in_time(pipeline: Pipeline, synthesise: Synthesise) -> None:
    poor = back_to_a_poor_model(pipeline)
    pipeline.deploy_again(synthesise(context=CONTEXT), ApprovalHours="0")
    record = turn(pipeline, documents(50))
    assert pipeline.promotion_of(record).status is PromotionStatus.NOT_ANSWERED
    pipeline.deploy_again(synthesise(context=CONTEXT), ApprovalHours="72")
    assert pipeline.at_rest(serves=poor)


# What people do.


def test_an_edit_of_the_desired_model_brings_an_earlier_one_back(pipeline: Pipeline, aws: Aws) -> None:
    former, chosen = str(pipeline.active_model()), another_model(pipeline)
    aws(pipeline.account, "ssm", "put-parameter", "--name", DESIRED, "--value", chosen, "--overwrite")
    until(lambda: pipeline.active_model() == chosen, patience=LONG)
    pipeline.at_rest()
    assert pipeline.published()["previous-model-arn"] == former
    current = promotions.name_of(promotions.current_number(pipeline.deployment.intake))
    record = pipeline.deployment.intake.require(promotions.record_key(current), Promotion)
    assert (record.source, record.status) == (PromotionSource.PARAMETER, PromotionStatus.PROMOTED)


def test_an_edit_whose_event_is_lost_is_found_by_the_schedule(pipeline: Pipeline) -> None:
    chosen = another_model(pipeline)
    events = pipeline.account.client("events")
    rule = next(rule["Name"] for rule in events.list_rules()["Rules"] if "DesiredModel" in rule["Name"])
    events.disable_rule(Name=rule)
    pipeline.account.client("ssm").put_parameter(Name=DESIRED, Value=chosen, Overwrite=True)
    events.enable_rule(Name=rule)
    pipeline.send_promotion(json.dumps({"poke": start_promotion.Poke.SCHEDULE}))
    until(lambda: pipeline.active_model() == chosen, patience=LONG)
    pipeline.at_rest()


def test_an_edit_that_names_no_model_is_refused_and_told(pipeline: Pipeline) -> None:
    active = pipeline.active_model()
    pipeline.account.client("ssm").put_parameter(Name=DESIRED, Value="yesterday's model", Overwrite=True)
    text = heard(pipeline, "refused")
    assert "yesterday's model" in text
    assert pipeline.active_model() == active
    # It stays refused, however often the schedule comes by.
    before = promotions.current_number(pipeline.deployment.intake)
    pipeline.send_promotion(json.dumps({"poke": start_promotion.Poke.SCHEDULE}))
    pipeline.await_promotions()
    assert promotions.current_number(pipeline.deployment.intake) == before
    pipeline.account.client("ssm").put_parameter(Name=DESIRED, Value=str(active), Overwrite=True)
    pipeline.at_rest()


def test_a_rolled_back_model_does_not_come_again_by_itself(pipeline: Pipeline) -> None:
    former, chosen = str(pipeline.active_model()), another_model(pipeline)
    operator(pipeline, chosen, "operator-back")
    assert pipeline.ended("operator-back").status is PromotionStatus.PROMOTED
    record = pipeline.turn_now()
    assert (record.outcome, record.decision) == (TurnOutcome.SUCCEEDED, DecisionKind.NOTHING)
    pipeline.at_rest()
    assert pipeline.active_model() == chosen != former


def test_a_change_in_the_console_is_noticed_by_the_schedule_and_kept(pipeline: Pipeline) -> None:
    chosen = another_model(pipeline)
    before = pipeline.current
    pipeline.account.client("comprehend").update_flywheel(
        FlywheelArn=pipeline.deployment.flywheel_arn, ActiveModelArn=chosen
    )
    pipeline.send(json.dumps({"poke": "schedule"}))
    record = pipeline.recorded(pipeline.next_turn(before))
    assert chosen in (record.changed_outside or "")
    pipeline.at_rest()
    assert pipeline.active_model() == chosen


# What breaks.


def test_a_promotion_that_dies_between_the_update_and_parameter_store_is_finished(pipeline: Pipeline) -> None:
    former, chosen, before = str(pipeline.active_model()), another_model(pipeline), pipeline.current
    functions, publish = pipeline.account.client("lambda"), pipeline.functions["publish_model"]
    functions.put_function_concurrency(FunctionName=publish, ReservedConcurrentExecutions=0)
    operator(pipeline, chosen, "operator-killed")
    until(lambda: pipeline.active_model() == chosen, patience=LONG)
    stop_promotion(pipeline)
    functions.delete_function_concurrency(FunctionName=publish)
    end = pipeline.ended("operator-killed")
    assert end.status.made_active
    assert pipeline.at_rest().turn == before, "it was taken for a change from outside"
    assert pipeline.published()["previous-model-arn"] == former


def test_a_promotion_that_is_stopped_before_it_changed_anything_is_over(pipeline: Pipeline) -> None:
    former, chosen = pipeline.active_model(), another_model(pipeline)
    functions, update = pipeline.account.client("lambda"), pipeline.functions["update_active_model"]
    functions.put_function_concurrency(FunctionName=update, ReservedConcurrentExecutions=0)
    operator(pipeline, chosen, "operator-stopped")
    until(lambda: works_on(pipeline, "operator-stopped"), patience=LONG)
    stop_promotion(pipeline)
    functions.delete_function_concurrency(FunctionName=update)
    end = pipeline.ended("operator-stopped")
    assert end.status is PromotionStatus.STOPPED
    assert "The former model stays active" in end.reason
    pipeline.at_rest()
    assert pipeline.active_model() == former


def test_two_wishes_at_the_same_moment_are_one_after_the_other(pipeline: Pipeline) -> None:
    chosen = another_model(pipeline)
    active = str(pipeline.active_model())
    for number, model in enumerate((active, chosen)):
        operator(pipeline, model, f"operator-both-{number}", poke=False)
    for _ in range(3):
        pipeline.send_promotion(json.dumps({"poke": "operator"}))
    ends = [pipeline.ended(f"operator-both-{number}").status for number in range(2)]
    assert ends[1] is PromotionStatus.PROMOTED
    assert ends[0] in {PromotionStatus.SUPERSEDED, PromotionStatus.ALREADY_ACTIVE}
    pipeline.at_rest()
    assert pipeline.active_model() == chosen


def test_old_models_are_deleted_but_none_that_is_needed(pipeline: Pipeline, synthesise: Synthesise) -> None:
    pipeline.deploy_again(synthesise(context=CONTEXT), ModelsToKeep="1")
    record = turn(pipeline, documents(50))
    assert record.deleted_models.deleted
    left = set(models(pipeline))
    assert not left & set(record.deleted_models.deleted)
    assert {record.candidate.arn if record.candidate else "", *pipeline.published().values()} <= left
    pipeline.deploy_again(synthesise(context=CONTEXT), ModelsToKeep="1000")
    if record.decision is DecisionKind.PROMOTE:
        approve(pipeline)
        pipeline.promotion_of(record)
    pipeline.at_rest()


# Their hands.


def turn(pipeline: Pipeline, rows: list[Document]) -> TurnRecord:
    """The record of the turn that takes these training documents, as it was first written."""
    before = pipeline.current
    pipeline.upload("train/rows.csv", rows)
    return pipeline.recorded(pipeline.next_turn(before))


def models(pipeline: Pipeline) -> list[str]:
    """All versions there are, oldest first."""
    pages = pipeline.account.client("comprehend").get_paginator("list_document_classifiers").paginate()
    found = [model for page in pages for model in page["DocumentClassifierPropertiesList"]]
    left = [model for model in found if model["Status"] != "DELETING"]
    return [model["DocumentClassifierArn"] for model in sorted(left, key=lambda model: model["SubmitTime"])]


def another_model(pipeline: Pipeline) -> str:
    """The newest that is not active."""
    active = pipeline.active_model()
    return next(model for model in reversed(models(pipeline)) if model != active)


def back_to_a_poor_model(pipeline: Pipeline) -> str:
    """Make the first model active again: whatever a turn trains is better."""
    first = models(pipeline)[0]
    number = promotions.current_number(pipeline.deployment.intake)
    operator(pipeline, first, f"operator-poor-{number}")
    pipeline.ended(f"operator-poor-{number}")
    pipeline.at_rest()
    return first


def approve(pipeline: Pipeline) -> None:
    """With the rights of an approver and no others."""
    request = pipeline.waits().beginning.request
    assert request
    answer.approve(pipeline.as_person("Approvers"), request.turn or request.id)


def running_promotion(pipeline: Pipeline) -> str | None:
    """The ARN of the execution, once one runs."""
    listed = pipeline.account.client("stepfunctions").list_executions(
        stateMachineArn=pipeline.deployment.published.promotion_machine_arn, statusFilter="RUNNING"
    )["executions"]
    return str(listed[0]["executionArn"]) if listed else None


def works_on(pipeline: Pipeline, request_id: str) -> bool:
    """Whether the current promotion has begun with this request."""
    beginning = requests.current_beginning(pipeline.deployment.intake)
    return beginning is not None and beginning.request is not None and beginning.request.id == request_id


def stop_promotion(pipeline: Pipeline) -> None:
    pipeline.account.client("stepfunctions").stop_execution(executionArn=str(running_promotion(pipeline)))


def events_of_the_bus(pipeline: Pipeline) -> str:
    """URL of a queue that gets the events of promotions, as anybody may have one."""
    url, arn = create_queue(pipeline.account, lets_in=[lets_send("events.amazonaws.com")])
    events = pipeline.account.client("events")
    pattern = {"source": ["comprehend.flywheel"], "detail-type": ["Model Promoted"]}
    events.put_rule(Name="model-promoted", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="model-promoted", Targets=[{"Id": "queue", "Arn": arn}])
    return url


def heard(pipeline: Pipeline, words: str) -> str:
    """The newest notification that has these words."""

    def find() -> str | None:
        pipeline.listen()
        return next((text for text in reversed(pipeline.heard) if words in text), None)

    return until(find, patience=LONG)


def line_with(text: str, words: str) -> str:
    return next(line for line in text.splitlines() if words in line)
