"""The endpoint's fixed name: whoever calls it needs to look nothing up, and there is never a second one."""

from __future__ import annotations

import hashlib

from stacks.constructs.arn import arn_of
from stacks.constructs.model_kind import model_kind
from stacks.settings import FlywheelSettings

LONGEST_NAME = 40
"""Of an endpoint, by Comprehend's API model; a flywheel's setting `name` may be longer."""


def endpoint_name(*, settings: FlywheelSettings) -> str:
    name = settings.name
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:31].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def endpoint_arn(*, settings: FlywheelSettings) -> str:
    return arn_of("comprehend", f"{model_kind(settings).endpoint}/{endpoint_name(settings=settings)}")
