"""Flywheels and models as Comprehend lists them, those of older generations of a flywheel too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flywheel.comprehend.answers import pages
from flywheel.comprehend.model_kind import ModelKind
from ops.deployment.clients import Clients

_HASH = r"[0-9a-f]{8}"
"""A flywheel's physical name ends in this hash of its configuration."""


def belongs_to(name: str, flywheel_arn: str) -> bool:
    """Whether the ARN is of the flywheel `name`, of any generation: `news-2` is not a generation of `news`."""
    return re.fullmatch(rf"{re.escape(name)}-{_HASH}", flywheel_arn.partition(":flywheel/")[2]) is not None


def list_flywheels(clients: Clients) -> Iterator[Any]:
    """Every flywheel of the account in the Region."""
    for page in pages(clients.comprehend.list_flywheels, MaxResults=100):
        yield from page.get("FlywheelSummaryList", [])


def list_models(clients: Clients, name: str, kind: ModelKind) -> Iterator[Any]:
    """The models of the kind that flywheels of this name trained."""
    for found in kind.list_models(clients.comprehend):
        if belongs_to(name, found.get("FlywheelArn", "")):
            yield found
