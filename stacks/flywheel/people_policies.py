"""Managed policies for what people and systems do with a flywheel: one for each, because together they are more.

Whoever may upload both training and test data decides what is promoted: mislabelled documents in both make a model that
was poisoned look better than the one it replaces. So each has a policy of its own, and who gives both to one person
means it.
"""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from flywheel.records.imports import ACTIVE_MODEL_KEY
from flywheel.records.predictions import PREDICTIONS
from flywheel.records.review import (
    ANSWERED,
    BATCHES,
    CLAIMED,
    FORGOTTEN,
    GUIDELINES_KEY,
    ITEMS,
    UNPUBLISHED_KEY,
    WAITING,
)
from stacks.constructs.function import FlywheelFunction
from stacks.constructs.role import ManagedPolicy, Permission
from stacks.constructs.state_machine import executions_of
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.queues import PromotionQueues, Queues
from stacks.names import RUNTIME_PARAMETERS, SERVING_TARGET

_THRESHOLDS = "models/*/thresholds.json"
_OF_IMPORTS = "imports/models/*"
"""Not the trials: they have documents."""
_READ_BY_REVIEWERS = tuple(f"{folder}*" for folder in (WAITING, ITEMS, CLAIMED))
"""Pointers to what is answered say all in their keys."""


class _Policies(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, access: FlywheelAccess) -> None:
        super().__init__(scope, construct_id)
        self._access = access
        self._promotions = access.names.promote_machine_arn

    def _approvers(self, *objects: str) -> str:
        return self._policy(
            "Approvers",
            "Read what a promotion that waits for approval is about, and answer it.",
            self._access.objects(*objects, "promotions/*", actions=("GetObject",)),
            self._access.list_intake(),
            Permission(actions=["states:SendTaskSuccess", "states:SendTaskFailure"], resources=[self._promotions]),
            self._executions(self._promotions),
        )

    def _policy(
        self, construct_id: str, description: str, *permissions: Permission, through: Sequence[str] = ("s3",)
    ) -> str:
        """To do this, one must find the deployment's parts, and use its key."""
        find = self._access.find_deployment()
        key = self._access.encryption.permissions(through=through)
        policy = ManagedPolicy(self, construct_id, description=description, permissions=[find, *permissions, *key])
        return policy.arn

    def _serving(self) -> list[Permission]:
        """To see what serves."""
        access = self._access
        return [
            access.parameters(*RUNTIME_PARAMETERS, "endpoint-arn", SERVING_TARGET, actions=("GetParameter",)),
            access.parameters("active-model-arn", actions=("GetParameterHistory",)),
            Permission(actions=["comprehend:DescribeEndpoint"], resources=[access.names.endpoint_arn]),
            Permission(
                actions=["application-autoscaling:DescribeScalableTargets", f"comprehend:{access.kind.list_models}"],
                resources=["*"],
                wildcard_reason="These lists know no resource.",
            ),
        ]

    def _executions(self, *machine_arns: str) -> Permission:
        return Permission(
            actions=["states:DescribeExecution", "states:GetExecutionHistory"],
            resources=[f"{executions_of(arn)}:*" for arn in machine_arns],
            wildcard_reason="Each execution has a name of its own.",
        )


class ImportPeoplePolicies(_Policies):
    """Where models are imported: `operators` and `approvers` are their ARNs."""

    def __init__(self, scope: Construct, construct_id: str, *, access: FlywheelAccess, queues: PromotionQueues) -> None:
        super().__init__(scope, construct_id, access=access)
        self.operators = self._policy(
            "Operators",
            "See which models were imported and which one serves, import one, roll back.",
            access.objects(
                "promotions/*", "serving/*", _THRESHOLDS, ACTIVE_MODEL_KEY, _OF_IMPORTS, actions=("GetObject",)
            ),
            access.objects("promotions/requests/*", actions=("PutObject",)),
            access.list_intake(),
            access.models(access.kind.describe_model),
            *self._serving(),
            Permission(actions=["sqs:SendMessage"], resources=[queues.promotions.queue_arn]),
            self._executions(self._promotions),
            through=("s3", "sqs"),
        )
        self.approvers = self._approvers(_OF_IMPORTS, "serving/smoke-tests/*")


