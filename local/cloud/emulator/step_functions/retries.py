"""How long a `Retry` waits before the next attempt: with `MaxDelaySeconds` and `JitterStrategy`.

MiniStack knows neither and waits a minute at most, so hours of patience on AWS would be seconds here.

One relation has to stay as it is on AWS although waits are shortened and functions are not. What a function leaves
behind when it is killed (a lease, say) lasts as long as it could have lived, which its `Timeout` says. Where all
attempts together outlast that on AWS, they do here: one of the last waits until then. Some follow it, as several who
waited for the same thing try at that moment, and only one gets it.
"""

from __future__ import annotations

import random
from typing import Any

from local.cloud.emulator.ministack import lambda_svc, stepfunctions, wait_scale
from local.cloud.emulator.step_functions import attempts

_INVOKE = "states:::lambda:invoke"
_OUTLASTS = "_outlasts"
_FOLLOWING = 2
"""Attempts after the one that waits so long."""
_MARGIN = 60.0
"""By which a lease may outlast the function that holds it."""


def teach() -> None:
    execute, find = stepfunctions._execute_task, stepfunctions._find_matching_retrier

    def execute_task(state: dict[str, Any], value: Any, execution: dict[str, Any], context: dict[str, Any]) -> Any:
        lives = _longest_life(state)
        if lives is not None:
            state = {**state, "Retry": [outlasting(retrier, lives=lives) for retrier in state.get("Retry", [])]}
        return execute(state, value, execution, context)

    def find_and_wait(retriers: list[dict[str, Any]], error: str, counts: dict[int, int]) -> Any:
        retrier, index = find(retriers, error, counts)
        if retrier is None or attempts.current() is None:
            return retrier, index
        attempt = counts.get(index, 0)
        attempts.wait(delay(retrier, attempt), takes=real_delay(retrier, attempt, wait_scale()))
        return {**retrier, "IntervalSeconds": 0}, index

    stepfunctions._execute_task = execute_task
    stepfunctions._find_matching_retrier = find_and_wait


def outlasting(retrier: dict[str, Any], *, lives: float) -> dict[str, Any]:
    """The retrier of a task whose function may run so many seconds."""
    return {**retrier, _OUTLASTS: lives + _MARGIN}


def delay(retrier: dict[str, Any], attempt: int) -> float:
    """Seconds that AWS waits before the next attempt; `attempt` counts the retries before, from 0."""
    longest = _longest_delay(retrier, attempt)
    return random.uniform(0, longest) if _is_jittered(retrier) else longest  # noqa: S311 - no secret


def real_delay(retrier: dict[str, Any], attempt: int, scale: float) -> float | None:
    """Seconds that this attempt waits here where that is not the shortened delay, else None."""
    attempts = retrier.get("MaxAttempts", 3)
    outlasts = retrier.get(_OUTLASTS)
    if outlasts is None or attempt != max(0, attempts - 1 - _FOLLOWING) or _is_jittered(retrier):
        return None
    delays = [_longest_delay(retrier, number) for number in range(attempts)]
    if sum(delays) <= outlasts or sum(delays) * scale >= outlasts:
        return None
    return float(outlasts - sum(delays[:attempt]) * scale)


def _longest_delay(retrier: dict[str, Any], attempt: int) -> float:
    grown = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** attempt
    return float(min(grown, retrier.get("MaxDelaySeconds", grown)))


def _is_jittered(retrier: dict[str, Any]) -> bool:
    return retrier.get("JitterStrategy") == "FULL"


def _longest_life(state: dict[str, Any]) -> float | None:
    """Seconds that the function which a Task invokes may run, None where that is not a function's name."""
    if _INVOKE not in str(state.get("Resource", "")):
        return None
    name = (state.get("Arguments") or state.get("Parameters") or {}).get("FunctionName", "")
    function, configuration, _ = lambda_svc._get_func_record_for_ref(name)
    return float(configuration.get("Timeout", 3)) if function else None
