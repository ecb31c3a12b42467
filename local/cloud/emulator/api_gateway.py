"""API Gateway's REST APIs: what MiniStack does otherwise than AWS with a stage that a template deploys.

A method's request validator counts, a stage writes its access log, a stage with one needs the account's role, a
caller without signature or permission gets the API's own answer, and a function's failure says nothing of its cause.
What a template makes of an API's id is an address that can be called: AWS gives each API a name of its own, the
emulator a path of its one address.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from local.cloud.emulator import api_callers
from local.cloud.emulator.cloudformation.resource_types import adjust
from local.cloud.emulator.cloudwatch import logs
from local.cloud.emulator.ministack import (
    apigateway_v1,
    app,
    changesets,
    engine,
    provisioners,
    responses,
    router,
    stacks,
)

Answer = tuple[int, dict[str, Any], bytes]

_ON_AWS = re.compile(r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com")
_VARIABLE = re.compile(r"\$context\.([A-Za-z.]+)")
_REFUSALS = {
    "AccessDeniedException": "ACCESS_DENIED",
    "MissingAuthenticationTokenException": "MISSING_AUTHENTICATION_TOKEN",
}
"""The gateway response type of an error that MiniStack gives before the API is asked."""
_UNKNOWN = "-"
"""What AWS writes for a variable without a value."""


def teach() -> None:
    _validate_requests()
    _log_access()
    _name_reachable_addresses()


def _validate_requests() -> None:
    """MiniStack can validate, but its templates make no validator, and their methods name none."""
    validators = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RequestValidator"]

    def create_validator(logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, Any]]:
        _, _, body = apigateway_v1._create_request_validator(
            properties["RestApiId"],
            {
                "name": properties.get("Name", logical_id),
                "validateRequestBody": _is_true(properties.get("ValidateRequestBody")),
                "validateRequestParameters": _is_true(properties.get("ValidateRequestParameters")),
            },
        )
        made = json.loads(body)["id"]
        return made, {"RequestValidatorId": made}

    def update_validator(physical_id: str, _old: Any, new: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        delete_validator(physical_id, new)
        return create_validator(physical_id, new, stack)

    def delete_validator(physical_id: str, properties: dict[str, Any]) -> None:
        apigateway_v1._request_validators.get(properties.get("RestApiId", ""), {}).pop(physical_id, None)

    def link(_: str, properties: dict[str, Any]) -> None:
        resource = apigateway_v1._resources.get(properties["RestApiId"], {}).get(properties["ResourceId"], {})
        method = resource.get("resourceMethods", {}).get(properties["HttpMethod"])
        if method is not None:
            method["requestValidatorId"] = properties.get("RequestValidatorId")

    validators.update(create=create_validator, update=update_validator, delete=delete_validator)
    adjust("AWS::ApiGateway::Method", after=link)


def _log_access() -> None:
    handle = app._handle_execute_api_request

    def keep(_: str, properties: dict[str, Any]) -> None:
        setting = properties.get("AccessLogSetting") or {}
        stage = apigateway_v1._stages_v1.get(properties["RestApiId"], {}).get(properties.get("StageName"))
        if stage is not None:
            stage["accessLogSettings"] = (
                {"destinationArn": setting["DestinationArn"], "format": setting.get("Format", "")} if setting else {}
            )

    def require_role(properties: dict[str, Any]) -> dict[str, Any]:
        role = (apigateway_v1._account_settings.get("settings") or {}).get("cloudwatchRoleArn")
        if properties.get("AccessLogSetting") and not role:
            raise ValueError("CloudWatch Logs role ARN must be set in account settings to enable logging")
        return properties

    async def handle_logged(
        host: str, path: str, method: str, headers: dict[str, str], body: bytes, query: Any, *rest: Any, **named: Any
    ) -> Any:
        began = time.monotonic()
        parsed = app._parse_execute_api_url(host, path)
        owner = _owner(parsed[0]) if parsed else None
        if parsed is None or owner is None:
            return await handle(host, path, method, headers, body, query, *rest, **named)
        if router.extract_access_key_id(headers, query):
            with api_callers.called_in(owner):
                answer = await handle(host, path, method, headers, body, query, *rest, **named)
        else:
            # Without a signature the request says nothing of an account; the API does.
            with responses.request_scope(*owner):
                answer = await handle(host, path, method, headers, body, query, *rest, **named)
        caller = _caller(headers, query)
        with responses.request_scope(*owner):
            answer = _as_the_api_refuses(_without_cause(answer), parsed, headers=headers, query=query)
            _write_line(parsed, method=method, answer=answer, caller=caller, seconds=time.monotonic() - began)
        return answer

    adjust("AWS::ApiGateway::Stage", before=require_role, after=keep)
    app._handle_execute_api_request = handle_logged


def _owner(api_id: str) -> tuple[str, str] | None:
    """Account and Region of an API."""
    found = (key[:2] for key, _ in apigateway_v1._rest_apis.all_items() if key[2] == api_id)
    return next(found, None)


def _without_cause(answer: Answer) -> Answer:
    """A function that failed: MiniStack answers with its error and trace."""
    status, headers, _ = answer
    if status != 502:
        return answer
    return (
        status,
        {**headers, "x-amzn-ErrorType": "InternalServerErrorException"},
        b'{"message": "Internal server error"}',
    )


def _as_the_api_refuses(answer: Answer, parsed: tuple[str, str, str], *, headers: dict[str, str], query: Any) -> Answer:
    """What IAM denies goes through the API's gateway responses; MiniStack answers as any other service does."""
    status, answered, body = answer
    api_id, stage_name, _ = parsed
    stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
    if status != 403 or stage is None:
        return answer
    refused = json.loads(body)
    named = {name.lower(): value for name, value in answered.items()}.get("x-amzn-errortype", "")
    error = str(refused.pop("__type", named)).rpartition("#")[2]
    # What has other members is in the form of the API already.
    if error not in _REFUSALS or set(refused) - {"message", "Message"}:
        return answer
    message = refused.get("message") or refused.get("Message")
    denied = apigateway_v1._GatewayError(_REFUSALS[error], message, error)
    request = {
        "api_id": api_id,
        "stage_name": stage_name,
        "stage": stage,
        "headers": headers,
        "query_params": query,
        "path_params": {},
        "resource_path": "",
        "request_id": str(uuid.uuid4()),
    }
    rendered: Answer = apigateway_v1._gateway_error_response(denied, request)
    return rendered


