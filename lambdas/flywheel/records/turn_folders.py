"""The series of turns: a turn is an execution of the turn machine, and has a folder of records of its own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.errors import NotCurrentTurn
from flywheel.records.one_at_a_time import Series, Starter
from flywheel.records.turns import TurnRecord

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from flywheel.store.bucket import IntakeBucket

TURNS = Series(word="turn", folder="turns/", error=NotCurrentTurn)

name_of = TURNS.name_of
number_of = TURNS.number_of
folder = TURNS.folder_of
current_number = TURNS.current_number
require_current = TURNS.require_current


def begin_key(turn: str) -> str:
    return f"{folder(turn)}begin.json"


def record_key(turn: str) -> str:
    return f"{folder(turn)}turn.json"


def page_key(turn: str) -> str:
    """The record as a page for people."""
    return f"{folder(turn)}index.html"


def turn_starter(*, intake: IntakeBucket, stepfunctions: SFNClient, machine_arn: str) -> Starter:
    def ended_at(turn: str) -> datetime | None:
        record = intake.read(record_key(turn), TurnRecord)
        return record.ended_at if record else None

    return Starter(series=TURNS, ended_at=ended_at, intake=intake, stepfunctions=stepfunctions, machine_arn=machine_arn)
