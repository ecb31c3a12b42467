"""What the pipeline does with promotions, done by a test: no functions are deployed."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flywheel.promotions import ask_for_approval, report_promotion
from flywheel.records import promotions
from flywheel.records import turns as turn_keys
from flywheel.records.decisions import Decision, DecisionKind, Metrics, ModelScore, decision_key
from flywheel.records.one_at_a_time import Current
from flywheel.records.promotions import (
    Promotion,
    PromotionBeginning,
    PromotionRequest,
    PromotionSource,
    PromotionStatus,
)
from local.cloud import CloudAccount
from ops.deployment.published import Deployment
from tests.local_cloud.ops import ops_stack
from tests.local_cloud.resources import until

NAME = "undo"
PREFIX = f"/comprehend-flywheel/{NAME}/"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NUMBERS = itertools.count(10, 10)
"""Promotions of different tests share the machine, where a name is used once."""
CANDIDATE = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/undo/version/candidate"


def train(deployment: Deployment, documents: int) -> str:
    comprehend, intake = deployment.clients.comprehend, deployment.intake
    lines = [f"{label},document {n} of {label.lower()}" for label in ops_stack.LABELS for n in range(documents)]
    intake.write_text(f"data/{documents}/train.csv", "\n".join(lines))
    source = {"S3Uri": f"s3://{intake.name}/data/{documents}/"}
    dataset = comprehend.create_dataset(
        FlywheelArn=deployment.flywheel_arn,
        DatasetName=f"train-{documents}",
        DatasetType="TRAIN",
        InputDataConfig={"DataFormat": "COMPREHEND_CSV", "DocumentClassifierInputDataConfig": source},  # type: ignore[typeddict-item]  # a plain dict
    )["DatasetArn"]
    until(lambda: comprehend.describe_dataset(DatasetArn=dataset)["DatasetProperties"]["Status"] == "COMPLETED")
    iteration = comprehend.start_flywheel_iteration(FlywheelArn=deployment.flywheel_arn)["FlywheelIterationId"]

    def trained() -> str | None:
        found = deployment.service.iteration(iteration)
        return found.trained.arn if found.trained and not found.status.running else None

    return until(trained, patience=120)


def taken_out(account: CloudAccount, queue: str) -> list[Any]:
    sqs = account.client("sqs")
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]


def pokes(deployed: CloudAccount, deployment: Deployment) -> list[Any]:
    return taken_out(deployed, deployment.published.promotion_queue_url)


def request_of_turn(
    deployment: Deployment,
    *,
    turn: str | None = "turn-000003",
    request_id: str = "20261121T120000Z",
    model: str = CANDIDATE,
    at: datetime = NOW,
) -> PromotionRequest:
    """What a turn that decided to promote leaves."""
    request = PromotionRequest(
        id=request_id,
        source=PromotionSource.TURN,
        model_arn=model,
        flywheel_arn=deployment.flywheel_arn,
        requested_at=at,
        by=turn or "somebody",
        reason="0.91 beats 0.88",
        turn=turn,
        iteration_id=request_id,
    )
    deployment.intake.write(promotions.request_key(request.id), request)
    if turn is not None and (number := turn_keys.number_of(turn)):
        deployment.intake.write(turn_keys.TURNS.current_key, Current(number=number))
    return request


def begin(deployment: Deployment, request: PromotionRequest | None, *, approval: bool = True) -> str:
    """What start_promotion and begin_promotion do. The name of the execution, which runs."""
    number = next(NUMBERS)
    name = promotions.name_of(number)
    deployment.intake.write(promotions.PROMOTIONS.current_key, Current(number=number))
    beginning = PromotionBeginning(promotion=name, began_at=NOW, request=request, approval=approval)
    deployment.intake.write(promotions.begin_key(name), beginning)
    deployment.clients.stepfunctions.start_execution(
        stateMachineArn=deployment.published.promotion_machine_arn, name=name, input="{}"
    )
    return name


def ask(deployed: CloudAccount, deployment: Deployment, request: PromotionRequest) -> str:
    """What ask_for_approval does besides. The name of the promotion, which waits."""
    name = begin(deployment, request)
    stack = deployed.client("cloudformation").describe_stack_resource(
        StackName=f"{NAME}-flywheel", LogicalResourceId="Asked"
    )
    queue = str(stack["StackResourceDetail"]["PhysicalResourceId"])
    token = until(
        lambda: next((said["token"] for said in taken_out(deployed, queue) if said["promotion"] == name), None)
    )
    ask_for_approval.ask_for_approval(
        promotion=name,
        task_token=token,
        patience=timedelta(hours=72),
        intake=deployment.intake,
        now=datetime.now(UTC),
    )
    return name


def end(
    deployment: Deployment,
    promotion: str,
    end_status: PromotionStatus,
    *,
    cause: str | None = None,
    answered_by: str | None = None,
) -> Promotion:
    """What report_promotion does."""
    ended = report_promotion.report_promotion(
        promotion=promotion,
        status=end_status,
        reason=report_promotion.reason_of(end_status, error=None, cause=cause),
        intake=deployment.intake,
        service=deployment.service,
        now=datetime.now(UTC),
        answered_by=answered_by,
    )
    return ended[0]


def stop(deployment: Deployment, promotion: str) -> None:
    deployment.clients.stepfunctions.stop_execution(executionArn=deployment.promotion_execution(promotion))


def entered(deployment: Deployment, promotion: str, state: str) -> Any:
    """The input of the state, once the execution has entered it."""

    def found() -> str | None:
        history = deployment.clients.stepfunctions.get_execution_history(
            executionArn=deployment.promotion_execution(promotion)
        )
        details = (event.get("stateEnteredEventDetails") for event in history["events"])
        return next((each["input"] for each in details if each and each["name"] == state), None)

    return json.loads(until(found))


def activate(deployment: Deployment, *model_arns: str) -> None:
    """Each becomes the active and published model, in this order."""
    for model_arn in model_arns:
        deployment.service.set_active_model(model_arn)
        deployment.models.publish(model_arn)


def decide(deployment: Deployment, turn: int, model: str, *, decision: DecisionKind = DecisionKind.PROMOTE) -> None:
    iteration = f"20261121T12{turn:02d}00Z"
    made = Decision(
        iteration_id=iteration,
        flywheel_arn=deployment.flywheel_arn,
        turn=turn_keys.name_of(turn),
        decided_at=NOW,
        decision=decision,
        reasons=(),
        selection_metric="F1Score",
        candidate=ModelScore(arn=model, metrics=Metrics(F1Score=0.5 + turn / 100), source="this iteration"),
    )
    deployment.intake.write(decision_key(iteration), made)
    if turn > turn_keys.current_number(deployment.intake):
        deployment.intake.write(turn_keys.TURNS.current_key, Current(number=turn))
