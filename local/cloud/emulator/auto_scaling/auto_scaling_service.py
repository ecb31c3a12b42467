"""Application Auto Scaling in the emulator, which MiniStack does not have: over HTTPS, from state machines, under IAM.

``/_local/auto-scaling/...`` holds switches for tests and demonstrations. Unsigned JSON.

| method and path | body, answer |
|---|---|
| PUT settings | `{"minute_seconds": float}`: how long a minute of the service lasts here |
| POST evaluate | scales at once what the last minute's load asks for, without waiting for more minutes and cooldowns; answers `{"scaled": [{"endpoint_arn", "units", "cause"}]}` |
"""  # noqa: E501 - a table's row

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from local.auto_scaling.contract import TARGET_PREFIX, AutoScalingError
from local.auto_scaling.load import Load
from local.auto_scaling.service import AutoScaling
from local.auto_scaling.state import SERVICE_PRINCIPAL, SERVICE_ROLE, service_role_arn
from local.cloud.emulator import service_roles
from local.cloud.emulator.administration import Answer, answer_below
from local.cloud.emulator.auto_scaling.permissions import NAME, needed
from local.cloud.emulator.ministack import (
    app,
    cloudwatch,
    concurrency,
    iam,
    responses,
    router,
    stepfunctions,
    wait_scale,
)
from local.comprehend.identifiers import Scope
from local.comprehend.service import Comprehend

_ADMINISTRATION = "/_local/auto-scaling/"
_CONTENT_TYPE = "application/x-amz-json-1.1"
# A minute is as short as all waiting is, but long enough to hold some requests.
_SHORTEST_MINUTE = 5.0
_logger = logging.getLogger(NAME)


class _Alarms:
    """Alarms of MiniStack's CloudWatch. What they do when they change is nothing: the load itself is looked at."""

    def put(self, *, scope: Scope, alarm: dict[str, Any]) -> None:
        with responses.request_scope(scope.account, scope.region):
            cloudwatch._put_metric_alarm({}, alarm, False, True)

    def delete(self, *, scope: Scope, names: Sequence[str]) -> None:
        with responses.request_scope(scope.account, scope.region):
            cloudwatch._delete_alarms({}, {"AlarmNames": list(names)}, False, True)


def teach(comprehend: Comprehend, load: Load) -> None:
    minute = max(_SHORTEST_MINUTE, 60 * (wait_scale() or 1))
    service = AutoScaling(comprehend=comprehend, alarms=_Alarms(), load=load, clock=time.time, minute=minute)
    _answer_requests(service)
    answer_below(_ADMINISTRATION, partial(_administered, service))
    stepfunctions._AWS_SDK_SERVICE_MAP["applicationautoscaling"] = {
        "target_prefix": TARGET_PREFIX,
        "protocol": "json",
        "service_key": NAME,
    }
    stepfunctions._AWS_SDK_ERROR_PREFIX["applicationautoscaling"] = "ApplicationAutoScaling"
    threading.Thread(target=_watch, args=(service,), name=NAME, daemon=True).start()


def _answer_requests(service: AutoScaling) -> None:
    async def handle(
        _method: str, _path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Any:
        operation = service_roles.operation_of(headers)
        request = json.loads(body or b"{}")
        # MiniStack knows no condition keys of this service, so all of IAM is asked here.
        refused = service_roles.refusal_of_caller(
            headers=headers, query=query, checks=needed(operation=operation, request=request)
        )
        if refused is not None:
            return service_roles.refused(refused)
        try:
            answer = await concurrency.run_reentrant(
                _called, service, operation, request, responses.get_account_id(), responses.get_region()
            )
        except AutoScalingError as error:
            return _answer(400, {"__type": error.code, "Message": error.message})
        return _answer(200, answer)

    app.SERVICE_HANDLERS[NAME] = handle
    router.SERVICE_PATTERNS[NAME] = {"target_prefixes": [TARGET_PREFIX], "credential_scope": NAME}


def _called(service: AutoScaling, operation: str, request: dict[str, Any], account: str, region: str) -> dict[str, Any]:
    answer = service.call(operation=operation, request=request, account=account, region=region)
    if operation == "RegisterScalableTarget" and SERVICE_ROLE not in iam._roles:
        with responses.request_scope(account, region):
            _create_service_role(account)
    return answer


def _create_service_role(account: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICE_PRINCIPAL}, "Action": "sts:AssumeRole"}
    iam._roles[SERVICE_ROLE] = {
        "RoleName": SERVICE_ROLE,
        "Arn": service_role_arn(account),
        "RoleId": iam._gen_id("AROA"),
        "CreateDate": iam._now(),
        "Path": f"/aws-service-role/{SERVICE_PRINCIPAL}/",
        "AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        "Description": "",
        "MaxSessionDuration": 3600,
        "AttachedPolicies": [],
        "InlinePolicies": {},
        "Tags": [],
    }


def _answer(status: int, content: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": _CONTENT_TYPE}, json.dumps(content).encode()


def _administered(service: AutoScaling, method: str, path: str, body: bytes) -> Answer:
    resource = path.partition("?")[0].removeprefix(_ADMINISTRATION)
    status, content = 200, dict[str, Any]()
    if (method, resource) == ("POST", "evaluate"):
        begun = service.evaluate(at_once=True)
        content["scaled"] = [
            {"endpoint_arn": each.endpoint_arn, "units": each.units, "cause": each.cause} for each in begun
        ]
    elif (method, resource) == ("PUT", "settings"):
        service.minute = float(json.loads(body)["minute_seconds"])
        content["minute_seconds"] = service.minute
    else:
        status, content = 404, {"error": f"There is no {method} {resource} here."}
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()


def _watch(service: AutoScaling) -> None:
    while True:
        time.sleep(min(service.minute / 2, 5.0))
        try:
            service.evaluate()
        except Exception:
            # A defect here must show in the log and not end all scaling.
            _logger.exception("Scalable targets could not be evaluated")
