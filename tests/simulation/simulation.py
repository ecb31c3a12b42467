"""Runs one plan and checks the claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import ValidationError

from local.comprehend.faults import Fault
from local.comprehend.settings import Settings
from tests.simulation.api import ACCOUNT, IMPORTER
from tests.simulation.app import App
from tests.simulation.claims import destroyed
from tests.simulation.claims.broken import ClaimBroken
from tests.simulation.cloudformation import DeploymentFailed
from tests.simulation.deployment.synthesis import ADOPTED_DATA, ADOPTING, context_of
from tests.simulation.kernel import BEGINNING, Kernel
from tests.simulation.people import People
from tests.simulation.schedule.act import Act
from tests.simulation.schedule.documents import Author
from tests.simulation.services.learner import Talent, talents
from tests.simulation.storm import Storm
from tests.simulation.trainings import train
from tests.simulation.weather import Weather
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.machines.execution import Execution
    from tests.simulation.schedule.plan import Plan

_REST_WITHIN = 6 * 86400.0
_LOOKS = 3
_FIRST_NUMBER = 900_000
"""Of the texts that the model was trained on with which a flywheel begins: nobody else's."""
_LOOK_EVERY = 6 * 3600.0 + 420
"""No multiple of what schedules do: looks must not fall together with them each time."""


@dataclass(kw_only=True)
class Run:
    """What a schedule came to."""

    plan: Plan
    broken: ClaimBroken | None = None
    story: list[tuple[float, str, object]] = field(default_factory=list)
    """(moment, who, what)"""
    visits: Counter[str] = field(default_factory=Counter)
    grants: Counter[str] = field(default_factory=Counter)
    """How often each was used."""
    granted: frozenset[str] = frozenset()
    """All that there are."""
    requests: int = 0
    simulated: float = 0.0


@dataclass(kw_only=True)
class Situation:
    """What claims look at."""

    plan: Plan
    world: World
    app: App
    people: People
    importing: App | None = None
    """Where another account imports the models."""
    importers: People | None = None
    """Who work there."""


Claim = Callable[[Situation], None]
"""Raises ClaimBroken."""


def run(plan: Plan, *, always: Mapping[Claim, str], at_the_end: Sequence[Claim], at_rest: Sequence[Claim]) -> Run:
    """Must run while `installation.installed` is in force."""
    found = Run(plan=plan)
    kernel = Kernel(plan.seed)

    def tell(who: str, what: object) -> None:
        found.story.append((kernel.now, who, what))

    calm_after = kernel.now + plan.calm_after if plan.bounded else float("inf")
    storm = Storm(kernel, plan.rates, calm_after=calm_after, until=kernel.now + plan.calm_after, tell=tell)
    world = World(kernel=kernel, comprehend=Settings().merged(dict(plan.readings)), weather=storm, tell=tell)
    world.events.least_period = plan.least_period
    world.states.behind = plan.behind
    quality = kernel.random("talents")

    trainings = count(1)

    def talent() -> Talent:
        drawn = quality.uniform(0.4, 1.0)
        if plan.improving:
            drawn = 0.4 + 0.06 * min(next(trainings), 9) + 0.05 * drawn
        return Talent(quality=drawn, seed=quality.getrandbits(32))

    try:
        with talents(talent):
            _play(plan, kernel, world, always=always, at_the_end=at_the_end, at_rest=at_rest)
    except ClaimBroken as broken:
        found.broken = broken
        tell("the claim", str(broken))
    finally:
        found.visits, found.requests = world.visits, world.requests
        found.grants, found.granted = Counter(world.roles.used), frozenset(world.roles.grants())
        found.simulated = kernel.now - BEGINNING
        world.close()
    return found


