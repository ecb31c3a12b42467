"""AWS clients with the caller's own credentials; AWS_ENDPOINT_URL and AWS's other settings are honoured by boto3."""

from __future__ import annotations

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


def _client(service: str, config: Config | None = None) -> Any:
    """Made when it is first used."""
    return cached_property(lambda clients: clients.session.client(service, config=config))


class Clients:
    s3: S3Client = _client("s3", _S3)
    ssm: SSMClient = _client("ssm")
    sqs: SQSClient = _client("sqs")
    stepfunctions: SFNClient = _client("stepfunctions")
    comprehend: ComprehendClient = _client("comprehend", _COMPREHEND)
    scaling: ApplicationAutoScalingClient = _client("application-autoscaling")
    sts: STSClient = _client("sts")
    cloudformation: CloudFormationClient = _client("cloudformation")
    cloudwatch: CloudWatchClient = _client("cloudwatch")
    kms = _client("kms")
    logs: CloudWatchLogsClient = _client("logs")
    functions = _client("lambda")
    iam = _client("iam")
    apigateway = _client("apigateway")
    service_quotas = _client("service-quotas", _SELDOM)

    def __init__(self, session: boto3.session.Session) -> None:
        self.session = session

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
