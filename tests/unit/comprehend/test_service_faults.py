"""One list of what passes by itself, held against the SDK's own and the models of the services in use."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from botocore.session import get_session

from flywheel.faults.errors import ServiceFault
from flywheel.faults.fault_names import FAULTS, INVALID, LAMBDA_FAULTS, PASSING, THROTTLES, of_sdk_integration
from flywheel.faults.service_faults import faults_named, is_fault, is_throttle, passes
from handlers.observability import observed

SERVICES = ("s3", "comprehend", "ssm", "sns", "sqs", "stepfunctions", "application-autoscaling", "events")
LASTING = {
    # Of Lambda: nothing that another try would mend.
    "EC2AccessDeniedException",
    "InvalidRuntimeException",
    "InvalidSecurityGroupIDException",
    "InvalidSubnetIDException",
    "InvalidZipFileException",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
}


def refusal(code: str, *, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # only what is read
        "DoIt",
    )


def test_whatever_the_sdk_repeats_is_on_the_list() -> None:
    throttled: Any = ThrottledRetryableChecker
    transient: Any = TransientRetryableChecker
    assert set(throttled._THROTTLED_ERROR_CODES) <= THROTTLES
    assert set(transient._TRANSIENT_ERROR_CODES) <= THROTTLES | FAULTS
    assert not INVALID & PASSING


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_a_service_models_as_passing_is_on_the_list(service: str) -> None:
    for shape in get_session().get_service_model(service).error_shapes:
        error = shape.metadata.get("error", {})
        code, status = error.get("code", shape.name), error.get("httpStatusCode", 400)
        wording = any(word in shape.name for word in ("hrottl", "Internal", "Unavailable", "Timeout", "Concurrent"))
        if status >= 500 or status == 429 or (wording and "TimeoutSeconds" not in shape.name and status != 404):
            assert code in PASSING or code in _NOT_OURS, (service, shape.name)


_NOT_OURS = {
    # Errors of operations that nothing here calls.
    "ResourceUnavailableException",
    "TaskTimedOut",
    "AutomationDefinitionNotApprovedException",
    "InternalStatus",
}


def test_lambdas_own_faults_are_on_its_list() -> None:
    invoke = get_session().get_service_model("lambda").operation_model("Invoke")
    faults = {
        shape.name for shape in invoke.error_shapes if shape.metadata.get("error", {}).get("httpStatusCode", 0) >= 500
    }
    assert faults - LASTING <= set(LAMBDA_FAULTS)


@pytest.mark.parametrize("code", sorted(PASSING))
def test_each_is_raised_under_the_name_that_machines_repeat(code: str) -> None:
    with pytest.raises(ServiceFault, match=code), faults_named():
        raise refusal(code)


def test_a_function_raises_it_so_too() -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        raise refusal("SlowDown", status=503)

    context: Any = SimpleNamespace(
        function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="1"
    )
    with pytest.raises(ServiceFault, match="SlowDown"):
        handler({}, context)


@pytest.mark.parametrize(
    ("status", "passing"), [(429, True), (500, True), (502, True), (503, True), (504, True), (403, False)]
)
def test_a_status_counts_whatever_the_code(status: int, passing: bool) -> None:
    assert passes(refusal("Surprise", status=status)) is passing
    assert is_throttle(refusal("Surprise", status=status)) is (status == 429)
    assert is_fault(refusal("Surprise", status=status)) is (status >= 500)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://x"),
        ConnectTimeoutError(endpoint_url="https://x"),
        ReadTimeoutError(endpoint_url="https://x"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ],
)
def test_an_answer_that_got_lost_passes(error: Exception) -> None:
    with pytest.raises(ServiceFault), faults_named():
        raise error


@pytest.mark.parametrize("code", ["AccessDeniedException", "NoSuchKey", "ResourceNotFoundException", *sorted(INVALID)])
def test_a_refusal_is_raised_as_it_is(code: str) -> None:
    with pytest.raises(ClientError, match=code), faults_named():
        raise refusal(code)


def test_a_defect_of_ours_is_raised_as_it_is() -> None:
    with pytest.raises(ParamValidationError), faults_named():
        raise ParamValidationError(report="text is a number")


@pytest.mark.parametrize(("code", "passing"), [("SlowDown", True), ("AccessDenied", False)])
def test_a_transfer_is_judged_by_the_request_that_failed(code: str, passing: bool) -> None:
    def transfer() -> None:
        try:
            raise refusal(code)
        except ClientError as error:
            raise S3UploadFailedError(f"Failed to upload: {error}") from error

    with pytest.raises(ServiceFault if passing else S3UploadFailedError), faults_named():
        transfer()


def test_a_modelled_error_of_a_client_is_one_too() -> None:
    client: Any = boto3.client("comprehend", region_name="us-east-1")
    error = client.exceptions.TooManyRequestsException({"Error": {"Code": "TooManyRequestsException"}}, "DoIt")
    assert passes(error)


def test_the_names_of_a_direct_call() -> None:
    names = of_sdk_integration("Ssm")
    assert len(names) == len(set(names))
    assert {"Ssm.SsmException", "Ssm.SdkClientException", "Ssm.ThrottlingException"} <= set(names)
    assert {"Ssm.InternalServerError", "Ssm.InternalServerErrorException", "Ssm.SlowDown"} <= set(names)
    assert all(name.removeprefix("Ssm.").isalnum() for name in names)
