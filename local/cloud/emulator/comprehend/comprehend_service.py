"""The local Comprehend as a service of the emulator: reached over HTTPS and by state machines, guarded by IAM.

It has no part in MiniStack's state: accounts and Regions are told to it with every call.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from local.cloud.emulator import service_roles
from local.cloud.emulator.administration import answer_below
from local.cloud.emulator.ministack import (
    app,
    concurrency,
    iam_actions,
    responses,
    router,
    stepfunctions,
)
from local.cloud.emulator.step_functions import attempts
from local.cloud.endpoint import Endpoint
from local.comprehend.document_classification.kind import DOCUMENT_CLASSIFICATION
from local.comprehend.errors import UNMODELLED_ERRORS
from local.comprehend.http.administration import PATH_PREFIX, handle_administration
from local.comprehend.http.wire import handle_http
from local.comprehend.kinds import kind_of_model
from local.comprehend.model_kind import ModelKind
from local.comprehend.requests.contract import TARGET_PREFIX
from local.comprehend.service import Comprehend

_PRINCIPAL = "comprehend.amazonaws.com"

# The member that names the resource an operation is about, the most specific first; nothing named is resource `*`.
_ARN_MEMBERS = (
    "DatasetArn",
    "EndpointArn",
    "FlywheelArn",
    "DocumentClassifierArn",
    "EntityRecognizerArn",
    "SourceModelArn",
    "ResourceArn",
)
_NAME_MEMBERS = {
    "CreateFlywheel": ("FlywheelName", "flywheel"),
    "CreateDocumentClassifier": ("DocumentClassifierName", "document-classifier"),
    "CreateEntityRecognizer": ("RecognizerName", "entity-recognizer"),
    "DescribeDocumentClassificationJob": ("JobId", "document-classification-job"),
    "DescribeEntitiesDetectionJob": ("JobId", "entities-detection-job"),
    "StopEntitiesDetectionJob": ("JobId", "entities-detection-job"),
}
# Jobs have no id yet when they are started: a policy names them all.
_STARTED = {
    "StartDocumentClassificationJob": "document-classification-job/*",
    "StartEntitiesDetectionJob": "entities-detection-job/*",
}
# Creating, changing or starting these may hand a role to the service and use a model as well: IAM checks each
# (reference: SAR).
_PASSES_ROLE = frozenset(
    {
        "CreateFlywheel",
        "UpdateFlywheel",
        "CreateEndpoint",
        "UpdateEndpoint",
        "CreateDocumentClassifier",
        "CreateEntityRecognizer",
        "ImportModel",
        *_STARTED,
    }
)
# What is created with tags needs the right to tag it as well.
_TAGGED = frozenset(
    {"CreateEndpoint", "CreateDataset", "CreateDocumentClassifier", "CreateEntityRecognizer", "ImportModel"}
)
_ROLE_MEMBERS = ("DataAccessRoleArn", "DesiredDataAccessRoleArn")
# What a request may use besides the resource it is about.
_USED_MEMBERS = (
    "ActiveModelArn",
    "DesiredModelArn",
    "ModelArn",
    "DocumentClassifierArn",
    "EntityRecognizerArn",
    "FlywheelArn",
)


_services: list[Comprehend] = []


class DataAccessRoles:
    """S3 as a data-access role that Comprehend really assumes: its trust and its policies are both tested."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def client(self, *, role_arn: str, source_arn: str, account: str, region: str) -> Any:
        """An S3 client as the role. Raises ClientError (AccessDenied) when the role does not trust Comprehend."""
        try:
            with responses.request_scope(account, region):
                credentials = service_roles.assume_role(
                    role_arn=role_arn,
                    service=_PRINCIPAL,
                    session_name="comprehend",
                    conditions={"aws:SourceAccount": account, "aws:SourceArn": source_arn},
                )
        except service_roles.AccessDenied as error:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": str(error)}}, "AssumeRole") from error
        return self._endpoint.in_account(account, region=region).client("s3", credentials=credentials)


def use_key(key: str, *, role_arn: str, model_arn: str, account: str, region: str) -> None:
    """A UseKey that asks the policies of the role and of the key, under the condition keys of the developer guide
    ("Importing a custom model")."""
    owner = key.split(":")[4] if key.startswith("arn:") else account
    with responses.request_scope(owner, region):
        arn = service_roles.key_arn(key)
        if arn is None:
            raise ClientError({"Error": {"Code": "NotFoundException", "Message": f"There is no key {key}."}}, "Decrypt")
        by_source = {"aws:SourceArn": model_arn}
        by_context = {"kms:EncryptionContext:aws:comprehend:arn": model_arn}
        for operation, conditions in (
            ("Decrypt", by_source),
            ("GenerateDataKey", by_source),
            ("CreateGrant", by_context),
        ):
            try:
                service_roles.check_role(
                    role_arn=role_arn,
                    session_name="comprehend",
                    action=f"kms:{operation}",
                    resource=arn,
                    conditions=conditions,
                )
            except service_roles.AccessDenied as error:
                refusal = {"Error": {"Code": "AccessDeniedException", "Message": str(error)}}
                raise ClientError(refusal, operation) from error  # type: ignore[arg-type]  # boto3's stubs want every member


def know(service: Comprehend) -> None:
    """Whose flywheels say, from here on, of which kind an endpoint is going to be."""
    _services[:] = [service]


