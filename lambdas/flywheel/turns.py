"""One turn at a time: `turns/current` holds the number of the current turn, and a turn is an execution of that name.

StartExecution with the same name and input starts a new execution, returns a running one, or says that a closed one
exists; so nothing has to be listed or described, both of which lag behind.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.errors import NotCurrentTurn
from flywheel.records import Record, TurnRecord

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from flywheel.intake import IntakeBucket

CURRENT_KEY = "turns/current"
EXECUTION_INPUT = "{}"
"""Constant, because StartExecution returns a running execution only for the same input."""
_NAME = re.compile(r"turn-(\d{6,})")
_NAME_REUSE = timedelta(days=60)
"""Step Functions forgets a closed execution's name after 90 days; from here on the record is trusted instead."""
_ATTEMPTS = 5


class CurrentTurn(Record):
    turn: int


def name_of(number: int) -> str:
    return f"turn-{number:06d}"


def number_of(name: str) -> int | None:
    """None if it is not the name of a turn."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def folder(turn: str) -> str:
    return f"turns/{turn}/"


def begin_key(turn: str) -> str:
    return f"{folder(turn)}begin.json"


def record_key(turn: str) -> str:
    return f"{folder(turn)}turn.json"


def page_key(turn: str) -> str:
    """The record as a page for people."""
    return f"{folder(turn)}index.html"


def current_number(intake: IntakeBucket) -> int:
    """0 before the first turn."""
    current = intake.read(CURRENT_KEY, CurrentTurn)
    return current.turn if current else 0


def require_current(intake: IntakeBucket, turn: str) -> None:
    """Raises NotCurrentTurn. Every step that changes something calls this first."""
    number = current_number(intake)
    if number_of(turn) != number:
        raise NotCurrentTurn(turn=turn, current=name_of(number) if number else None)


class TurnStarter:
    def __init__(self, *, intake: IntakeBucket, stepfunctions: SFNClient, machine_arn: str) -> None:
        self._intake = intake
        self._stepfunctions = stepfunctions
        self._machine_arn = machine_arn

    def start(self, now: datetime) -> str:
        """Start the current turn, or the next one if it is closed; a running one stays. Returns the turn's name."""
        for _ in range(_ATTEMPTS):
            found = self._intake.read_with_etag(CURRENT_KEY, CurrentTurn)
            if found is None:
                self._intake.write_once(CURRENT_KEY, CurrentTurn(turn=1))
                continue
            current, etag = found
            turn = name_of(current.turn)
            if not self._long_closed(turn, now) and self._start_execution(turn):
                return turn
            # Another invocation may write the same number first: then the next round starts, or finds, that turn.
            self._intake.write_if_unchanged(CURRENT_KEY, CurrentTurn(turn=current.turn + 1), etag)
        raise NotCurrentTurn(turn="the next turn", current=name_of(current_number(self._intake)))

    def _start_execution(self, turn: str) -> bool:
        """False: an execution of that name is closed."""
        try:
            self._stepfunctions.start_execution(stateMachineArn=self._machine_arn, name=turn, input=EXECUTION_INPUT)
        except self._stepfunctions.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def _long_closed(self, turn: str, now: datetime) -> bool:
        record = self._intake.read(record_key(turn), TurnRecord)
        return record is not None and now - record.ended_at > _NAME_REUSE
