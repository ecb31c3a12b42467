"""The intake bucket, the data lake and their access logs.

Their names are CloudFormation's: a name of our own would block a new deployment after a destroy, because the buckets
stay. Who needs a name finds it in the stack's outputs and in Parameter Store.
"""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from flywheel.records.predictions import PREDICTIONS
from flywheel.records.review import FORGOTTEN, ITEMS, REVIEW, WAITING
from stacks.constructs.stack_parameters import as_number
from stacks.flywheel.parameters import FlywheelParameters

ABORT_INCOMPLETE_UPLOADS = s3.LifecycleRule(
    id="AbortIncompleteUploads", abort_incomplete_multipart_upload_after=cdk.Duration.days(7)
)


class IntakeBucket(Construct):
    """With its access logs. Versioned, encrypted, TLS only, not public, and kept when the stack is destroyed."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey | None,
        further_rules: Sequence[s3.LifecycleRule] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.access_logs = s3.Bucket(
            self,
            "AccessLogs",
            # The logging service writes only where the bucket's default is S3's own key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            versioned=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            removal_policy=cdk.RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ExpireLogs",
                    expiration=cdk.Duration.days(365),
                    noncurrent_version_expiration=cdk.Duration.days(1),
                ),
                ABORT_INCOMPLETE_UPLOADS,
            ],
        )
        self.intake = self._data_bucket(
            "Intake",
            key=key,
            lifecycle_rules=[
                # Moving an upload on deletes it where it was: its old version is the copy of last resort.
                s3.LifecycleRule(
                    id="ExpireOldVersions",
                    noncurrent_version_expiration=cdk.Duration.days(90),
                    expired_object_delete_marker=True,
                ),
                # What an analysis job makes on the way; its input and its output stay.
                s3.LifecycleRule(id="ExpireAnalysisWork", prefix="analysis/jobs/", expiration=cdk.Duration.days(30)),
                *further_rules,
                ABORT_INCOMPLETE_UPLOADS,
            ],
        )
        notifications = self.intake.node.default_child
        if not isinstance(notifications, s3.CfnBucket):
            raise TypeError(f"the intake bucket's resource is {notifications!r}")
        # On the L1 resource: `event_bridge_enabled` brings a helper function along.
        notifications.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )

    def _data_bucket(
        self, construct_id: str, *, key: kms.IKey | None, lifecycle_rules: list[s3.LifecycleRule] | None
    ) -> s3.Bucket:
        return s3.Bucket(
            self,
            construct_id,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            versioned=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/",
            removal_policy=cdk.RemovalPolicy.RETAIN,
            lifecycle_rules=lifecycle_rules,
        )


class Buckets(IntakeBucket):
    """With the data lake of a flywheel, which is kept in the same way."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey | None, parameters: FlywheelParameters
    ) -> None:
        super().__init__(scope, construct_id, key=key, further_rules=_of_review(parameters))
        # No lifecycle: the lake belongs to Comprehend, which documents that nobody else may change what is in it.
        self.lake = self._data_bucket("Lake", key=key, lifecycle_rules=None)


def _of_review(parameters: FlywheelParameters) -> list[s3.LifecycleRule]:
    """Texts that people were to review go after some time. What was deleted or replaced there goes the next day: for a
    text that somebody asked to delete there is no copy of last resort."""
    review, predictions = (
        cdk.Duration.days(as_number(days)) for days in (parameters.review_days, parameters.keep_predictions_days)
    )
    next_day = cdk.Duration.days(1)
    return [
        s3.LifecycleRule(id="ExpireWaitingItems", prefix=WAITING, expiration=review),
        s3.LifecycleRule(id="ExpireReviewedItems", prefix=ITEMS, expiration=review),
        s3.LifecycleRule(id="ExpireForgottenTexts", prefix=FORGOTTEN, expiration=review),
        s3.LifecycleRule(id="ExpirePredictions", prefix=PREDICTIONS, expiration=predictions),
        s3.LifecycleRule(id="ExpireOldPredictions", prefix=PREDICTIONS, noncurrent_version_expiration=next_day),
        s3.LifecycleRule(id="ExpireOldReviews", prefix=REVIEW, noncurrent_version_expiration=next_day),
    ]