def _play(
    plan: Plan,
    kernel: Kernel,
    world: World,
    *,
    always: Mapping[Claim, str],
    at_the_end: Sequence[Claim],
    at_rest: Sequence[Claim],
) -> None:
    app = App(world, kind=plan.kind, parameters=plan.parameters, adopts=plan.adopts)
    if plan.adopts:
        app.wanted_models.add(_train_model(plan, world))
    if any(act.kind == "deploy serving" for act in plan.acts):
        app.without.add("serving")
    app.deploy_first()
    kernel.run_until(kernel.now + 120)
    people = People(world, app)
    situation = Situation(plan=plan, world=world, app=app, people=people)
    if plan.importing is not None:
        situation.importing = App(world, kind="IMPORT", parameters=plan.importing, account=IMPORTER)
        situation.importing.deploy_first()
        situation.importers = People(world, situation.importing)
        if plan.smoke_test is not None:
            situation.importers.plan(Act(at=300, kind="upload", file=plan.smoke_test))
    everybody = [who for who in (situation.people, situation.importers) if who is not None]
    world.on_stopped = [who.hear_of_stopped for who in everybody]
    for act in plan.acts:
        who = situation.importers if act.importing else people
        assert who is not None
        who.plan(act)
    _break_resources(plan, kernel, world)
    end = kernel.now + plan.calm_after
    watch = _Watch(always, situation)
    watch.run_until(end)
    if not plan.bounded:
        _check(at_the_end, situation)
        return
    world.comprehend.local.faults.clear()
    # After three turns that waited in vain none begins until somebody asks for one.
    looks = [end + 600 + day * 86400 for day in range(_LOOKS if plan.too_slow else 1)]
    for who in everybody:
        for look in looks:
            who.plan(Act(at=look - BEGINNING, kind="look after the pipeline"))
    last = end + _REST_WITHIN
    while kernel.now < looks[-1] or not _rests(world, situation):
        if kernel.now > last:
            at_work = [*world.functions.running, *(one.name for one in _running(world))]
            days = _REST_WITHIN / 86400
            raise ClaimBroken("comes_to_rest", f"After {days:.0f} calm days it is still at work: {at_work}")
        watch.run_until(kernel.now + _LOOK_EVERY)
    # As whoever looks a minute later.
    world.states.behind = 0.0
    _check([*at_the_end, *at_rest], situation)
    if plan.destroyed:
        _destroy(situation, plan.destroyed)


def _train_model(plan: Plan, world: World) -> str:
    """The one that the flywheel begins with, in fair weather; its ARN."""
    author = Author(random=world.kernel.random("adopted"), kind=plan.kind, labels=plan.labels, count=_FIRST_NUMBER)
    arn: str = context_of(ADOPTING)["initial_model_arn"]
    name, _, version = arn.split("/")[1:]
    weather, world.weather = world.weather, Weather()
    rows = author.file("train", "adopted", per_label=10).content
    train(world, rows, name=name, version=version, folder=ADOPTED_DATA, account=ACCOUNT)
    world.weather = weather
    return arn


def _destroy(situation: Situation, parts: Sequence[str]) -> None:
    """As `make destroy`, which waits until nothing runs."""
    for app, people in ((situation.app, situation.people), (situation.importing, situation.importers)):
        if app is not None and people is not None:
            try:
                people.destroy(parts)
            except DeploymentFailed as error:
                raise ClaimBroken("stacks_can_be_destroyed", str(error)) from error
            for claim in (destroyed.nothing_bills_by_the_hour, destroyed.no_runtime_parameter_is_left):
                situation.world.visits[f"claim/{claim.__name__}"] += 1
                claim(situation, app)
    if situation.world.kernel.failures:
        raise situation.world.kernel.failures[0]


class _Watch:
    """Checks the claims that hold always, each when the service that it is about was changed."""

    def __init__(self, always: Mapping[Claim, str], situation: Situation) -> None:
        self._claims = always
        self._situation = situation
        self._seen: dict[str, int] = {}

    def run_until(self, moment: float) -> None:
        changes = self._situation.world.changes
        self._situation.world.kernel.run_until(moment, unseen=lambda: changes != self._seen, look=self._look)

    def _look(self) -> None:
        changes = self._situation.world.changes
        _check(
            [claim for claim, of in self._claims.items() if changes.get(of) != self._seen.get(of)],
            self._situation,
        )
        self._seen = dict(changes)


def _break_resources(plan: Plan, kernel: Kernel, world: World) -> None:
    draw = kernel.random("failed resources")
    if plan.rates.failed_resources:
        for resource in ("dataset", "iteration", "job", "endpoint", "import"):
            if draw.random() < 0.5:
                fault = Fault(resource=resource, every=draw.randint(1, 4), times=draw.randint(1, 3))
                world.comprehend.local.faults.add(fault)


def _rests(world: World, situation: Situation) -> bool:
    """Nothing runs, and nothing was started since the last look but what the schedules start."""
    still = True
    for app in (situation.app, situation.importing):
        if app is not None:
            before, app.turns_seen = app.turns_seen, app.started()
            still = still and before == app.turns_seen
    return not _running(world) and not world.functions.running and still


def _running(world: World) -> list[Execution]:
    return [
        one
        for one in world.states.executions.values()
        if one.status == "RUNNING" and not world.states.waits_for_a_person(one)
    ]


def _check(claims: Sequence[Claim], situation: Situation) -> None:
    for claim in claims:
        situation.world.visits[f"claim/{claim.__name__}"] += 1
        try:
            claim(situation)
        except (ClientError, ValidationError) as error:
            # A record that cannot be read, or who may not read it, is no less wrong than what it says.
            raise ClaimBroken(claim.__name__, f"it cannot be checked: {error}") from error
    if situation.world.kernel.failures:
        raise situation.world.kernel.failures[0]
