"""Permissions in the words of the pipeline: prefixes of the intake bucket, Comprehend's resources, parameters."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from stacks.constructs.role import Permission

OBJECTS_COME_AND_GO = "The objects below this prefix come and go with the turns; the function needs no other prefix."
DATASETS_COME = "Datasets are named after the turn that composes them."
MODELS_ARE_NAMED_BY_COMPREHEND = "The name of a flywheel's models is Comprehend's choice and not documented."
RUNTIME_PARAMETERS = ("active-model-arn", "previous-model-arn", "desired-model-arn")


def classification_jobs(*actions: str) -> Permission:
    arn = f"arn:{cdk.Aws.PARTITION}:comprehend:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:document-classification-job/*"
    return Permission(
        actions=[f"comprehend:{action}" for action in actions],
        resources=[arn],
        wildcard_reason="Comprehend names a job when it is started.",
    )


@dataclass(frozen=True, kw_only=True)
class FlywheelAccess:
    """Builds the statements of the functions' roles."""

    intake: s3.IBucket
    flywheel_arn: str
    any_generation_arn: str
    parameter_prefix: str

    def objects(self, *keys: str, actions: tuple[str, ...]) -> Permission:
        """`actions` without "s3:"; `keys` are keys or end in a wildcard."""
        wildcards = any("*" in key for key in keys)
        return Permission(
            actions=[f"s3:{action}" for action in actions],
            resources=[self.intake.arn_for_objects(key) for key in keys],
            wildcard_reason=OBJECTS_COME_AND_GO if wildcards else None,
        )

    def list_intake(self, *, versions: bool = False) -> Permission:
        """Without a condition on s3:prefix, which a request for one object does not carry: S3 answers "not found" for a
        missing object only to who may list, and "access denied" to everybody else."""
        return Permission(
            actions=["s3:ListBucket", *(["s3:ListBucketVersions"] if versions else [])],
            resources=[self.intake.bucket_arn],
        )

    def flywheel(self, *actions: str) -> Permission:
        return Permission(actions=[f"comprehend:{action}" for action in actions], resources=[self.flywheel_arn])

    def flywheel_of_any_generation(self, *actions: str) -> Permission:
        return Permission(
            actions=[f"comprehend:{action}" for action in actions],
            resources=[self.any_generation_arn],
            wildcard_reason="A former generation of the flywheel serves on until a model of the present one is better.",
        )

    def datasets(self, *actions: str) -> Permission:
        return Permission(
            actions=[f"comprehend:{action}" for action in actions],
            resources=[f"{self.flywheel_arn}/dataset/*"],
            wildcard_reason=DATASETS_COME,
        )

    def models(self, *actions: str) -> Permission:
        arn = f"arn:{cdk.Aws.PARTITION}:comprehend:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:document-classifier/*"
        return Permission(
            actions=[f"comprehend:{action}" for action in actions],
            resources=[arn],
            wildcard_reason=MODELS_ARE_NAMED_BY_COMPREHEND,
        )

    def classification_jobs(self, *actions: str) -> Permission:
        return classification_jobs(*actions)

    def parameters(self, *names: str, actions: tuple[str, ...]) -> Permission:
        """`names` are relative to the flywheel's prefix."""
        prefix = f"arn:{cdk.Aws.PARTITION}:ssm:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:parameter{self.parameter_prefix}"
        return Permission(
            actions=[f"ssm:{action}" for action in actions], resources=[f"{prefix}/{name}" for name in names]
        )
