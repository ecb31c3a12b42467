"""The events of the promote machine's steps."""

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
    """The machine gives its name, not its value, which is for people."""
    error: str | None = None
    cause: str | None = None
    answered_by: str | None = None
    answer_reason: str | None = None
    warning: str | None = None
    serving: str | None = None
    """The serve machine's result; None without an endpoint."""
    serving_behind: bool = False
    sharing: str | None = None
    """What became of sharing it with other accounts; None if no account is trusted. Or why that failed."""
    sharing_behind: bool = False
    put_back: str | None = None
    """The model that is active again after the smoke test failed. Without one, `cause` says why."""
