"""What CloudFormation calls the resources of a stack: physical names, and what Ref and Fn::GetAtt give of each type.

Sources: CloudFormation User Guide, "Name type" (stack name, logical id and a random part, cut to what the service
takes) and "Return values" of each resource type. The random part is a hash here: the same stack gets the same names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a stack is."""

    account: str
    region: str
    stack: str
    partition: str = "aws"

    @property
    def stack_id(self) -> str:
        return self.arn("cloudformation", f"stack/{self.stack}/{self.uuid('')}")

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def hash(self, logical_id: str, length: int) -> str:
        what = f"{self.account}/{self.region}/{self.stack}/{logical_id}"
        return hashlib.sha256(what.encode()).hexdigest()[:length]

    def uuid(self, logical_id: str) -> str:
        found = self.hash(logical_id, 32)
        return "-".join([found[:8], found[8:12], found[12:16], found[16:20], found[20:]])


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """`member` may name the resource; `longest` is what the service takes."""

    member: str = ""
    longest: int = 64
    service: str = ""
    resource: str = "{name}"
    global_: bool = False
    ref: str = "name"
    lower: bool = False


_KINDS = {
    "AWS::Lambda::Function": _Kind(member="FunctionName", service="lambda", resource="function:{name}"),
    "AWS::IAM::Role": _Kind(member="RoleName", service="iam", resource="role/{name}", global_=True),
    "AWS::IAM::ManagedPolicy": _Kind(
        member="ManagedPolicyName", longest=128, service="iam", resource="policy/{name}", global_=True, ref="arn"
    ),
    "AWS::SQS::Queue": _Kind(member="QueueName", longest=80, service="sqs", ref="url"),
    "AWS::SNS::Topic": _Kind(member="TopicName", longest=256, service="sns", ref="arn"),
    "AWS::StepFunctions::StateMachine": _Kind(
        member="StateMachineName", longest=80, service="states", resource="stateMachine:{name}", ref="arn"
    ),
    "AWS::Events::Rule": _Kind(member="Name", service="events", resource="rule/{name}"),
    "AWS::Logs::LogGroup": _Kind(member="LogGroupName", longest=512, service="logs", resource="log-group:{name}:*"),
    "AWS::SSM::Parameter": _Kind(member="Name", longest=2048, service="ssm", resource="parameter{name}"),
    "AWS::CloudWatch::Alarm": _Kind(member="AlarmName", longest=255, service="cloudwatch", resource="alarm:{name}"),
    "AWS::CloudWatch::Dashboard": _Kind(member="DashboardName", longest=255),
    "AWS::Comprehend::Flywheel": _Kind(
        member="FlywheelName", longest=63, service="comprehend", resource="flywheel/{name}", ref="arn"
    ),
    "AWS::ApiGateway::Stage": _Kind(member="StageName"),
    "AWS::KMS::Key": _Kind(service="kms", resource="key/{name}"),
    "AWS::S3::Bucket": _Kind(member="BucketName", longest=63, lower=True),
}
_RANDOM = 12


class Named:
    """A resource with its physical name."""

    def __init__(self, place: Place, *, logical_id: str, kind: str, given: Callable[[str], object]) -> None:
        """`given` says the value of a property of the resource, None if it has none."""
        self._place = place
        self._kind = _KINDS.get(kind, _Kind())
        self._type = kind
        name = given(self._kind.member) if self._kind.member else None
        self.name = str(name) if name is not None else self._generated(logical_id)

    def _generated(self, logical_id: str) -> str:
        if self._type.startswith("AWS::ApiGateway::"):
            return self._place.hash(logical_id, 10)
        if self._type == "AWS::KMS::Key":
            return self._place.uuid(logical_id)
        random = self._place.hash(logical_id, _RANDOM)
        begins = f"{self._place.stack}-{logical_id}"[: self._kind.longest - _RANDOM - 1]
        name = f"{begins}-{random}"
        return name.lower() if self._kind.lower else name

    @property
    def arn(self) -> str:
        kind = self._kind
        if self._type == "AWS::S3::Bucket":
            return f"arn:{self._place.partition}:s3:::{self.name}"
        if not kind.service:
            raise NotImplementedError(f"The ARN of {self._type} is not known here.")
        resource = kind.resource.format(name=self.name)
        if kind.global_:
            return f"arn:{self._place.partition}:{kind.service}::{self._place.account}:{resource}"
        return self._place.arn(kind.service, resource)

    @property
    def ref(self) -> str:
        match self._kind.ref:
            case "arn":
                return self.arn
            case "url":
                return f"https://sqs.{self._place.region}.amazonaws.com/{self._place.account}/{self.name}"
        return self.name

    def attribute(self, name: str) -> str:
        if name == "Arn":
            return self.arn
        if (self._type, name) in {("AWS::SQS::Queue", "QueueName"), ("AWS::SNS::Topic", "TopicName")}:
            return self.name
        if (self._type, name) == ("AWS::ApiGateway::RestApi", "RootResourceId"):
            return self._place.hash(f"root of {self.name}", 10)
        raise NotImplementedError(f"{name} of {self._type} is not known here.")
