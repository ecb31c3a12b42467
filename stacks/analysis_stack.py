"""The Analysis stack: batch jobs that classify whole files with the active model."""

from __future__ import annotations

from constructs import Construct

from .analysis_parameters import AnalysisParameters
from .analysis_role import AnalysisRole
from .deployed_flywheel import DeployedFlywheel
from .project_stack import ProjectStack
from .settings import FlywheelSettings


class AnalysisStack(ProjectStack):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            description="Batch predictions of the active model of an Amazon Comprehend flywheel",
        )
        AnalysisParameters(self, "Parameters")
        flywheel = DeployedFlywheel(self, "Flywheel", settings=settings)
        AnalysisRole(self, "DataAccess", flywheel=flywheel)
