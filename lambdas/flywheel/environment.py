"""The environment variables of the functions: each function declares what it reads, by composing these models."""

from __future__ import annotations

import os
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from flywheel.records.decisions import Evidence


class Environment(BaseModel):
    """Fields are read from the upper-case variables of the same name. Raises pydantic.ValidationError at start."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def load(cls) -> Self:
        return cls.model_validate({name.lower(): value for name, value in os.environ.items()})


class Flywheel(Environment):
    flywheel_name: str
    flywheel_arn: str


class Intake(Environment):
    intake_bucket: str


class Parameters(Environment):
    parameter_prefix: str


class Pipeline(Flywheel, Intake, Parameters):
    """Of functions that work with all three."""


class Labels(Environment):
    label_delimiter: str


class Conflicts(Environment):
    conflicting_labels: Literal["KEEP", "REFUSE"]


class Uploads(Conflicts):
    maximum_bad_lines_percent: float = Field(ge=0, le=100)


class Pace(Environment):
    minimum_hours_between_iterations: float = Field(ge=0)
    quiet_period_minutes: float = Field(ge=0, default=0)


class Composing(Conflicts):
    minimum_documents_per_label: int = Field(ge=1)


class Gate(Environment):
    selection_metric: Literal["F1Score", "Precision", "Recall", "Accuracy"]
    minimum_score: float = Field(ge=0, le=1)
    minimum_improvement: float = Field(ge=0, le=1)
    maximum_regression: float = Field(ge=0, le=1)


class Deciding(Environment):
    evidence: Evidence
    confidence_level: float = Field(gt=0, lt=1)


class Holdout(Environment):
    holdout_documents: int = Field(ge=1)


class Analysis(Environment):
    documents_per_part: int = Field(ge=1)
    megabytes_per_part: float = Field(gt=0)


class Confidence(Environment):
    low_confidence: float = Field(ge=0, le=1)


class Quiet(Environment):
    quiet_period_minutes: float = Field(ge=0)
