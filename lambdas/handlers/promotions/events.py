"""The events of the promote machine's steps, checked at the border."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from flywheel.records.promotions import PromotionStatus


class PromotionStep(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    promotion: str


class ActiveModelStep(PromotionStep):
    put_back: bool = False
    """Make the former model the active one again."""


class ApprovalQuestion(PromotionStep):
    task_token: str


def _by_name(value: object) -> object:
    return PromotionStatus[value] if isinstance(value, str) and value in PromotionStatus.__members__ else value


class PromotionEnd(PromotionStep):
    status: Annotated[PromotionStatus, BeforeValidator(_by_name)]
    """By its name: the machine has no need to know the words for people."""
    error: str | None = None
    cause: str | None = None
    answered_by: str | None = None
    warning: str | None = None
    serving: str | None = None
    """What the serve machine said; None where nothing is to be served."""
    serving_behind: bool = False
    put_back: str | None = None
    """The model that is active again after the smoke test failed."""
