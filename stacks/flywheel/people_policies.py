"""Managed policies for what people and systems do with a flywheel: one for each, because together they are more.

Whoever may upload both training and test data decides what is promoted: mislabelled documents in both make a model that
was poisoned look better than the one it replaces. So each has a policy of its own, and who gives both to one person
means it.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.managed_policy import ManagedPolicy
from stacks.constructs.role import Permission
from stacks.flywheel.access import RUNTIME_PARAMETERS, FlywheelAccess
from stacks.flywheel.encryption_key import EncryptionKey
from stacks.serving.endpoint_name import endpoint_arn
from stacks.serving.wanted import SERVING_WISH
from stacks.settings import FlywheelSettings

_EXECUTIONS = "Each execution has a name of its own."


class PeoplePolicies(Construct):
    """`test_uploaders`, `training_uploaders`, `rejected_reviewers`, `operators`, `approvers` are their ARNs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FlywheelSettings,
        intake: s3.IBucket,
        access: FlywheelAccess,
        encryption: EncryptionKey,
        turn_machine_arn: str,
        promote_machine_arn: str,
        turn_queue: sqs.IQueue,
        promotion_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._intake = intake
        find = access.parameters("deployment", "flywheel-arn", actions=("GetParameter", "GetParameters"))
        through_s3 = encryption.permissions(through=["s3"])
        self.training_uploaders = ManagedPolicy(
            self,
            "TrainingUploaders",
            description="Upload training documents to the flywheel, nothing else.",
            permissions=[find, self._upload("train/*"), *through_s3],
        ).arn
        self.test_uploaders = ManagedPolicy(
            self,
            "TestUploaders",
            description="Upload test documents to the flywheel: they decide which models are promoted.",
            permissions=[find, self._upload("test/*"), *through_s3],
        ).arn
        self.rejected_reviewers = ManagedPolicy(
            self,
            "RejectedReviewers",
            description="Read what was rejected of all uploads, and why.",
            permissions=[
                find,
                access.objects("rejected/*", actions=("GetObject",)),
                self._list("rejected/*"),
                *through_s3,
            ],
        ).arn
        self.operators = ManagedPolicy(
            self,
            "Operators",
            description="See what the flywheel does, start, pause and resume turns, roll a model back.",
            permissions=[
                find,
                access.parameters(
                    *RUNTIME_PARAMETERS,
                    "endpoint-arn",
                    SERVING_WISH,
                    actions=("GetParameter", "GetParameters", "GetParameterHistory"),
                ),
                # No document: of datasets and of what waits for one only the facts, and digests to tell copies by.
                access.objects(
                    "turns/*",
                    "decisions/*",
                    "promotions/*",
                    "evaluations/*.json",
                    "serving/*",
                    "prepared/*/facts.json",
                    "prepared/*.bin",
                    "datasets/*.json",
                    "datasets/*/hashes/*.bin",
                    "datasets/*/labels/*.bin",
                    "rejected/*/report.json",
                    actions=("GetObject",),
                ),
                access.objects("turns/request.json", "turns/paused", "promotions/requests/*", actions=("PutObject",)),
                access.objects("turns/paused", actions=("DeleteObject",)),
                access.list_intake(),
                access.flywheel(
                    "DescribeFlywheel", "DescribeFlywheelIteration", "ListDatasets", "ListFlywheelIterationHistory"
                ),
                access.models("DescribeDocumentClassifier"),
                Permission(actions=["comprehend:DescribeEndpoint"], resources=[endpoint_arn(settings=settings)]),
                Permission(
                    actions=[
                        "application-autoscaling:DescribeScalableTargets",
                        "comprehend:ListDocumentClassifiers",
                    ],
                    resources=["*"],
                    wildcard_reason="These lists know no resource.",
                ),
                Permission(actions=["sqs:SendMessage"], resources=[turn_queue.queue_arn, promotion_queue.queue_arn]),
                self._executions(turn_machine_arn, promote_machine_arn),
                *encryption.permissions(through=["s3", "sqs"]),
            ],
        ).arn
        self.approvers = ManagedPolicy(
            self,
            "Approvers",
            description="Read what a promotion that waits for approval is about, and answer it.",
            permissions=[
                find,
                access.objects("turns/*", "decisions/*", "promotions/*", actions=("GetObject",)),
                access.list_intake(),
                Permission(
                    actions=["states:SendTaskSuccess", "states:SendTaskFailure"], resources=[promote_machine_arn]
                ),
                self._executions(promote_machine_arn),
                *through_s3,
            ],
        ).arn

    def _upload(self, keys: str) -> Permission:
        return Permission(
            actions=["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            resources=[self._intake.arn_for_objects(keys)],
            wildcard_reason="Uploads have any name.",
        )

    def _list(self, keys: str) -> Permission:
        return Permission(
            actions=["s3:ListBucket"],
            resources=[self._intake.bucket_arn],
            condition={"StringLike": {"s3:prefix": [keys]}},
        )

    def _executions(self, *machine_arns: str) -> Permission:
        names = [arn.rpartition(":")[2] for arn in machine_arns]
        place = f"arn:{cdk.Aws.PARTITION}:states:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"
        return Permission(
            actions=["states:DescribeExecution", "states:GetExecutionHistory"],
            resources=[f"{place}:execution:{name}:*" for name in names],
            wildcard_reason=_EXECUTIONS,
        )
