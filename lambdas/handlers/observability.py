"""Logging and tracing of every function, by Powertools. Logs carry no text of any document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools import Logger, Tracer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Result = TypeVar("Result", bound=dict[str, Any] | None)

logger = Logger()
_tracer = Tracer()


def observed(
    handler: Callable[[dict[str, Any], LambdaContext], Result],
) -> Callable[[dict[str, Any], LambdaContext], Result]:
    """A handler whose logs name the request, with a trace; neither holds event or result, which may quote documents."""
    traced = _tracer.capture_lambda_handler(capture_response=False)(handler)
    logged: Callable[[dict[str, Any], LambdaContext], Result] = logger.inject_lambda_context(log_event=False)(traced)
    return logged
