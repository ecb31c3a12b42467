"""What operators tune of analysis jobs: `cdk deploy --parameters <name>-analysis:<Name>=<value>`."""

from __future__ import annotations

from constructs import Construct

from .stack_parameters import StackParameters


class AnalysisParameters(StackParameters):
    """The parameters of the Analysis stack."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.log_retention_days = self._log_retention_days()
