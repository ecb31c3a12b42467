"""The events of share_model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from handlers.cloudformation import CustomResourceEvent


class ShareStep(BaseModel):
    """Of the promote machine, or of the schedule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    promotion: str | None = None
    poke: Literal["schedule"] | None = None


class TrustedAccounts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    TrustedAccounts: Annotated[
        tuple[str, ...], BeforeValidator(lambda value: value.split(",") if isinstance(value, str) else value)
    ]


class SharingEvent(CustomResourceEvent):
    ResourceProperties: TrustedAccounts
