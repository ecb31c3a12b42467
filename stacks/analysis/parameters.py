"""What operators tune of analysis jobs: `cdk deploy --parameters <name>-analysis:<Name>=<value>`."""

from __future__ import annotations

from constructs import Construct

from stacks.constructs.stack_parameters import StackParameters, map_concurrency, number, whole_number
from stacks.settings import FlywheelSettings, Role

MOST_DOCUMENTS = 1_000_000
"""Of one classification job: Comprehend's quota."""
OF_LEARNING = ("review_per_analysis", "audit_percent")
"""Parameters of a deployment that trains."""


class AnalysisParameters(StackParameters):
    """The parameters of the Analysis stack."""

    quiet_period_minutes = number(
        default=5,
        least=0,
        most=1440,
        description="A job begins when nothing came into its folder for so many minutes; at once, if job.json lies in "
        "it.",
    )
    low_confidence = number(
        default=0.7,
        least=0,
        most=1,
        description="Documents whose best label has a lower score are marked low_confidence and counted.",
    )
    review_per_analysis = whole_number(
        default=1000,
        least=0,
        most=10_000,
        description="Most documents of a job that wait for people to review them because of low confidence: the least "
        "certain ones. 0: none does, and none for audit.",
    )
    audit_percent = number(
        default=1,
        least=0,
        most=100,
        description="The share of a job's other documents that waits for review, too; at most a tenth of "
        "ReviewPerAnalysis.",
    )
    documents_per_part = whole_number(
        default=MOST_DOCUMENTS,
        least=1,
        most=MOST_DOCUMENTS,
        description="A larger job is split; Comprehend works on several parts at once.",
    )
    megabytes_per_part = whole_number(
        default=1000,
        least=1,
        most=1000,
        description="A larger job is split. One function must be able to join a part with its text in 15 minutes.",
    )
    map_concurrency = map_concurrency()
    poll_seconds = whole_number(
        default=60,
        least=30,
        most=900,
        description="Seconds between two looks at what Comprehend is doing.",
    )

    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        # Where models are imported there is nobody to teach: the flywheel is elsewhere.
        without = OF_LEARNING if settings.role is Role.IMPORT else ()
        super().__init__(scope, construct_id, without=without)
