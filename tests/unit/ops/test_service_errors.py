"""Every error of an AWS client is a sentence that says what to do."""

from __future__ import annotations

import boto3
import pytest
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions
from botocore.exceptions import ClientError

from ops.deployment.service_errors import is_access_denied, sentence_of


def refused(code: str, message: str = "", *, operation: str = "ListObjectsV2") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def test_a_denied_action_is_named_by_iam_s_name_for_it() -> None:
    assert "may not do s3:ListBucket:" in sentence_of(refused("AccessDenied", "Access Denied"))


def test_the_action_in_the_message_is_believed_first() -> None:
    message = "User: arn:x is not authorized to perform: comprehend:ListDatasets on resource: arn:y"
    sentence = sentence_of(refused("AccessDeniedException", message, operation="Whatever"))
    assert "may not do comprehend:ListDatasets:" in sentence


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "403"])
def test_access_denied_is_told_by_its_code(code: str) -> None:
    assert is_access_denied(refused(code))


def test_other_refusals_are_not_access_denied() -> None:
    assert not is_access_denied(refused("NoSuchKey"))


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (refused("ExpiredToken"), "expired"),
        (refused("InvalidClientTokenId"), "AWS_PROFILE"),
        (refused("SignatureDoesNotMatch"), "AWS_PROFILE"),
        (refused("NoSuchBucket"), "does not exist"),
        (refused("InternalServerException", "It broke.", operation="ListDatasets"), "ListDatasets failed: It broke"),
        (exceptions.NoCredentialsError(), "python -m local env"),
        (exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "AWS_PROFILE"),
        (exceptions.ProfileNotFound(profile="nobody"), "list-profiles"),
        (exceptions.NoRegionError(), "--region"),
        (exceptions.UnauthorizedSSOTokenError(), "aws sso login"),
        (exceptions.SSLError(endpoint_url="https://x", error=OSError("no")), "AWS_CA_BUNDLE"),
        (exceptions.EndpointConnectionError(endpoint_url="https://localhost:4566/"), "python -m local up"),
        (exceptions.EndpointConnectionError(endpoint_url="https://ssm.mars-1.amazonaws.com/"), "the Region"),
        (exceptions.ReadTimeoutError(endpoint_url="https://127.0.0.1:4566/"), "python -m local up"),
        (exceptions.ParamValidationError(report="Bucket"), "Bucket"),
    ],
)
def test_the_sentence_says_what_to_do(error: Exception, advice: str) -> None:
    sentence = sentence_of(error)
    assert advice in sentence
    assert "\n" not in sentence


def test_an_endpoint_of_the_environment_is_taken_for_the_local_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://cloud.test:4566")
    assert "python -m local up" in sentence_of(
        exceptions.EndpointConnectionError(endpoint_url="https://cloud.test:4566")
    )


def test_the_refusal_behind_a_failed_transfer_is_found() -> None:
    failed = S3UploadFailedError("Failed to upload")
    failed.__cause__ = refused("AccessDenied", "Access Denied", operation="CreateMultipartUpload")
    assert "may not do s3:PutObject:" in sentence_of(failed)


def test_a_transfer_that_failed_without_an_answer_is_told_as_it_is() -> None:
    assert "Failed to upload" in sentence_of(boto3.exceptions.S3UploadFailedError("Failed to upload"))
