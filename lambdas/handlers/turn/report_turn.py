"""Reports the end of a turn: as its last step, or for a status event of an execution that did not reach it."""

from __future__ import annotations

from flywheel.environment import Flywheel, Intake
from flywheel.records.turns import TurnBeginning, TurnOutcome, TurnRecord, begin_key, number_of, record_key
from flywheel.turn import metrics, report_turn
from handlers.clients import client, intake_bucket
from handlers.clock import now
from handlers.measuring import emit
from handlers.observability import logger
from handlers.status_event import StatusEvent, handles_end
from handlers.turn.events import TurnEnd


class Environment(Flywheel, Intake):
    topic_arn: str


def _from_status_event(execution: StatusEvent, environment: Environment) -> TurnEnd | None:
    """None if the turn reported its own end, or the execution is no turn."""
    turn, outcome = execution.name, TurnOutcome(execution.status)
    if number_of(turn) is None:
        return None
    record = intake_bucket(environment).read(record_key(turn), TurnRecord)
    if record is not None and record.ended_at >= execution.began and outcome in {TurnOutcome.FAILED, record.outcome}:
        return None
    if record is not None and record.outcome is TurnOutcome.SUCCEEDED and execution.is_older_than(record.ended_at):
        # An event that comes late, of a turn that was stopped and redriven.
        return None
    return TurnEnd(turn=turn, outcome=outcome, error=execution.error, cause=execution.cause)


@handles_end(TurnEnd, Environment, from_status_event=_from_status_event)
def handler(end: TurnEnd, environment: Environment) -> None:
    intake = intake_bucket(environment)
    record = report_turn.report_turn(
        turn=end.turn,
        outcome=end.outcome,
        error=end.error,
        cause=end.cause,
        intake=intake,
        flywheel_arn=environment.flywheel_arn,
        model_type=environment.model_type,
        now=now(),
    )
    beginning = intake.read(begin_key(end.turn), TurnBeginning)
    emit(
        metrics.of_turn(record, labels=beginning.labels if beginning else ()),
        flywheel_name=environment.flywheel_name,
    )
    client("sns").publish(
        TopicArn=environment.topic_arn,
        Subject=report_turn.subject(record, flywheel_name=environment.flywheel_name),
        Message=report_turn.message(
            record, flywheel_name=environment.flywheel_name, intake_bucket=environment.intake_bucket
        ),
    )
    logger.info("turn ended", turn=record.turn, outcome=record.outcome, decision=record.decision)
