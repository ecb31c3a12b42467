"""What operators tune of analysis jobs: `cdk deploy --parameters <name>-analysis:<Name>=<value>`."""

from __future__ import annotations

from constructs import Construct

from stacks.constructs.stack_parameters import StackParameters

MOST_DOCUMENTS = 1_000_000
"""Of one classification job: Comprehend's quota."""


class AnalysisParameters(StackParameters):
    """The parameters of the Analysis stack."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.quiet_period_minutes = self._number(
            "QuietPeriodMinutes",
            default=5,
            least=0,
            most=1440,
            description=(
                "A job begins when nothing came into its folder for so many minutes; at once, if job.json lies in it."
            ),
        )
        self.low_confidence = self._number(
            "LowConfidence",
            default=0.7,
            least=0,
            most=1,
            description="Documents whose best label has a lower score are marked low_confidence and counted.",
        )
        self.documents_per_part = self._whole_number(
            "DocumentsPerPart",
            default=MOST_DOCUMENTS,
            least=1,
            most=MOST_DOCUMENTS,
            description="A larger job is split; Comprehend works on several parts at once.",
        )
        self.megabytes_per_part = self._whole_number(
            "MegabytesPerPart",
            default=1000,
            least=1,
            most=1000,
            description="A larger job is split. One function must be able to join a part with its text in 15 minutes.",
        )
        self.map_concurrency = self._map_concurrency()
        self.poll_seconds = self._whole_number(
            "PollSeconds",
            default=60,
            least=30,
            most=900,
            description="Seconds between two looks at what Comprehend is doing.",
        )
        self.log_retention_days = self._log_retention_days()
