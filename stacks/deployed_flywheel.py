"""What a stack that is deployed after the Flywheel stack knows of it: read from Parameter Store when it is deployed.

No export crosses the stacks: it would lock what it names for as long as anybody imports it.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.function import Functions, function_code, powertools_layer_arn
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.encryption_key import EncryptionKey
from stacks.flywheel.flywheel import any_generation_arn, flywheel_arn

from .settings import EncryptionMode, FlywheelSettings

INTAKE_BUCKET = "intake-bucket"
TOPIC_ARN = "topic-arn"
KEY_ARN = "key-arn"


class DeployedFlywheel(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.intake = s3.Bucket.from_bucket_name(self, "Intake", self._read("IntakeBucket", INTAKE_BUCKET))
        self.topic = sns.Topic.from_topic_arn(self, "Topic", self._read("TopicArn", TOPIC_ARN))
        new_key = settings.encryption.mode is EncryptionMode.NEW
        self.encryption = EncryptionKey(
            self,
            "Encryption",
            encryption=settings.encryption,
            made_before=self._read("KeyArn", KEY_ARN) if new_key else None,
        )
        self.access = FlywheelAccess(
            intake=self.intake,
            flywheel_arn=flywheel_arn(settings=settings),
            any_generation_arn=any_generation_arn(settings=settings),
            parameter_prefix=settings.parameter_prefix,
        )

    def functions(self, *, log_retention_days: cdk.CfnParameter, environment: Mapping[str, str]) -> Functions:
        """What the functions of this stack have in common. `environment` comes on top of what names the flywheel."""
        stack = cdk.Stack.of(self)
        settings = self._settings
        return Functions(
            flywheel_name=settings.name,
            code=function_code(stack),
            powertools_layer_arn=powertools_layer_arn(version=settings.powertools_layer_version),
            log_retention_days=log_retention_days,
            encryption=self.encryption,
            vpc=settings.functions_vpc,
            reserved_concurrency=settings.reserved_concurrency,
            environment={
                "FLYWHEEL_NAME": settings.name,
                "FLYWHEEL_ARN": flywheel_arn(settings=settings),
                "INTAKE_BUCKET": self.intake.bucket_name,
                "PARAMETER_PREFIX": settings.parameter_prefix,
                "LABEL_DELIMITER": settings.label_delimiter,
                "TOPIC_ARN": self.topic.topic_arn,
                **environment,
            },
        )

    def _read(self, construct_id: str, name: str) -> str:
        """The parameter's default holds the setting `name` and no other: another name makes another stack."""
        parameter = cdk.CfnParameter(
            self,
            construct_id,
            type="AWS::SSM::Parameter::Value<String>",
            default=f"{self._settings.parameter_prefix}/{name}",
            description=f"The parameter in which the Flywheel stack publishes its {name}.",
        )
        parameter.override_logical_id(construct_id)
        return parameter.value_as_string