def _write_line(parsed: tuple[str, str, str], *, method: str, answer: Answer, caller: str, seconds: float) -> None:
    api_id, stage_name, path = parsed
    stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name) or {}
    setting = stage.get("accessLogSettings") or {}
    if not setting:
        return
    status, headers, body = answer
    resource, _ = apigateway_v1._match_resource_tree(api_id, [part for part in path.strip("/").split("/") if part])
    values = {
        "requestId": headers.get("x-amzn-requestid") or str(uuid.uuid4()),
        "requestTime": datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "identity.userArn": caller,
        "identity.sourceIp": "127.0.0.1",
        "httpMethod": method,
        "resourcePath": (resource or {}).get("path", _UNKNOWN),
        "stage": stage_name,
        "status": str(status),
        "responseLength": str(len(body or b"")),
        "responseLatency": str(round(seconds * 1000)),
        "error.responseType": headers.get("x-amzn-ErrorType", _UNKNOWN) if status >= 400 else _UNKNOWN,
    }
    line = _VARIABLE.sub(lambda match: values.get(match[1], _UNKNOWN), setting["format"])
    logs.write(setting["destinationArn"], f"access/{stage_name}", line)


def _caller(headers: dict[str, str], query: Any) -> str:
    identity = apigateway_v1._iam_caller_identity(headers, query) or {}
    return str(identity.get("userArn") or _UNKNOWN)


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _name_reachable_addresses() -> None:
    resolve = engine._resolve_refs

    def resolve_here(*arguments: Any) -> Any:
        return _reachable(resolve(*arguments))

    for module in (engine, changesets, stacks):
        if getattr(module, "_resolve_refs", None) is resolve:
            module._resolve_refs = resolve_here


def _reachable(value: Any) -> Any:
    """`value` with the local address of each API that a text names."""
    if not isinstance(value, str) or ".execute-api." not in value:
        return value
    endpoint = os.environ["AWS_ENDPOINT_URL"].rstrip("/")
    return _ON_AWS.sub(rf"{endpoint}/_aws/execute-api/\1", value)