def teach(service: Comprehend) -> None:
    know(service)
    _answer_requests(service)
    answer_below(PATH_PREFIX, partial(handle_administration, service))
    _name_resources()
    _serve_state_machines()


def _answer_requests(service: Comprehend) -> None:
    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        checks = also_needed(operation=service_roles.operation_of(headers), request=_request(body))
        refused = service_roles.refusal_of_caller(headers=headers, query=query, checks=checks)
        if refused is not None:
            return service_roles.refused(refused)
        # Not on the event loop: the service calls S3, which the loop has to answer.
        caller = service_roles.caller_of(headers=headers, query=query, machine_role=attempts.current_role())
        answering = partial(handle_http, service, method=method, path=path, caller=caller)
        return await concurrency.run_reentrant(
            answering, headers, body, responses.get_account_id(), responses.get_region()
        )

    app.SERVICE_HANDLERS["comprehend"] = handle
    router.SERVICE_PATTERNS["comprehend"] = {
        "target_prefixes": [TARGET_PREFIX],
        "host_patterns": [r"comprehend\."],
        "credential_scope": "comprehend",
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE["comprehend"] = "comprehend"


def _name_resources() -> None:
    """MiniStack takes an unknown service's resource for `*`: a policy that names a flywheel would never match."""
    original = iam_actions.extract_resource_arn

    def extract(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
        region: str,
        account: str,
    ) -> Any:
        if service != "comprehend":
            return original(service, method, path, headers, body, query, region, account)
        return resource_of(
            operation=service_roles.operation_of(headers), request=_request(body), region=region, account=account
        )

    iam_actions.extract_resource_arn = extract


def resource_of(*, operation: str, request: dict[str, Any], region: str, account: str) -> str:
    """The ARN that IAM compares with a policy's Resource when the operation is called with this request."""
    if operation in _STARTED:
        return f"arn:aws:comprehend:{region}:{account}:{_STARTED[operation]}"
    if operation == "CreateEndpoint":
        resource = _kind_of_endpoint(request, region=region, account=account).endpoint_resource
        return f"arn:aws:comprehend:{region}:{account}:{resource}/{request.get('EndpointName', '')}"
    if operation in _NAME_MEMBERS:
        member, kind = _NAME_MEMBERS[operation]
        version = f"/version/{request['VersionName']}" if "VersionName" in request else ""
        return f"arn:aws:comprehend:{region}:{account}:{kind}/{request.get(member, '')}{version}"
    named = [request[member] for member in _ARN_MEMBERS if isinstance(request.get(member), str)]
    return named[0] if named else "*"


def _kind_of_endpoint(request: dict[str, Any], *, region: str, account: str) -> ModelKind:
    """The kind of model that CreateEndpoint is asked to serve: of the model, or of the flywheel's models."""
    kind = kind_of_model(str(request.get("ModelArn", "")))
    for service in _services:
        kind = kind or service.kind_of_flywheel(str(request.get("FlywheelArn", "")), account=account, region=region)
    return kind or DOCUMENT_CLASSIFICATION


def used_by(*, operation: str, request: dict[str, Any]) -> list[str]:
    """The ARNs of the model and the flywheel on which the caller needs the operation's action as well."""
    if operation not in _PASSES_ROLE:
        return []
    named = [request.get(member) for member in _USED_MEMBERS]
    return [arn for arn in named if isinstance(arn, str)]


def also_needed(*, operation: str, request: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """What a caller must be allowed besides the operation on its own resource: action, resource and condition keys."""
    checks: list[tuple[str, str, dict[str, str]]] = []
    if operation in _PASSES_ROLE:
        passed = [request.get(member) for member in _ROLE_MEMBERS]
        condition = {"iam:PassedToService": _PRINCIPAL}
        checks += [("iam:PassRole", role, condition) for role in passed if isinstance(role, str)]
    checks += [(f"comprehend:{operation}", arn, {}) for arn in used_by(operation=operation, request=request)]
    if operation in _TAGGED and request.get("Tags"):
        region, account = responses.get_region(), responses.get_account_id()
        named = _made_by(operation=operation, request=request, region=region, account=account)
        checks.append(("comprehend:TagResource", named, {}))
    return checks


def _made_by(*, operation: str, request: dict[str, Any], region: str, account: str) -> str:
    """The ARN of what the operation makes; the operation itself may be about another."""
    about = resource_of(operation=operation, request=request, region=region, account=account)
    if operation == "CreateDataset":
        return f"{about}/dataset/{request.get('DatasetName')}"
    if operation == "ImportModel":
        kind, _, name = about.rpartition(":")[2].partition("/")
        name = request.get("ModelName", name.partition("/")[0])
        version = f"/version/{request['VersionName']}" if "VersionName" in request else ""
        return f"arn:aws:comprehend:{region}:{account}:{kind}/{name}{version}"
    return about


def _serve_state_machines() -> None:
    stepfunctions._AWS_SDK_SERVICE_MAP["comprehend"] = {"target_prefix": TARGET_PREFIX, "protocol": "json"}
    stepfunctions._AWS_SDK_ERROR_PREFIX["comprehend"] = "Comprehend"
    # The SDK that Step Functions calls with knows only modelled errors; all others have the service's general name.
    stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES["comprehend"] = dict.fromkeys(UNMODELLED_ERRORS, "ComprehendException")


def _request(body: bytes | str) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return request if isinstance(request, dict) else {}
