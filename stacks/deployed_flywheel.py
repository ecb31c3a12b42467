"""What a stack that is deployed after the Flywheel stack knows of it: read from Parameter Store when it is deployed.

No export crosses the stacks: it would lock what it names for as long as anybody imports it.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.encryption_key import EncryptionKey
from stacks.flywheel.access import FlywheelAccess
from stacks.names import INTAKE_BUCKET, KEY_ARN, TOPIC_ARN, Names
from stacks.settings import EncryptionMode, FlywheelSettings


def deployed_flywheel(scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> FlywheelAccess:
    """What the Flywheel stack published when it was deployed."""
    construct = Construct(scope, construct_id)

    def read(parameter_id: str, name: str) -> str:
        """The parameter's default holds the setting `name` and no other: another name makes another stack."""
        parameter = cdk.CfnParameter(
            construct,
            parameter_id,
            type="AWS::SSM::Parameter::Value<String>",
            default=Names(settings).parameter(name),
            description=f"The parameter in which the Flywheel stack publishes its {name}.",
        )
        parameter.override_logical_id(parameter_id)
        return parameter.value_as_string

    return FlywheelAccess(
        settings=settings,
        intake=s3.Bucket.from_bucket_name(construct, "Intake", read("IntakeBucket", INTAKE_BUCKET)),
        topic=sns.Topic.from_topic_arn(construct, "Topic", read("TopicArn", TOPIC_ARN)),
        encryption=EncryptionKey(
            construct,
            "Encryption",
            encryption=settings.encryption,
            made_before=read("KeyArn", KEY_ARN) if settings.encryption.mode is EncryptionMode.NEW else None,
        ),
    )
