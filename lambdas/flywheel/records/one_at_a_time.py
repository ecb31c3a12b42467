"""State machine executions that run one at a time: turns, and promotions.

An object in the intake bucket holds the number N of the current execution. StartExecution, called with a name made of
N and a constant input, starts a new execution, returns the running one, or says that a closed one exists. Only in the
last case N+1 is written and started. ListExecutions and DescribeExecution are not used: both are eventually consistent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.store.record import Record

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from flywheel.faults.errors import NotCurrent
    from flywheel.store.bucket import IntakeBucket

EXECUTION_INPUT = "{}"
"""Constant, because StartExecution returns a running execution only for the same input."""
_NAME_REUSE = timedelta(days=60)
"""Step Functions forgets the name of a closed execution after 90 days: StartExecution would start it again. From 60
days on the record of its end counts instead."""
_ATTEMPTS = 5


class Current(Record):
    """The record at a series' `current_key`."""

    number: int
    machine: str = ""
    """ARN of the state machine that runs it. A replaced state machine has another ARN, and knows none of these
    executions."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """The numbered executions of one state machine."""

    word: str
    """How the names of the executions begin."""
    folder: str
    """Prefix in the intake bucket; ends in a slash."""
    error: type[NotCurrent]
    """What a step of an execution that is not the current one raises."""

    @property
    def current_key(self) -> str:
        return f"{self.folder}current"

    def name_of(self, number: int) -> str:
        return f"{self.word}-{number:06d}"

    def number_of(self, name: str) -> int | None:
        """None if it is not the name of an execution of this series."""
        match = re.fullmatch(rf"{self.word}-(\d{{6,}})", name)
        return int(match[1]) if match else None

    def folder_of(self, name: str) -> str:
        return f"{self.folder}{name}/"

    def current_number(self, intake: IntakeBucket) -> int:
        """0 before the first execution."""
        current = intake.read(self.current_key, Current)
        return current.number if current else 0

    def require_current(self, intake: IntakeBucket, name: str) -> None:
        """Raises the series' error. Every step that changes something calls this first."""
        number = self.current_number(intake)
        if self.number_of(name) != number:
            raise self.error(name=name, current=self.name_of(number) if number else None)


class Starter:
    """Starts the executions of a series, one at a time."""

    def __init__(
        self,
        *,
        series: Series,
        ended_at: Callable[[str], datetime | None],
        intake: IntakeBucket,
        stepfunctions: SFNClient,
        machine_arn: str,
    ) -> None:
        """`ended_at` gives the time when the execution of this name ended; None without a record of it."""
        self._series = series
        self._ended_at = ended_at
        self._intake = intake
        self._stepfunctions = stepfunctions
        self._machine_arn = machine_arn

    def start(self, now: datetime) -> str:
        """Start the current execution, or the next if it is closed; leave a running one alone. Returns its name."""
        series = self._series
        for _ in range(_ATTEMPTS):
            found = self._intake.read_with_etag(series.current_key, Current)
            if found is None:
                self._intake.write_once(series.current_key, self._current(1))
                continue
            current, etag = found
            name = series.name_of(current.number)
            of_this_machine = current.machine == self._machine_arn
            if of_this_machine and not self._long_closed(name, now) and self._start_execution(name):
                return name
            # Another invocation may write the number first: then the next round starts, or finds, its execution.
            self._intake.write_if_unchanged(series.current_key, self._current(current.number + 1), etag)
        number = series.current_number(self._intake)
        raise series.error(name=f"the next {series.word}", current=series.name_of(number))

    def _current(self, number: int) -> Current:
        return Current(number=number, machine=self._machine_arn)

    def _start_execution(self, name: str) -> bool:
        """False: an execution of that name is closed."""
        try:
            self._stepfunctions.start_execution(stateMachineArn=self._machine_arn, name=name, input=EXECUTION_INPUT)
        except self._stepfunctions.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def _long_closed(self, name: str, now: datetime) -> bool:
        ended = self._ended_at(name)
        return ended is not None and now - ended > _NAME_REUSE
