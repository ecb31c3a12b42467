"""Which errors belong to an upload, which to the moment, and what the log may say of them."""

from __future__ import annotations

import io

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from flywheel.faults.errors import NotCurrentTurn
from flywheel.uploads.faults import OutOfTime, TimedStream, is_fault_of_upload, is_temporary, trace_of, why_unreadable

SECRET = "a customer's text"


def refused(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")  # type: ignore[arg-type]  # the members that are read


def failed_transfer(cause: ClientError) -> S3UploadFailedError:
    try:
        try:
            raise cause
        except ClientError:
            raise S3UploadFailedError("Failed to upload")  # noqa: B904 - as boto3 does
    except S3UploadFailedError as error:
        return error


@pytest.mark.parametrize(
    "code",
    [
        "InvalidObjectState",
        "InvalidRequest",
        "AccessDenied",
        "KMS.DisabledException",
        "KMS.NotFoundException",
        "KMS.KMSInvalidStateException",
    ],
)
def test_what_s3_does_not_hand_out_has_a_reason_that_says_what_to_do(code: str) -> None:
    assert "upload it again" in (why_unreadable(refused(code, 403)) or "")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("SlowDown", 503),
        ("ServiceUnavailable", 503),
        ("InternalError", 500),
        ("ThrottlingException", 400),
        ("KMS.ThrottlingException", 400),
        ("RequestLimitExceeded", 503),
        ("RequestTimeout", 400),
        ("TooManyRequests", 429),
    ],
)
def test_throttles_and_faults_are_of_the_moment(code: str, status: int) -> None:
    error = refused(code, status)
    assert why_unreadable(error) is None
    for met in (error, failed_transfer(error)):
        assert is_temporary(met)
        assert not is_fault_of_upload(met)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="u"),
        ReadTimeoutError(endpoint_url="u"),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_an_aws_that_does_not_answer_is_of_the_moment(error: Exception) -> None:
    assert is_temporary(error)
    assert not is_fault_of_upload(error)


def test_a_permission_that_is_missing_is_neither_of_the_moment_nor_of_the_upload() -> None:
    error = refused("AccessDenied", 403)
    for met in (error, failed_transfer(error), NotCurrentTurn(name="turn-000001", current=None)):
        assert not is_temporary(met)
        assert not is_fault_of_upload(met)


@pytest.mark.parametrize(
    "error", [UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates"), MemoryError(), RecursionError(), KeyError("k")]
)
def test_whatever_the_code_itself_raises_belongs_to_the_upload(error: Exception) -> None:
    assert is_fault_of_upload(error)
    assert not is_temporary(error)


def test_a_full_disk_belongs_to_the_upload() -> None:
    assert is_fault_of_upload(OSError(28, "No space left on device"))


def test_a_trace_names_types_and_places_of_all_causes_but_no_message() -> None:
    def handle(text: str) -> None:
        try:
            int(text)
        except ValueError as error:
            raise RuntimeError(f"cannot handle {text}") from error

    with pytest.raises(RuntimeError) as caught:
        handle(SECRET)
    trace = "\n".join(trace_of(caught.value))
    assert "builtins.RuntimeError" in trace
    assert "builtins.ValueError" in trace
    assert "test_faults.py" in trace
    assert SECRET not in trace


def test_a_stream_is_not_read_on_when_the_time_is_nearly_over() -> None:
    left = [100.0]
    stream = TimedStream(io.BytesIO(b"abc"), remaining=lambda: left[0], reserve=60)
    assert stream.read(1) == b"a"
    left[0] = 59.0
    with pytest.raises(OutOfTime):
        stream.read(1)
