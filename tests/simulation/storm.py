"""Bad weather: what it does is drawn from the seed, at the rates of the plan, until it is calm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from tests.simulation.functions import FunctionKilled
from tests.simulation.weather import Strike, Weather

if TYPE_CHECKING:
    from random import Random

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
_INVOCATION_FAULTS = ("Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.SdkClientException")
_SCARCE = {
    "CreateDataset": ("ResourceLimitExceededException", 400),
    "ImportModel": ("ResourceLimitExceededException", 400),
    "StartDocumentClassificationJob": ("TooManyRequestsException", 429),
    "StartEntitiesDetectionJob": ("TooManyRequestsException", 429),
}
"""What Comprehend refuses while others of the account have all that a quota gives, and how."""
_MACHINES = {"Turn": 1, "Promote": 3, "Serve": 1, "Analyze": 2}
"""How often each is the unlucky one, by how its logical id begins. Promotions have most of the seldom states."""
_SELDOM = frozenset(
    {
        "AwaitImportAsk",
        "AwaitPartAsk",
        "AwaitPredictionAsk",
        "AwaitTrialAsk",
        "DeleteOldImports",
        "DeleteOldModels",
        "JudgeModel",
        "PutBackFormerModel",
        "ReportDeclined",
        "ReportFailedTest",
        "ReportSmokeTest",
        "ReportSuperseded",
        "ReportTimeout",
        "ServeFormerModel",
        "SplitUnits",
    }
)
"""States that few schedules enter: where there is bad luck, they have it more often."""
_OFTENER = 6
_OF_FEW_FUNCTIONS = frozenset({"application-autoscaling", "comprehend", "events"})
"""Services of which few functions ask for a change, mostly for one: each such request has a chance of its own to be
where a function is killed or suspended."""
_LONGER_THAN_RETRIES = 2400.0
"""Than those of a state, but for Lambda.TooManyRequestsException and ServiceBusy."""
_CONFLICTS = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject"})


@dataclass(kw_only=True)
class _Fate:
    """What happens to a function at one of its requests."""

    kind: str | None = None
    place: int = 0
    """Which request it is, of those that count."""
    before: bool = True
    """Before it is sent, or after it was answered."""
    of_changes: bool = False
    """Only requests that change something count."""
    length: float = 0.0
    """Seconds."""
    share: float = 0.0
    """Of the time that the function has left."""
    requests: int = 0


@dataclass(kw_only=True)
class _Network:
    """Of a function: which request it is cut off at, and until when."""

    place: float
    until: float = -inf
    requests: int = 0


@dataclass(kw_only=True)
class _Luck:
    """Of a state: how many of its tasks are refused, until when, and how."""

    code: str
    times: float
    until: float


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
        self._chances = kernel.random("chances")
        self._events = kernel.random("events")
        self._people = kernel.random("people")
        self._invocations = kernel.random("refused invocations")
        self._by_name: dict[str, _Fate] = {}
        """Of invocations."""
        self._broken: dict[str, tuple[float, float]] = {}
        """By function: from when to when Lambda cannot invoke it."""
        self._cuts = kernel.random("networks")
        self._networks: dict[str, _Network] = {}
        """Of invocations."""
        self._states = kernel.random("luck of states")
        self._unlucky = self._states.choices(list(_MACHINES), list(_MACHINES.values()))[0]
        self._luck: dict[str, _Luck | None] = {}
        """By state; None: nothing is refused."""
        self._outages = self._drawn_times("outages", rates.outages, until, (60, 600, 1800), sorted(_REFUSALS))
        """Of services."""
        self._used_up = self._drawn_times("quotas", rates.used_up, until, (1800, 7200), sorted(_SCARCE))
        """Of operations."""

    def _drawn_times(
        self, purpose: str, rate: float, until: float, lengths: Sequence[float], of: Sequence[str]
    ) -> list[tuple[float, float, str]]:
        """(from, to, one `of` these), so many an hour"""
        draw, found = self._kernel.random(purpose), []
        moment = self._kernel.now
        while rate and moment < until:
            moment += draw.expovariate(rate / 3600)
            found.append((moment, moment + draw.choice(lengths), draw.choice(of)))
        return found

    def _is_in(self, times: Sequence[tuple[float, float, str]], what: str) -> bool:
        now = self._kernel.now
        return any(begin <= now < end and what == of for begin, end, of in times)

    @property
    def calm(self) -> bool:
        return self._kernel.now >= self._calm_after

    def latency(self, service: str) -> float:  # noqa: ARG002 - all are alike
        draw = self._latencies.random()
        if draw < self._rates.slow and not self.calm:
            return 1 + 20 * self._latencies.random()
        return 0.002 + 0.05 * draw

    def strike(self, service: str, operation: str, who: Acting, *, conditional: bool) -> Strike | None:
        if self.calm:
            return None
        rates, draw = self._rates, self._strikes
        if self._is_in(self._used_up, operation):
            code, status = _SCARCE[operation]
            return Strike(code=code, status=status)
        if rates.cut_off and "#" in who.who and self._is_cut_off(who.who):
            return Strike()
        if rates.conflicts and conditional and operation in _CONFLICTS and draw.random() < rates.conflicts:
            return Strike(code="ConditionalRequestConflict", status=409)
        if draw.random() < (0.9 if self._is_in(self._outages, service) else rates.refused):
            code, status = draw.choice(_REFUSALS[service]) if service in _REFUSALS else ("InternalFailure", 500)
            return Strike(code=code, status=status)
        if draw.random() < rates.lost_answers:
            return Strike(carried_out=draw.random() < 0.7)
        return None

    def _is_cut_off(self, who: str) -> bool:
        """In the middle of its work, mostly for longer than the SDK tries again."""
        draw, now = self._cuts, self._kernel.now
        if who not in self._networks:
            cut = draw.random() < self._rates.cut_off
            self._networks[who] = _Network(place=draw.choice((1, 2, 4, 8, 20, 50)) if cut else inf)
        network = self._networks[who]
        network.requests += 1
        if network.requests == network.place:
            network.until = now + draw.choice((30.0, 120.0, 240.0))
        return now < network.until

    def before_request(self, service: str, operation: str, who: Acting, *, changes: bool) -> float:
        return self._happens(who, "before", service, operation, changes=changes)

    def after_request(self, service: str, operation: str, who: Acting, *, changes: bool) -> float:
        return self._happens(who, "after", service, operation, changes=changes)

    def _happens(self, who: Acting, when: str, service: str, operation: str, *, changes: bool) -> float:
        where, before = f"{when} {service}:{operation}", when == "before"
        if "#" not in who.who:
            return self._dawdles(who.who, where) if changes and before else 0.0
        fate = self._fate(who.who)
        if fate.kind is None and changes and service in _OF_FEW_FUNCTIONS:
            self._give_chance(fate, before=before)
        if fate.kind is None or fate.before is not before or (fate.of_changes and not changes):
            return 0.0
        fate.requests += 1
        if fate.requests != fate.place:
            return 0.0
        world = who.world
        world.visits[f"{fate.kind} {where}"] += 1
        if fate.kind == "killed":
            self._tell(who.who, f"is killed {where}")
            raise FunctionKilled(f"{who.who} was killed {where}.")
        if fate.kind == "abandoned":
            if not world.abandon(who.who):
                return 0.0
            length = max(1.0, fate.share * (world.functions.remaining(who.who) - 10))
            self._tell(who.who, f"is suspended {where} for {length:.0f} s, and its execution is stopped")
            return length
        self._tell(who.who, f"is suspended {where} for {fate.length:.0f} s")
        return fate.length

    def _dawdles(self, who: str, where: str) -> float:
        """Whoever is no function takes their time between what they saw and what they change: their computer sleeps."""
        draw = self._people
        if self.calm or draw.random() >= self._rates.suspended:
            return 0.0
        length = draw.choice((1.0, 5.0, 60.0, 600.0))
        self._tell(who, f"is suspended {where} for {length:.0f} s")
        return length

    def _fate(self, who: str) -> _Fate:
        if who not in self._by_name:
            self._by_name[who] = self._drawn_fate(self._fates)
        return self._by_name[who]

    def _give_chance(self, fate: _Fate, *, before: bool) -> None:
        """That it happens here."""
        drawn = self._drawn_fate(self._chances)
        if drawn.kind is not None and (before or drawn.kind != "abandoned"):
            fate.kind, fate.length, fate.share = drawn.kind, drawn.length, drawn.share
            fate.place, fate.before, fate.of_changes, fate.requests = 1, before, False, 0

    def _drawn_fate(self, draw: Random) -> _Fate:
        rates = self._rates
        chance, share = draw.random(), draw.random()
        fate = _Fate(
            place=draw.choice((1, 1, 2, 3, draw.randint(4, 12), draw.randint(4, 40))),
            before=draw.random() < 0.6,
            of_changes=draw.random() < 0.6,
            length=draw.choice((5.0, 60.0, 300.0, 900.0)),
            share=share,
        )
        for kind, rate in (("killed", rates.killed), ("suspended", rates.suspended), ("abandoned", rates.abandoned)):
            if chance < rate and not self.calm:
                fate.kind = kind
                if kind == "abandoned":
                    fate.of_changes, fate.before = True, share < 0.9
                    fate.place = draw.choice((1, 1, 1, 2, 2, 3, 4, 6))
                break
            chance -= rate
        return fate

    def unanswered_invocation(self) -> bool:
        return not self.calm and self._fates.random() < self._rates.invoked_again

    def refused_invocation(self, function: str) -> str | None:
        """Now and then one function cannot be invoked for some time, longer than anybody tries again: its key is
        disabled, its network is away."""
        draw, rates, now = self._invocations, self._rates, self._kernel.now
        if self.calm:
            return None
        begin, end = self._broken.get(function, (0.0, 0.0))
        if begin <= now < end:
            return "Lambda.AWSLambdaException"
        if draw.random() < rates.broken:
            self._tell(function, "cannot be invoked for some time")
            self._broken[function] = (now, now + draw.choice((120.0, 900.0, 3600.0)))
        return draw.choice(_INVOCATION_FAULTS) if draw.random() < rates.not_invoked else None

    def refused_task(self, machine: str, state: str, service: str) -> str | None:
        """Of one machine, so that what it needs of others is there, each state has its luck once: what it asks for is
        refused a time or two, or for longer than it asks again. So states that are seldom entered meet that as well."""
        now = self._kernel.now
        if self.calm or not machine.startswith(self._unlucky):
            return None
        if state not in self._luck:
            often = _OFTENER if state.rpartition("/")[2] in _SELDOM else 1
            self._luck[state] = self._drawn_luck(service, rate=self._rates.unlucky * often)
        luck = self._luck[state]
        if luck is None or not luck.times or now >= luck.until:
            return None
        luck.times -= 1
        return luck.code

    def _drawn_luck(self, service: str, *, rate: float) -> _Luck | None:
        draw = self._states
        if draw.random() >= rate:
            return None
        if draw.random() < 0.5:
            code = "TooManyRequestsException" if service == "lambda" else draw.choice(_REFUSALS[service])[0]
            return _Luck(code=code, times=draw.randint(1, 2), until=inf)
        code = "AWSLambdaException" if service == "lambda" else draw.choice(_REFUSALS[service])[0]
        return _Luck(code=code, times=inf, until=self._kernel.now + _LONGER_THAN_RETRIES)

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
