"""Bad weather: what it does is drawn from the seed, at the rates of the plan, until it is calm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tests.simulation.functions import FunctionKilled
from tests.simulation.weather import Strike, Weather

if TYPE_CHECKING:
    from tests.simulation.acting import Acting
    from tests.simulation.kernel import Kernel
    from tests.simulation.schedule.plan import Rates

_REFUSALS = {
    "s3": (("SlowDown", 503), ("InternalError", 500), ("ServiceUnavailable", 503)),
    "ssm": (("ThrottlingException", 400), ("InternalServerError", 500)),
    "comprehend": (("ThrottlingException", 400), ("InternalServerException", 500), ("TooManyRequestsException", 429)),
    "stepfunctions": (("ThrottlingException", 400), ("InternalFailure", 500)),
    "sqs": (("ThrottlingException", 400), ("InternalFailure", 500)),
    "sns": (("ThrottlingException", 400), ("InternalError", 500)),
    "events": (("ThrottlingException", 400), ("InternalException", 500)),
    "application-autoscaling": (("ConcurrentUpdateException", 500), ("InternalServiceException", 500)),
}
_CONFLICTS = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject"})


class Storm(Weather):
    """`tell` hears of what functions suffer. From `calm_after` on (a moment of the kernel) it does nothing; nobody
    looks after `until`."""

    def __init__(
        self, kernel: Kernel, rates: Rates, *, calm_after: float, until: float, tell: Callable[[str, object], None]
    ) -> None:
        self._kernel = kernel
        self._rates = rates
        self._calm_after = calm_after
        self._tell = tell
        self._latencies = kernel.random("latencies")
        self._strikes = kernel.random("strikes")
        self._fates = kernel.random("fates")
        self._events = kernel.random("events")
        self._plans: dict[str, tuple[str, int, float]] = {}
        """What happens to a function, at which of its requests, and for how long."""
        self._requests: dict[str, int] = {}
        self._outages = self._drawn_outages(until)

    def _drawn_outages(self, until: float) -> list[tuple[float, float, str]]:
        """(from, to, service)"""
        draw, found = self._kernel.random("outages"), []
        moment = self._kernel.now
        while self._rates.outages and moment < until:
            moment += draw.expovariate(self._rates.outages / 3600)
            found.append((moment, moment + draw.choice((60, 600, 1800)), draw.choice(sorted(_REFUSALS))))
        return found

    @property
    def calm(self) -> bool:
        return self._kernel.now >= self._calm_after

    def latency(self, service: str) -> float:  # noqa: ARG002 - all are alike
        draw = self._latencies.random()
        if draw < self._rates.slow and not self.calm:
            return 1 + 20 * self._latencies.random()
        return 0.002 + 0.05 * draw

    def strike(self, service: str, operation: str, who: Acting) -> Strike | None:
        if self.calm:
            return None
        rates, draw = self._rates, self._strikes
        now = self._kernel.now
        out = any(begin <= now < end and service == of for begin, end, of in self._outages)
        if draw.random() < (0.9 if out else rates.refused):
            if service == "s3" and operation in _CONFLICTS and draw.random() < 0.2:
                return Strike(code="ConditionalRequestConflict", status=409)
            code, status = draw.choice(_REFUSALS[service]) if service in _REFUSALS else ("InternalFailure", 500)
            return Strike(code=code, status=status)
        if draw.random() < rates.lost_answers:
            return Strike(carried_out=draw.random() < 0.7)
        return None

    def before_request(self, service: str, operation: str, who: Acting) -> float:
        plan = self._plan(who.who)
        count = self._requests[who.who] = self._requests.get(who.who, 0) + 1
        if plan is not None and plan[1] == count:
            return self._suffer(plan, f"before {service}:{operation}", who.who)
        return 0.0

    def after_request(self, service: str, operation: str, who: Acting) -> float:
        plan = self._plan(who.who)
        if plan is not None and plan[1] == -self._requests.get(who.who, 0):
            return self._suffer(plan, f"after {service}:{operation}", who.who)
        return 0.0

    def _plan(self, who: str) -> tuple[str, int, float] | None:
        if "#" not in who:
            return None
        if who not in self._plans:
            draw, rates = self._fates, self._rates
            kind = draw.random()
            place = draw.randint(1, draw.choice((4, 12, 40))) * draw.choice((1, -1))
            length = draw.choice((5.0, 60.0, 300.0, 900.0))
            if self.calm or kind >= rates.killed + rates.suspended:
                self._plans[who] = ("nothing", 0, 0.0)
            else:
                self._plans[who] = ("killed" if kind < rates.killed else "suspended", place, length)
        return self._plans[who]

    def _suffer(self, plan: tuple[str, int, float], where: str, who: str) -> float:
        kind, _, length = plan
        if kind == "killed":
            self._tell(who, f"is killed {where}")
            raise FunctionKilled(f"{who} was killed {where}.")
        if kind == "suspended":
            self._tell(who, f"is suspended {where} for {length:.0f} s")
            return length
        return 0.0

    def unanswered_invocation(self) -> bool:
        return not self.calm and self._fates.random() < self._rates.invoked_again

    def deliveries(self, rule: str) -> Sequence[float]:  # noqa: ARG002 - all are alike
        draw, rates = self._events, self._rates
        if self.calm:
            return (0.5,)
        if draw.random() < rates.events_lost:
            return ()
        delay = draw.choice((60.0, 900.0, 4000.0)) if draw.random() < rates.events_late else draw.uniform(0.1, 3)
        if draw.random() < rates.events_repeated:
            return (delay, delay + draw.choice((0.01, 30.0, 2000.0)))
        return (delay,)

    def clock_skew(self, who: str) -> float:
        """The same for an execution environment as long as it lives; here for an invocation."""
        if not self._rates.skewed:
            return 0.0
        return self._rates.skewed * (hash_of(who, self._kernel.seed) * 2 - 1)


def hash_of(text: str, seed: int) -> float:
    """From 0 to 1, the same in every process."""
    import hashlib

    digest = hashlib.blake2b(f"{seed}/{text}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48
