"""What the world does to those who act in it: how long things take, and what fails. This one is calm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.acting import Acting


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What happens to one attempt at a request. With a `code` it is refused before it does anything; otherwise the
    request is lost, or, if it is `carried_out`, its answer."""

    code: str | None = None
    status: int = 400
    carried_out: bool = False

    @property
    def said(self) -> str:
        if self.code:
            return f"{self.code} {self.status}"
        return "its answer is lost" if self.carried_out else "it is lost on the way"


class Weather:
    """Seconds, everywhere."""

    def latency(self, service: str) -> float:  # noqa: ARG002 - others look at it
        """From one who asks to the service, or back."""
        return 0.01

    def strike(self, service: str, operation: str, who: Acting, *, conditional: bool) -> Strike | None:  # noqa: ARG002 - as above
        """`conditional` is a request that S3 carries out only while something is so."""
        return None

    def before_request(self, service: str, operation: str, who: Acting, *, changes: bool) -> float:  # noqa: ARG002
        """How long who asks is suspended before the request is sent. May raise FunctionKilled."""
        return 0.0

    def after_request(self, service: str, operation: str, who: Acting, *, changes: bool) -> float:  # noqa: ARG002
        """The same after the answer came."""
        return 0.0

    def unanswered_invocation(self) -> bool:
        """Whether Step Functions gets no answer of a function, which goes on."""
        return False

    def refused_invocation(self, function: str) -> str | None:  # noqa: ARG002 - as above
        """The error with which Lambda refuses to invoke a function; None if it does not."""
        return None

    def refused_task(self, machine: str, state: str, service: str) -> str | None:  # noqa: ARG002 - as above
        """The error with which a service refuses what a state asks for; None if it does not. `machine` is the logical
        id, `state` the machine's name and the state's (news-flywheel-turn/BeginTurn)."""
        return None

    def deliveries(self, rule: str) -> Sequence[float]:  # noqa: ARG002 - as above
        """When each copy of an event arrives: none, if it is lost."""
        return (0.5,)

    def clock_skew(self, who: str) -> float:  # noqa: ARG002 - as above
        return 0.0
