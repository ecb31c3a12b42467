"""Logging of every function, by Powertools. Logs carry no text of any document.

Lambda and Step Functions trace by themselves; the X-Ray SDK, which ends in February 2027, would add a third to the
time that a function takes to start.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools.logging import Logger

from flywheel.service_faults import faults_named

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Result = TypeVar("Result", bound=dict[str, Any] | None)

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
