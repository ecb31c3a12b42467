"""Errors of AWS clients as sentences for the operator."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)

from flywheel.faults.errors import FlywheelError
from flywheel.faults.service_faults import error_code, error_message
from ops.deployment.errors import OperatorError
from ops.deployment.local_cloud import environment_command, local_command

ServiceError = (BotoCoreError, ClientError, Boto3Error)
ANY_FAILURE = (OperatorError, FlywheelError, *ServiceError)
"""Errors that are shown as sentences. Any other is a defect and keeps its trace."""

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN_CALLER = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
}
_OPERATIONS = {
    "cloudformation": "DescribeStackEvents ListStackResources ListStacks",
    "cloudwatch": "ListMetrics",
    "comprehend": "DeleteDocumentClassifier DeleteEntityRecognizer DeleteFlywheel DescribeDocumentClassifier "
    "DescribeEntityRecognizer DescribeFlywheel ListDatasets ListDocumentClassifiers ListEndpoints "
    "ListEntityRecognizers ListFlywheelIterationHistory ListFlywheels",
    "kms": "ScheduleKeyDeletion",
    "s3": "DeleteBucket DeleteObject GetObject PutObject",
    "sqs": "SendMessage",
    "ssm": "GetParameter GetParameterHistory GetParameters GetParametersByPath",
    "states": "DescribeExecution GetExecutionHistory SendTaskFailure SendTaskSuccess",
}
_ACTIONS = {
    **{name: f"{service}:{name}" for service, names in _OPERATIONS.items() for name in names.split()},
    "CreateMultipartUpload": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObjectVersion",
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListObjectsV2": "s3:ListBucket",
    "UploadPart": "s3:PutObject",
}
"""IAM's name for an operation whose answer does not give it; S3's differ from the operations' names."""
_ACTION_IN_MESSAGE = re.compile(r"not authorized to perform: ([\w-]+:\w+)")


def is_access_denied(error: ClientError) -> bool:
    return error_code(error) in _DENIED


def failure(error: Exception) -> tuple[str, int]:
    """The sentence and the exit status of one of ANY_FAILURE."""
    if isinstance(error, OperatorError):
        return str(error), error.exit_status
    return str(error) if isinstance(error, FlywheelError) else sentence_of(error), OperatorError.exit_status


def sentence_of(error: Exception) -> str:
    """What happened and what to do, in one sentence or two."""
    cause = _client_error_behind(error)
    if cause is not None:
        return _of_client_error(cause)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return (
            "No AWS credentials were found: set AWS_PROFILE or the AWS_ACCESS_KEY_ID family, use --profile, or for the "
            f"local cloud run `{environment_command()}`."
        )
    if isinstance(error, ProfileNotFound):
        return f"{error}: `aws configure list-profiles` lists those that there are."
    if isinstance(error, SSOError | TokenRetrievalError | CredentialRetrievalError):
        return f"The AWS credentials could not be fetched ({error}): sign in again, for instance with `aws sso login`."
    if isinstance(error, NoRegionError):
        return "No AWS Region is set: use --region, or set AWS_DEFAULT_REGION."
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError | ConnectionClosedError | ReadTimeoutError):
        return _of_unreachable_endpoint(str(error.kwargs.get("endpoint_url", "AWS")))
    if isinstance(error, SSLError):
        endpoint = error.kwargs.get("endpoint_url", "the endpoint")
        return (
            f"The certificate of {endpoint} is not trusted: for the local cloud run "
            f"`{environment_command()}` again, elsewhere set AWS_CA_BUNDLE."
        )
    if isinstance(error, HTTPClientError):
        return f"The connection to AWS failed ({error}): check the network and try again."
    return f"The AWS client refused the call: {' '.join(str(error).split())}"


def _client_error_behind(error: BaseException | None) -> ClientError | None:
    """boto3's transfer functions raise an error of their own, whose context is the service's."""
    while error is not None:
        if isinstance(error, ClientError):
            return error
        error = (error.__cause__ or error.__context__) if isinstance(error, Boto3Error) else None
    return None


def _of_client_error(error: ClientError) -> str:
    code, message, operation = error_code(error), error_message(error), error.operation_name
    if code in _DENIED:
        named = _ACTION_IN_MESSAGE.search(message)
        action = named[1] if named else _ACTIONS.get(operation, operation)
        return f"These credentials may not do {action}: ask for it, or use others with --profile. ({message})"
    if code in _EXPIRED:
        return "The AWS credentials have expired: sign in again."
    if code in _UNKNOWN_CALLER:
        return (
            f"The AWS credentials are not valid here ({message or code}): check AWS_PROFILE and the AWS_ACCESS_KEY_ID "
            "family, and that they belong to this endpoint."
        )
    if code == "NoSuchBucket":
        bucket = error.response["Error"].get("BucketName", "of this deployment")
        return f"The bucket {bucket} does not exist: was it deleted by hand? Destroy the stack and deploy it again."
    return f"{operation} failed: {message.rstrip('.') or 'no reason given'} ({code})."


def _of_unreachable_endpoint(endpoint: str) -> str:
    host = urlsplit(endpoint).hostname or ""
    if host in {"localhost", "127.0.0.1", "::1"} or host.endswith(".localhost") or os.environ.get("AWS_ENDPOINT_URL"):
        return (
            f"Nothing answers at {endpoint}: start the local cloud with `{local_command('up')}`, then run "
            f"`{environment_command()}`; for AWS itself unset AWS_ENDPOINT_URL."
        )
    return f"{endpoint} cannot be reached: check the network and the Region."
