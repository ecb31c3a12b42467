"""Tasks that wait for a callback (`.waitForTaskToken`), and the calls that answer them.

MiniStack goes on waiting when the function that should pass the token on fails or the execution ends, takes a second
answer for a first one, and knows no heartbeat. Here a token is good for one attempt of one state, and for one answer;
the Developer Guide's "Wait for a Callback with Task Token" and the errors of `SendTaskSuccess` say what is refused.

Time-outs are shortened as all waiting is (`execution_clock`): who answers is a person, or a process that waits too.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from local.cloud.emulator import request_sizes
from local.cloud.emulator.ministack import iam_actions, responses, stepfunctions, wait_scale
from local.cloud.emulator.step_functions import attempts, execution_clock

_SUFFIX = ".waitForTaskToken"
_TOKEN_BYTES = 480


@dataclass(kw_only=True)
class _Callback:
    """What one token stands for. `woken` is set when there is something to look at: an answer, or the end of all."""

    attempt: attempts.Attempt
    account: str
    region: str
    woken: threading.Event = field(default_factory=threading.Event)
    beat: float = field(default_factory=time.monotonic)
    closed: bool = False
    output: Any = None
    failure: tuple[str, str] | None = None


# Closed ones stay, because a late answer is refused in another way than one for a token that never was.
_callbacks: dict[str, _Callback] = {}
_changing = threading.Lock()


def teach() -> None:
    evaluate_arguments = stepfunctions._apply_jsonata_arguments
    extract = iam_actions.extract_resource_arn
    answers = {
        "SendTaskSuccess": (_succeed, stepfunctions._send_task_success),
        "SendTaskFailure": (_fail, stepfunctions._send_task_failure),
        "SendTaskHeartbeat": (_beat, stepfunctions._send_task_heartbeat),
    }

    def evaluate_with_new_token(state: dict[str, Any], value: Any, context: Any = None) -> Any:
        if str(state.get("Resource", "")).endswith(_SUFFIX):
            # Another for each attempt, where MiniStack makes one for all.
            context["Task"] = {"Token": base64.b64encode(os.urandom(_TOKEN_BYTES)).decode()}
        return evaluate_arguments(state, value, context)

    def extract_with_tokens(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> Any:
        machine = _machine_of(body) if service == "states" else None
        return machine or extract(service, method, path, headers, body, *rest)

    def answering(answer: Any, answer_activity: Any) -> Any:
        def handle(request: dict[str, Any]) -> Any:
            if request.get("taskToken") in stepfunctions._task_tokens:
                return answer_activity(request)
            return answer(request)

        return handle

    stepfunctions._apply_jsonata_arguments = evaluate_with_new_token
    stepfunctions._invoke_with_callback = _invoke_and_wait
    iam_actions.extract_resource_arn = extract_with_tokens
    for operation, (ours, theirs) in answers.items():
        name = "_send_task_" + operation.removeprefix("SendTask").lower()
        setattr(stepfunctions, name, answering(ours, theirs))


def _invoke_and_wait(resource: str, arguments: Any, token: str, state: dict[str, Any]) -> Any:
    """Pass the token on and return the answer to it, or raise it as the state's error."""
    entered = time.monotonic()
    callback = _Callback(
        attempt=attempts.current_attempt(), account=responses.get_account_id(), region=responses.get_region()
    )
    _callbacks[token] = callback
    try:
        with callback.attempt.waking(callback.woken):
            try:
                stepfunctions._invoke_resource(resource.removesuffix(_SUFFIX), arguments)
            except stepfunctions._ExecutionError:
                with _changing:
                    # An answer that came before the failure counts.
                    if not callback.closed:
                        callback.closed = True
                        raise
            # That took as long as it took; from here on time is shortened.
            asked = time.monotonic()
            entered = asked - (asked - entered) * wait_scale()
            with _changing:
                callback.beat = max(callback.beat, entered)
            with execution_clock.waiting_for_somebody():
                _wait(callback, entered, state)
    finally:
        with _changing:
            callback.closed = True
    if callback.failure is not None:
        raise stepfunctions._ExecutionError(*callback.failure)
    return callback.output


def _wait(callback: _Callback, entered: float, state: dict[str, Any]) -> None:
    """Return once there is an answer; raise when time is up, or Superseded when the execution has ended."""
    time_of_machine_is_up = _after(time.monotonic(), callback.attempt.remaining())
    while True:
        with _changing:
            if callback.closed:
                return
            limits = {
                "States.Timeout": _after(entered, state.get("TimeoutSeconds")),
                "States.HeartbeatTimeout": _after(callback.beat, state.get("HeartbeatSeconds")),
            }
            error, moment = min(limits.items(), key=lambda limit: limit[1])
            remaining = moment - time.monotonic()
            if remaining <= 0:
                callback.closed = True
                raise stepfunctions._ExecutionError(error, "Nobody answered to the task token in time.")
        callback.woken.wait(min(remaining, time_of_machine_is_up - time.monotonic(), threading.TIMEOUT_MAX))
        # Before anything is looked at, or what comes meanwhile is slept through.
        callback.woken.clear()
        callback.attempt.check()
        if time.monotonic() >= time_of_machine_is_up:
            callback.attempt.time_out()


def _after(moment: float, seconds: float | None) -> float:
    if seconds is None:
        return float("inf")
    return moment + seconds * (wait_scale() or 1)


def _succeed(request: dict[str, Any]) -> Any:
    text = request.get("output", "")
    try:
        output = json.loads(text)
    except json.JSONDecodeError as error:
        return responses.error_response_json("InvalidOutput", f"Invalid Output: '{error}'", 400)
    if len(text.encode()) > request_sizes.STATE_BYTES:
        return request_sizes.too_long("output")
    return _answer(request, closed=True, output=output)


def _fail(request: dict[str, Any]) -> Any:
    refused = request_sizes.refused_failure(request)
    if refused is not None:
        return refused
    failure = (request.get("error") or "States.TaskFailed", request.get("cause") or "")
    return _answer(request, closed=True, failure=failure)


def _beat(request: dict[str, Any]) -> Any:
    return _answer(request, beat=time.monotonic())


def _answer(request: dict[str, Any], **facts: Any) -> Any:
    """Set the facts of the callback that waits for this answer and wake it; the refusal of the answer without one."""
    with _changing:
        callback = _callbacks.get(str(request.get("taskToken")))
        scope = (responses.get_account_id(), responses.get_region())
        if callback is None or (callback.account, callback.region) != scope:
            return responses.error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)
        if callback.closed or callback.attempt.ended.is_set():
            return responses.error_response_json(
                "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", 400
            )
        for name, value in facts.items():
            setattr(callback, name, value)
    callback.woken.set()
    return responses.json_response({})


def _machine_of(body: bytes) -> str | None:
    """The ARN of the machine that made the token in a request, None without one.

    The Service Authorization Reference lists no resource for `states:SendTaskSuccess` and its like, which means `*`. In
    fact a policy on the machine's ARN works too, and `StateMachine.grant_task_response` of the CDK relies on it.
    """
    try:
        token = json.loads(body or b"{}").get("taskToken")
    except (ValueError, AttributeError):
        return None
    callback = _callbacks.get(str(token))
    return None if callback is None else str(callback.attempt.execution["stateMachineArn"])
