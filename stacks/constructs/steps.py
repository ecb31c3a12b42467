"""The functions that a state machine calls, one a step: what the steps of every machine have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import aws_cdk as cdk
from aws_cdk import aws_comprehend as comprehend
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.role import Permission


class Steps(Construct):
    wing: ClassVar[str]
    """The folder of `handlers` that holds the steps."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        flywheel: comprehend.CfnFlywheel | None = None,
    ) -> None:
        """`flywheel` is given where it is in the same stack."""
        super().__init__(scope, construct_id)
        self._functions = functions
        self._flywheel = flywheel

    def _step(
        self,
        name: str,
        *,
        description: str,
        timeout: cdk.Duration,
        environment: Sequence[str],
        permissions: Sequence[Permission],
        memory_mib: int = 256,
        ephemeral_storage_mib: int | None = None,
        encrypted: Sequence[str] = ("s3",),
        dead_letter_queue_arn: str | None = None,
    ) -> FlywheelFunction:
        step = FlywheelFunction(
            self,
            "".join(word.title() for word in name.split("_")),
            wing=self.wing,
            name=name,
            functions=self._functions,
            description=description,
            permissions=permissions,
            environment=environment,
            encrypted=encrypted,
            timeout=timeout,
            memory_mib=memory_mib,
            ephemeral_storage_mib=ephemeral_storage_mib,
            dead_letter_queue_arn=dead_letter_queue_arn,
        )
        if self._flywheel is not None:
            step.wait_for(self._flywheel)
        return step
