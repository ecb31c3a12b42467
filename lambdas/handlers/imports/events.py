"""The events of the functions that import models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ImportStep(BaseModel):
    """Of the promote machine, in a deployment that imports models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    promotion: str


class AnnouncementEvent(BaseModel):
    """As EventBridge delivers it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    account: str
    """Who sent it: EventBridge says so, not the sender."""
    detail_type: Annotated[Literal["Model Shared", "Model Withdrawn"], Field(alias="detail-type")]
    detail: dict[str, Any]
