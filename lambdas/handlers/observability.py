"""Decorators for all functions: they check the event and the environment, and set up Powertools' logging.

Logs contain no text of documents.

Lambda and Step Functions send traces by themselves. The X-Ray SDK, whose support ends in February 2027, would make the
start of a function a third longer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools.logging import Logger
from pydantic import BaseModel

from flywheel.environment import Environment
from flywheel.faults.service_faults import faults_named

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Result = TypeVar("Result", bound=dict[str, Any] | None)
Event = TypeVar("Event", bound=BaseModel)
Variables = TypeVar("Variables", bound=Environment)

logger = Logger()


def observed(
    handler: Callable[[dict[str, Any], LambdaContext], Result],
) -> Callable[[dict[str, Any], LambdaContext], Result]:
    """Decorates a handler. Its logs have the request's id, but not the event, which may quote documents.

    Temporary errors are raised as ServiceFault, which the state machines retry.
    """

    @wraps(handler)
    def repeatable(event: dict[str, Any], context: LambdaContext) -> Result:
        with faults_named():
            return handler(event, context)

    logged: Callable[[dict[str, Any], LambdaContext], Result] = logger.inject_lambda_context(log_event=False)(
        repeatable
    )
    return logged


def handles(
    event_model: type[Event], environment_model: type[Variables]
) -> Callable[[Callable[[Event, Variables], Result]], Callable[[dict[str, Any], LambdaContext], Result]]:
    """Decorates a handler that gets a parsed event, and the environment, which is read once at the function's start.

    A ValidationError of the event fails the invocation; one of the environment fails the function's start.
    """
    environment = environment_model.load()

    def decorate(take: Callable[[Event, Variables], Result]) -> Callable[[dict[str, Any], LambdaContext], Result]:
        @observed
        @wraps(take)
        def checked(event: dict[str, Any], context: LambdaContext) -> Result:
            return take(event_model.model_validate(event), environment)

        return checked

    return decorate