class PeoplePolicies(_Policies):
    """`test_uploaders`, `training_uploaders`, `rejected_reviewers`, `operators`, `approvers` and `reviewers` are their
    ARNs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        access: FlywheelAccess,
        queues: Queues,
        publish_answers: FlywheelFunction,
    ) -> None:
        super().__init__(scope, construct_id, access=access)
        self._publish_answers = publish_answers
        self._turns = access.names.turn_machine_arn
        self.training_uploaders = self._policy(
            "TrainingUploaders", "Upload training documents to the flywheel, nothing else.", self._upload("train/*")
        )
        self.test_uploaders = self._policy(
            "TestUploaders",
            "Upload test documents to the flywheel: they decide which models are promoted.",
            self._upload("test/*"),
        )
        self.rejected_reviewers = self._policy(
            "RejectedReviewers",
            "Read what was rejected of all uploads, and why.",
            access.objects("rejected/*", actions=("GetObject",)),
            self._list("rejected/*"),
        )
        self.operators = self._policy(
            "Operators",
            "See what the flywheel does, start, pause and resume turns, exclude bad data, roll a model back.",
            *self._operate(queues),
            through=("s3", "sqs"),
        )
        self.approvers = self._approvers("turns/*")
        self.reviewers = self._policy(
            "Reviewers",
            "Review texts that wait for it, nothing else: what reviewers agree on becomes training and test data.",
            access.objects(*_READ_BY_REVIEWERS, GUIDELINES_KEY, actions=("GetObject",)),
            access.objects(*_READ_BY_REVIEWERS, f"{ANSWERED}*", actions=("PutObject", "DeleteObjectVersion")),
            # To forget a text, which operators do who are reviewers. Their own policy has no room for more.
            access.objects(f"{FORGOTTEN}*", actions=("PutObject",)),
            access.list_intake(versions=True),
            access.flywheel("DescribeFlywheel"),
        )

    def _operate(self, queues: Queues) -> list[Permission]:
        access = self._access
        return [
            # No document: of datasets and of what waits for one only the facts, and digests to tell copies by.
            access.objects(
                "turns/*",
                "decisions/*",
                "promotions/*",
                "serving/*",
                "sharing/*",
                "prepared/*/facts.json",
                "prepared/*.bin",
                "datasets/*.json",
                "datasets/*.bin",
                "rejected/*/report.json",
                "exclusions/*",
                _THRESHOLDS,
                f"{BATCHES}*",
                UNPUBLISHED_KEY,
                actions=("GetObject",),
            ),
            access.objects(
                "turns/request.json", "turns/paused", "promotions/requests/*", "exclusions/*", actions=("PutObject",)
            ),
            access.objects("turns/paused", "exclusions/*", actions=("DeleteObject",)),
            access.list_intake(),
            access.flywheel("DescribeFlywheel", "ListDatasets", "ListFlywheelIterationHistory"),
            access.models(access.kind.describe_model, "DescribeResourcePolicy"),
            *self._serving(),
            Permission(actions=["sqs:SendMessage"], resources=[queues.turns.queue_arn, queues.promotions.queue_arn]),
            Permission(actions=["lambda:InvokeFunction"], resources=[self._publish_answers.arn]),
            # To forget a text.
            access.objects(f"{PREDICTIONS}*", actions=("DeleteObjectVersion",)),
            self._executions(self._turns, self._promotions),
        ]

    def _upload(self, keys: str) -> Permission:
        return Permission(
            actions=["s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[self._access.intake.arn_for_objects(keys)],
            wildcard_reason="Uploads have any name.",
        )

    def _list(self, keys: str) -> Permission:
        return Permission(
            actions=["s3:ListBucket"],
            resources=[self._access.intake.bucket_arn],
            condition={"StringLike": {"s3:prefix": [keys]}},
        )
