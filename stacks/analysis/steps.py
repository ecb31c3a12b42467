"""The functions that the analysis machine calls, one a step."""

from __future__ import annotations

import functools

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.function import LONGEST, MOST_STORAGE_MIB, ONE_PROCESSOR_MIB, FlywheelFunction, Functions
from stacks.constructs.retries import BUSY_ATTEMPTS
from stacks.constructs.role import ServiceRole, pass_to_comprehend
from stacks.flywheel.access import READ, UPLOAD, WRITE, FlywheelAccess

LIMITS = ("DOCUMENTS_PER_PART", "MEGABYTES_PER_PART")
WORK = "analysis/jobs/*"
REVIEW = "REVIEW_PER_ANALYSIS"


class AnalysisSteps(Construct):
    """What each may do is what it does: its row in docs/interfaces.md."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        role: ServiceRole,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._step = functools.partial(FlywheelFunction, self, wing="analysis", functions=functions)
        self._add_parts(access)
        self._add_jobs(access, role=role)
        self._add_output(access, undelivered=undelivered)

    def _add_parts(self, access: FlywheelAccess) -> None:
        self.begin_analysis = self._step(
            "begin_analysis",
            description="Pins the input and the model of an analysis job, and plans how it is split.",
            timeout=LONGEST,
            # The list of a million files.
            memory_mib=3008,
            environment=[*access.identity, "PARAMETER_PREFIX", *LIMITS],
            permissions=[
                # Of the input only job.json is read.
                access.objects("analysis/input/*", actions=("GetObjectVersion",)),
                access.objects(WORK, actions=WRITE),
                access.objects("analysis/begun/*", actions=("PutObject",)),
                access.list_intake(versions=True),
                access.models(access.kind.describe_model),
                access.parameters("active-model-arn", actions=("GetParameter",)),
            ],
        )
        self.split_analysis = self._step(
            "split_analysis",
            description="Splits one unit of an analysis job's input into parts that Comprehend takes.",
            timeout=LONGEST,
            memory_mib=ONE_PROCESSOR_MIB,
            storage_mib=MOST_STORAGE_MIB,
            environment=["INTAKE_BUCKET", *LIMITS],
            permissions=[
                access.objects("analysis/input/*", actions=("GetObjectVersion",)),
                access.objects(WORK, actions=(*READ, *UPLOAD)),
                access.list_intake(),
            ],
        )
        self.plan_analysis = self._step(
            "plan_analysis",
            description="Lists the parts of an analysis job, once all of its input is split.",
            timeout=cdk.Duration.minutes(10),
            memory_mib=512,
            environment=["INTAKE_BUCKET"],
            permissions=[access.objects(WORK, actions=WRITE), access.list_intake()],
        )

    def _add_jobs(self, access: FlywheelAccess, *, role: ServiceRole) -> None:
        self.classify_part = self._step(
            "classify_part",
            description="Has the model classify a part: starts the job, or finds the one that runs.",
            timeout=cdk.Duration.minutes(2),
            environment=[*access.identity, "ANALYSIS_ROLE_ARN"],
            # Comprehend may be busy with other jobs for a day.
            busy_attempts=100,
            permissions=[
                access.objects(WORK, actions=WRITE),
                access.list_intake(),
                access.active_model(),
                *access.former_generations(access.kind.start_job),
                access.jobs(access.kind.start_job, access.kind.describe_job),
                access.models(access.kind.start_job),
                pass_to_comprehend(role.arn),
                *access.encryption.job_permissions(),
            ],
        )
        self.collect_part = self._step(
            "collect_part",
            description="Joins what Comprehend answered to a part with the part's text.",
            timeout=LONGEST,
            memory_mib=ONE_PROCESSOR_MIB,
            storage_mib=MOST_STORAGE_MIB,
            environment=[
                *access.identity,
                "LABEL_DELIMITER",
                "LOW_CONFIDENCE",
                *LIMITS,
                *([] if access.imports else [REVIEW, "AUDIT_PERCENT"]),
            ],
            permissions=[
                access.objects(WORK, actions=(*READ, *UPLOAD)),
                *access.thresholds("GetObject"),
                access.list_intake(),
                access.jobs(access.kind.describe_job),
            ],
        )

    def _add_output(self, access: FlywheelAccess, *, undelivered: sqs.IQueue) -> None:
        self.join_analysis = self._step(
            "join_analysis",
            description="Puts the rows of all parts of an analysis job together, and doubtful ones before people.",
            timeout=LONGEST,
            memory_mib=ONE_PROCESSOR_MIB,
            environment=["INTAKE_BUCKET", *([] if access.imports else [REVIEW])],
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects(WORK, actions=WRITE),
                # To read is what a condition on an ETag asks for.
                access.objects("analysis/output/*", actions=(*READ, *UPLOAD)),
                *([] if access.imports else [access.objects("review/waiting/*", actions=("PutObject",))]),
                access.list_intake(versions=True),
            ],
        )
        self.report_analysis = self._step(
            "report_analysis",
            description="Writes the summary of an analysis job and tells people, also about jobs that failed.",
            timeout=cdk.Duration.minutes(5),
            memory_mib=512,
            environment=[*access.identity, "TOPIC_ARN", "LOW_CONFIDENCE"],
            encrypted=["s3", "sns", "sqs"],
            dead_letters=undelivered,
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects(WORK, actions=READ),
                access.objects("analysis/output/*", actions=WRITE),
                access.list_intake(versions=True),
                access.publish(),
            ],
        )
