"""The events of the turn machine's steps."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flywheel.records.turns import TurnOutcome
from flywheel.records.uploads import Split, Upload


class Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    turn: str


class PrepareUploads(Step):
    split: Split
    uploads: tuple[Upload, ...]


class DatasetStep(Step):
    name: str
    split: Split


class IterationStep(Step):
    iteration_id: str


class PredictHoldoutStep(IterationStep):
    model_arn: str


class TurnEnd(Step):
    outcome: TurnOutcome
    error: str | None = None
    cause: str | None = None
