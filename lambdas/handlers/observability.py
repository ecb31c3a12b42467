"""What every function has around it: its event and environment checked, and logging by Powertools.

Logs carry no text of any document.

Lambda and Step Functions trace by themselves; the X-Ray SDK, which ends in February 2027, would add a third to the
time that a function takes to start.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools.logging import Logger
from pydantic import BaseModel

from flywheel.environment import Environment
from flywheel.service_faults import faults_named

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Result = TypeVar("Result", bound=dict[str, Any] | None)
Event = TypeVar("Event", bound=BaseModel)
Variables = TypeVar("Variables", bound=Environment)

logger = Logger()


def observed(
    handler: Callable[[dict[str, Any], LambdaContext], Result],
) -> Callable[[dict[str, Any], LambdaContext], Result]:
    """A handler whose logs name the request, and not its event, which may quote documents.

    What passes by itself is raised under the name that the machines repeat.
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
    """A handler of one kind of event: it gets the event checked, and the environment, which is read once at start.

    The event's ValidationError fails the execution; one of the environment fails the function's start.
    """
    environment = environment_model.load()

    def decorate(take: Callable[[Event, Variables], Result]) -> Callable[[dict[str, Any], LambdaContext], Result]:
        @observed
        @wraps(take)
        def checked(event: dict[str, Any], context: LambdaContext) -> Result:
            return take(event_model.model_validate(event), environment)

        return checked

    return decorate
