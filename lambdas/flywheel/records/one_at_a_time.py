"""Executions of one machine that run one at a time: turns, and promotions.

One object holds the number N of the current one. StartExecution with the name of N and a constant input starts a new
execution, returns a running one, or says that a closed one exists; only then N+1 is written and started. So nothing
has to be listed or described, both of which lag behind.
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

    from flywheel.errors import NotCurrent
    from flywheel.store.bucket import IntakeBucket

EXECUTION_INPUT = "{}"
"""Constant, because StartExecution returns a running execution only for the same input."""
_NAME_REUSE = timedelta(days=60)
"""Step Functions forgets a closed execution's name after 90 days; from here on the record is trusted instead."""
_ATTEMPTS = 5


class Current(Record):
    """What stands under a series' `current_key`."""

    number: int
    machine: str = ""
    """ARN of the machine that runs it. After a new deployment it is another one, which knows none of its executions."""


@dataclass(frozen=True, kw_only=True)
class Series:
    word: str
    """Begins the names of the executions."""
    folder: str
    """Ends in a slash."""
    error: type[NotCurrent]

    @property
    def current_key(self) -> str:
        return f"{self.folder}current"

    def name_of(self, number: int) -> str:
        return f"{self.word}-{number:06d}"

    def number_of(self, name: str) -> int | None:
        """None if it is not the name of such an execution."""
        match = re.fullmatch(rf"{self.word}-(\d{{6,}})", name)
        return int(match[1]) if match else None

    def folder_of(self, name: str) -> str:
        return f"{self.folder}{name}/"

    def current_number(self, intake: IntakeBucket) -> int:
        """0 before the first."""
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
        """`ended_at` gives the moment when the execution of this name ended, None if it is not recorded."""
        self._series = series
        self._ended_at = ended_at
        self._intake = intake
        self._stepfunctions = stepfunctions
        self._machine_arn = machine_arn

    def start(self, now: datetime) -> str:
        """Start the current one, or the next one if it is closed; a running one stays. Returns its name."""
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
            # Another invocation may write the same number first: then the next round starts, or finds, that one.
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
