"""The functions that the turn machine calls, one a step."""

from __future__ import annotations

import functools

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from flywheel.records.review import BATCHES, WAITING, Lane
from stacks.constructs.function import LONGEST, MOST_STORAGE_MIB, ONE_PROCESSOR_MIB, FlywheelFunction, Functions
from stacks.constructs.retries import BUSY_ATTEMPTS
from stacks.constructs.role import ServiceRole, pass_to_comprehend, permission_to_send
from stacks.flywheel.access import FLYWHEEL, READ, UPLOAD, WRITE, FlywheelAccess
from stacks.names import RUNTIME_PARAMETERS

GATE = (
    "SELECTION_METRIC",
    "MINIMUM_SCORE",
    "MINIMUM_IMPROVEMENT",
    "MAXIMUM_REGRESSION",
    "MAXIMUM_LABEL_REGRESSION",
    "REQUIRE_SAME_TEST_DATA",
)


class TurnSteps(Construct):
    """What each may do is what it does: its row in docs/interfaces.md."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        role: ServiceRole,
        promotion_queue: sqs.IQueue,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._step = functools.partial(FlywheelFunction, self, wing="turn", functions=functions)
        self.begin_turn = self._step(
            "begin_turn",
            description="Finds what an earlier turn left and collects the waiting uploads.",
            timeout=cdk.Duration.minutes(10),
            memory_mib=512,
            environment=[*FLYWHEEL, "PARAMETER_PREFIX", "MINIMUM_HOURS_BETWEEN_ITERATIONS"],
            permissions=[
                access.objects("turns/*", actions=WRITE),
                access.objects("turns/request.json", actions=("DeleteObject",)),
                access.objects("decisions/*", "promotions/*", "rejected/*/report.json", actions=READ),
                access.list_intake(versions=True),
                # Whether a folder is complete is seen by the beginnings of its files.
                *([access.objects("train/*", "test/*", actions=("GetObjectVersion",))] if access.kind.folders else []),
                access.flywheel("DescribeFlywheel", "ListFlywheelIterationHistory"),
                access.parameters(*RUNTIME_PARAMETERS, actions=("GetParameter", "PutParameter")),
            ],
        )
        self._add_datasets(access)
        self._add_iteration(access, role=role)
        self._add_decision(access, promotion_queue=promotion_queue)
        self.report_turn = self._step(
            "report_turn",
            description="Writes the record of a turn and tells people, also about turns that failed or were stopped.",
            timeout=cdk.Duration.minutes(2),
            # It reads the datasets' manifests, with up to a million combinations of labels.
            memory_mib=ONE_PROCESSOR_MIB,
            environment=[*FLYWHEEL, "TOPIC_ARN"],
            encrypted=["s3", "sns", "sqs"],
            dead_letters=undelivered,
            permissions=[
                access.objects("turns/*", actions=WRITE),
                access.objects("datasets/*", "decisions/*", "promotions/*", f"{BATCHES}*", actions=READ),
                access.list_intake(versions=True),
                access.publish(),
            ],
        )

    def _add_datasets(self, access: FlywheelAccess) -> None:
        self.prepare_upload = self._step(
            "prepare_upload",
            description="Turns uploads into documents that Comprehend takes, or rejects them with a report.",
            # An upload may have 5 GB.
            timeout=LONGEST,
            memory_mib=ONE_PROCESSOR_MIB,
            storage_mib=MOST_STORAGE_MIB,
            environment=[
                "INTAKE_BUCKET",
                "MODEL_TYPE",
                "LABEL_DELIMITER",
                "MAXIMUM_BAD_LINES_PERCENT",
                "CONFLICTING_LABELS",
                "REPEATED_DOCUMENTS",
                "MACHINE_LABELS",
                "MANIFEST_ATTRIBUTE",
            ],
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("train/*", "test/*", actions=("GetObject", "GetObjectVersion", "DeleteObject")),
                access.objects("prepared/*", "rejected/*", actions=UPLOAD),
                access.objects("prepared/*", "datasets/*", actions=READ),
                access.objects("turns/*", actions=WRITE),
                access.list_intake(),
            ],
        )
        self.compose_datasets = self._step(
            "compose_datasets",
            description="Puts prepared documents together to as few TRAIN and TEST datasets as hold them.",
            timeout=LONGEST,
            memory_mib=ONE_PROCESSOR_MIB,
            storage_mib=MOST_STORAGE_MIB,
            environment=[*FLYWHEEL, "LABEL_DELIMITER", "MINIMUM_DOCUMENTS_PER_LABEL", "CONFLICTING_LABELS"],
            permissions=[
                access.objects("prepared/*", "datasets/*", actions=("GetObject", "DeleteObject", *UPLOAD)),
                access.objects("turns/*", actions=WRITE),
                access.list_intake(),
                access.flywheel("ListDatasets"),
                access.datasets("DescribeDataset"),
            ],
        )
        self.register_dataset = self._step(
            "register_dataset",
            description="Creates a composed dataset in Comprehend, unless it is there.",
            timeout=cdk.Duration.minutes(2),
            memory_mib=ONE_PROCESSOR_MIB,
            environment=[*FLYWHEEL, "LABEL_DELIMITER"],
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("datasets/*", "turns/*", actions=READ),
                access.flywheel("CreateDataset", "TagResource", "ListTagsForResource"),
                access.datasets("DescribeDataset", "TagResource"),
                *access.encryption.job_permissions(),
            ],
        )
        self.accept_dataset = self._step(
            "accept_dataset",
            description="Records that Comprehend has taken a dataset over and clears what was prepared for it.",
            timeout=cdk.Duration.minutes(10),
            memory_mib=ONE_PROCESSOR_MIB,
            environment=FLYWHEEL,
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                # What a dataset holds back returns to where it waits.
                access.objects("prepared/*", actions=("DeleteObject", *UPLOAD)),
                access.objects("datasets/*", actions=WRITE),
                access.objects("turns/*", actions=READ),
                access.list_intake(),
                access.datasets("DescribeDataset"),
            ],
        )

    def _add_iteration(self, access: FlywheelAccess, *, role: ServiceRole) -> None:
        self.run_iteration = self._step(
            "run_iteration",
            description="Starts a flywheel iteration if there are new datasets, or finds the one that runs.",
            timeout=cdk.Duration.minutes(2),
            environment=FLYWHEEL,
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("turns/*", actions=WRITE),
                access.objects("decisions/*", actions=READ),
                access.list_intake(),
                access.flywheel(
                    "DescribeFlywheel", "ListFlywheelIterationHistory", "ListDatasets", "StartFlywheelIteration"
                ),
                *access.encryption.job_permissions(),
            ],
        )
        self.prepare_holdout = self._step(
            "prepare_holdout",
            description="Freezes the hold-out that models are compared on and finds who has not answered it.",
            timeout=LONGEST,
            memory_mib=ONE_PROCESSOR_MIB,
            storage_mib=MOST_STORAGE_MIB,
            environment=[*FLYWHEEL, "PARAMETER_PREFIX", "LABEL_DELIMITER", "HOLDOUT_DOCUMENTS"],
            permissions=[
                access.objects("turns/*", "datasets/*", "decisions/*", actions=READ),
                access.objects("evaluations/*", actions=(*READ, *UPLOAD)),
                access.list_intake(),
                access.flywheel("DescribeFlywheel", "DescribeFlywheelIteration"),
                access.jobs(access.kind.describe_job),
                access.parameters("active-model-arn", actions=("GetParameter",)),
            ],
        )
        self.predict_holdout = self._step(
            "predict_holdout",
            description="Has a model answer the hold-out: starts the classification job, or finds the one that runs.",
            timeout=cdk.Duration.minutes(2),
            environment=FLYWHEEL,
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("turns/*", "evaluations/*", actions=READ),
                access.objects("evaluations/predictions/*", actions=("PutObject",)),
                access.list_intake(),
                access.flywheel("DescribeFlywheel"),
                access.jobs(access.kind.start_job, access.kind.describe_job),
                access.models(access.kind.start_job),
                pass_to_comprehend(role.arn),
                *access.encryption.job_permissions(),
            ],
        )

    def _add_decision(self, access: FlywheelAccess, *, promotion_queue: sqs.IQueue) -> None:
        self.compare_metrics = self._step(
            "compare_metrics",
            description="Decides with reasons whether the candidate is better than the active model.",
            timeout=cdk.Duration.minutes(10),
            # One whole processor: the interval of a difference is found by drawing a hold-out a thousand times.
            memory_mib=ONE_PROCESSOR_MIB,
            environment=[*FLYWHEEL, "PARAMETER_PREFIX", *GATE, "EVIDENCE", "CONFIDENCE_LEVEL", "SUSPECT_TEST_LABELS"],
            permissions=[
                access.objects("turns/*", "evaluations/*", actions=READ),
                access.objects("decisions/*", actions=WRITE),
                access.objects("evaluations/predictions/*", f"{WAITING}{Lane.CONTRADICTED}/*", actions=("PutObject",)),
                *access.thresholds("PutObject"),
                access.list_intake(),
                access.flywheel("DescribeFlywheel", "DescribeFlywheelIteration"),
                access.models(access.kind.describe_model),
                access.jobs(access.kind.describe_job),
                access.parameters("active-model-arn", actions=("GetParameter",)),
            ],
        )
        self.request_promotion = self._step(
            "request_promotion",
            description="Asks the promote machine for the candidate of a decision.",
            timeout=cdk.Duration.minutes(1),
            environment=["INTAKE_BUCKET", "PROMOTION_QUEUE_URL", "PROMOTION_MODE"],
            encrypted=["s3", "sqs"],
            permissions=[
                access.objects("turns/*", "decisions/*", "promotions/requests/*", actions=READ),
                access.objects("promotions/requests/*", "promotions/ends/*", actions=("PutObject",)),
                access.list_intake(),
                permission_to_send(promotion_queue),
            ],
        )
        self.delete_old_models = self._step(
            "delete_old_models",
            description="Deletes the models beyond ModelsToKeep that nothing needs.",
            timeout=cdk.Duration.minutes(5),
            environment=[*FLYWHEEL, "PARAMETER_PREFIX", "MODELS_TO_KEEP"],
            permissions=[
                access.objects("turns/*", actions=WRITE),
                access.objects("promotions/*", actions=READ),
                access.list_intake(),
                access.flywheel("DescribeFlywheel"),
                access.models(access.kind.delete_model),
                access.list_models(),
                access.parameters(*RUNTIME_PARAMETERS, actions=("GetParameter",)),
            ],
        )
