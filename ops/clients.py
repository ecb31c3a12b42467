"""AWS clients with the caller's own credentials; AWS_ENDPOINT_URL and AWS's other settings are honoured by boto3."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_comprehend import ComprehendClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

# Comprehend allows about one write and ten reads a second: a listing alone can meet that.
_COMPREHEND = Config(retries={"mode": "standard", "total_max_attempts": 8})
_SELDOM = Config(retries={"mode": "standard", "total_max_attempts": 2})
"""For an answer that is not worth a long wait."""
_S3 = Config(max_pool_connections=32)


@dataclass(frozen=True)
class Clients:
    session: boto3.session.Session

    @classmethod
    def connect(cls, *, region: str | None = None, profile: str | None = None) -> Clients:
        """Raises botocore's ProfileNotFound and NoRegionError; makes no call."""
        session = boto3.session.Session(region_name=region, profile_name=profile)
        if not session.region_name:
            raise NoRegionError
        return cls(session)

    @property
    def region(self) -> str:
        return str(self.session.region_name)

    def caller(self) -> str:
        """The ARN of the credentials' user or role session, for the records that name a person."""
        return self.sts.get_caller_identity()["Arn"]

    def parameter(self, name: str) -> str | None:
        """The value of a parameter in Parameter Store; None if there is none."""
        try:
            return self.ssm.get_parameter(Name=name)["Parameter"]["Value"]
        except self.ssm.exceptions.ParameterNotFound:
            return None

    @cached_property
    def s3(self) -> S3Client:
        return self.session.client("s3", config=_S3)

    @cached_property
    def ssm(self) -> SSMClient:
        return self.session.client("ssm")

    @cached_property
    def sqs(self) -> SQSClient:
        return self.session.client("sqs")

    @cached_property
    def stepfunctions(self) -> SFNClient:
        return self.session.client("stepfunctions")

    @cached_property
    def comprehend(self) -> ComprehendClient:
        return self.session.client("comprehend", config=_COMPREHEND)

    @cached_property
    def scaling(self) -> ApplicationAutoScalingClient:
        return self.session.client("application-autoscaling")

    @cached_property
    def sts(self) -> STSClient:
        return self.session.client("sts")

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self.session.client("cloudformation")

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return self.session.client("cloudwatch")

    @cached_property
    def kms(self) -> Any:
        return self.session.client("kms")

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return self.session.client("logs")

    @cached_property
    def functions(self) -> Any:
        return self.session.client("lambda")

    @cached_property
    def iam(self) -> Any:
        return self.session.client("iam")

    @cached_property
    def apigateway(self) -> Any:
        return self.session.client("apigateway")

    @cached_property
    def service_quotas(self) -> Any:
        return self.session.client("service-quotas", config=_SELDOM)
