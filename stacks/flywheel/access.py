"""What a stack knows of its flywheel: bucket, topic, key, names, and permissions in the words of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from flywheel.records.imports import ACTIVE_MODEL_KEY
from stacks.constructs.arn import arn_of
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.function import Functions, function_code, powertools_layer_arn
from stacks.constructs.model_kind import ModelKind, model_kind
from stacks.constructs.role import Permission
from stacks.constructs.stack_parameters import NONE, StackParameters
from stacks.names import Names
from stacks.settings import FlywheelSettings, Role

OBJECTS_COME_AND_GO = "The objects below this prefix come and go with the turns; the function needs no other prefix."
READ = ("GetObject",)
WRITE = ("GetObject", "PutObject")
UPLOAD = ("PutObject", "AbortMultipartUpload")
"""Files that may be larger than one request carries."""
FLYWHEEL = ("FLYWHEEL_NAME", "FLYWHEEL_ARN", "MODEL_TYPE", "INTAKE_BUCKET")
"""What most functions are told."""
IMPORTS = ("FLYWHEEL_NAME", "IMPORTED_MODEL_ARN", "MODEL_KEY_ARN", "MODEL_TYPE", "INTAKE_BUCKET")
"""The same in a deployment that imports models."""


@dataclass(frozen=True, kw_only=True)
class FlywheelAccess:
    """The same in the stack that makes the flywheel and in those that come later."""

    settings: FlywheelSettings
    intake: s3.IBucket
    topic: sns.ITopic
    encryption: EncryptionKey

    @property
    def names(self) -> Names:
        return Names(self.settings)

    @property
    def imports(self) -> bool:
        """Whether the deployment imports models, and has no flywheel."""
        return self.settings.role is Role.IMPORT

    @property
    def identity(self) -> tuple[str, ...]:
        """What most functions are told."""
        return IMPORTS if self.imports else FLYWHEEL

    @property
    def kind(self) -> ModelKind:
        return model_kind(self.settings)

    def functions(
        self,
        stack: cdk.Stack,
        *,
        parameters: StackParameters,
        environment: Mapping[str, str],
    ) -> Functions:
        """What the functions of a stack have in common. `environment` comes on top of the flywheel's names and of the
        stack's parameters."""
        settings = self.settings
        return Functions(
            flywheel_name=settings.name,
            code=function_code(stack),
            powertools_layer_arn=powertools_layer_arn(version=settings.powertools_layer_version),
            log_retention_days=parameters.log_retention_days,
            encryption=self.encryption,
            vpc=settings.functions_vpc,
            reserved_concurrency=settings.reserved_concurrency,
            environment={
                "FLYWHEEL_NAME": settings.name,
                "FLYWHEEL_ARN": self.names.flywheel_arn,
                "IMPORTED_MODEL_ARN": self.names.imported_model_arn,
                "MODEL_KEY_ARN": self.encryption.arn or NONE,
                "MODEL_TYPE": settings.model_type,
                "INTAKE_BUCKET": self.intake.bucket_name,
                "PARAMETER_PREFIX": settings.parameter_prefix,
                "LABEL_DELIMITER": settings.label_delimiter,
                "TOPIC_ARN": self.topic.topic_arn,
                **parameters.environment,
                **environment,
            },
        )

    def objects(self, *keys: str, actions: tuple[str, ...]) -> Permission:
        """`actions` without "s3:"; `keys` are keys or end in a wildcard."""
        wildcards = any("*" in key for key in keys)
        return Permission(
            actions=[f"s3:{action}" for action in actions],
            resources=[self.intake.arn_for_objects(key) for key in keys],
            wildcard_reason=OBJECTS_COME_AND_GO if wildcards else None,
        )

    def thresholds(self, action: str) -> list[Permission]:
        """Those of models. Empty for a kind of model that has none."""
        return [self.objects("models/*/thresholds.json", actions=(action,))] if self.kind.thresholds else []

    def decided(self) -> list[Permission]:
        """To read why a model is to be promoted: the decision on it, or of an imported one what its source said."""
        if self.imports:
            return [self.objects("imports/models/*", "serving/smoke-tests/*", actions=READ)]
        return [self.objects("decisions/*", actions=READ)]

    def list_intake(self, *, versions: bool = False) -> Permission:
        """Without a condition on s3:prefix, which a request for one object does not carry: S3 answers "not found" for a
        missing object only to who may list, and "access denied" to everybody else."""
        return Permission(
            actions=["s3:ListBucket", *(["s3:ListBucketVersions"] if versions else [])],
            resources=[self.intake.bucket_arn],
        )

    def active_model(self) -> Permission:
        """To ask which model is active."""
        return self.objects(ACTIVE_MODEL_KEY, actions=READ) if self.imports else self.flywheel("DescribeFlywheel")

    def task(self) -> Permission:
        """To ask what the models of the deployment are trained to do."""
        return self.models(self.kind.describe_model) if self.imports else self.flywheel("DescribeFlywheel")

    def tags(self) -> Permission:
        """To ask for the deployment's tags."""
        if self.imports:
            return Permission(actions=["s3:GetBucketTagging"], resources=[self.intake.bucket_arn])
        return self.flywheel("ListTagsForResource")

    def former_generations(self, *actions: str) -> list[Permission]:
        """On the flywheel of any generation. Empty in a deployment without a flywheel."""
        return [] if self.imports else [self.flywheel_of_any_generation(*actions)]

    def flywheel(self, *actions: str) -> Permission:
        return _comprehend(*actions, arn=self.names.flywheel_arn)

    def flywheel_of_any_generation(self, *actions: str) -> Permission:
        reason = "A former generation of the flywheel serves on until a model of the present one is better."
        return _comprehend(*actions, arn=self.names.any_generation_arn, wildcard_reason=reason)

    def datasets(self, *actions: str) -> Permission:
        reason = "Datasets are named after the turn that composes them."
        return _comprehend(*actions, arn=f"{self.names.flywheel_arn}/dataset/*", wildcard_reason=reason)

    def models(self, *actions: str) -> Permission:
        if self.imports:
            reason = "An imported version is named after the version that it is a copy of."
            return _comprehend(*actions, arn=f"{self.names.imported_model_arn}/version/*", wildcard_reason=reason)
        reason = "The name of a flywheel's models is Comprehend's choice and not documented."
        return _comprehend(*actions, arn=arn_of("comprehend", f"{self.kind.model}/*"), wildcard_reason=reason)

    def list_models(self) -> Permission:
        return _comprehend(
            self.kind.list_models, arn="*", wildcard_reason=f"{self.kind.list_models} knows no resource."
        )

    def jobs(self, *actions: str) -> Permission:
        reason = "Comprehend names a job when it is started."
        return _comprehend(*actions, arn=arn_of("comprehend", f"{self.kind.job}/*"), wildcard_reason=reason)

    def publish(self) -> Permission:
        return Permission(actions=["sns:Publish"], resources=[self.topic.topic_arn])

    def parameters(self, *names: str, actions: tuple[str, ...]) -> Permission:
        """`names` are relative to the flywheel's prefix."""
        return Permission(
            actions=[f"ssm:{action}" for action in actions],
            resources=[arn_of("ssm", f"parameter{self.names.parameter(name)}") for name in names],
        )

    def find_deployment(self) -> Permission:
        """As the command line finds it: which of the two there are tells whether there is a flywheel."""
        return self.parameters("deployment", "flywheel-arn", actions=("GetParameters",))


def _comprehend(*actions: str, arn: str, wildcard_reason: str | None = None) -> Permission:
    return Permission(
        actions=[f"comprehend:{action}" for action in actions], resources=[arn], wildcard_reason=wildcard_reason
    )
