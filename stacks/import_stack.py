"""The Import stack: imports the models that a flywheel of another account shares, and chooses the one that serves."""

from __future__ import annotations

from constructs import Construct

from stacks.constructs.project_stack import ProjectStack
from stacks.settings import FlywheelSettings


class ImportStack(ProjectStack):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            description="Imported models of an Amazon Comprehend flywheel in another account",
        )
