"""What people do, by the commands of `flywheel` and the console's own calls, in the name of an operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.faults.errors import FlywheelError
from flywheel.promotions.requests import waiting_promotion
from flywheel.store.parameters import DESIRED
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.deployment.published import Deployment, find_deployment
from ops.verbs import approve, exclude, pause, rollback, turns
from tests.simulation import clients
from tests.simulation.acting import Acting, acting
from tests.simulation.api import REGION, ApiError

if TYPE_CHECKING:
    import boto3

    from flywheel.records.promotions import PromotionRequest
    from tests.simulation.app import App
    from tests.simulation.schedule.plan import Act
    from tests.simulation.world import World

EXPECTED = (FlywheelError, OperatorError, ClientError, BotoCoreError)
"""What a command may answer a person with."""


class _Session:
    """In the place of boto3's, for `Clients`."""

    region_name = REGION

    def __init__(self, as_: Acting) -> None:
        self._as = as_

    def client(self, service: str, *, config: Any = None) -> Any:
        return clients.client(service, as_=self._as, config=config)


class People:
    """`done` hears of each act that was done, before its requests: claims look at who wanted what."""

    def __init__(self, world: World, app: App) -> None:
        self._world = world
        self._app = app
        self._person = world.as_person("an operator", account=app.account)
        self.done: list[tuple[float, Act]] = []
        self._acts: dict[str, Callable[[Act], None]] = {
            "upload": self._upload,
            "delete an upload": self._delete_upload,
            "turn now": lambda _: self._request_turn(),
            "overrule the minimum": lambda _: self._request_turn(overrule_minimum=True),
            "pause": lambda _: self._void(pause.pause(self.deployment, reason="a break")),
            "resume": lambda _: self._void(pause.resume(self.deployment)),
            "approve": self._approve,
            "decline": self._decline,
            "roll back": self._roll_back,
            "edit desired-model-arn": self._edit_desired,
            "change the model in the console": self._change_model,
            "change a parameter": self._change_parameter,
            "delete an old model": self._delete_model,
            "stop a turn": lambda act: self._stop(act, "Turn"),
            "stop a promotion": lambda act: self._stop(act, "Promote"),
            "stop a serving": lambda act: self._stop(act, "Serve"),
            "redrive a turn": lambda act: self._redrive(act, "Turn"),
            "redrive a promotion": lambda act: self._redrive(act, "Promote"),
            "start a turn by hand": lambda act: self._start(act, "Turn", "turn"),
            "start a promotion by hand": lambda act: self._start(act, "Promote", "promotion"),
            "exclude an upload": self._exclude,
            "poke": lambda _: self._poke(),
        }

    @contextmanager
    def acting(self) -> Iterator[None]:
        token = acting.set(self._person)
        try:
            yield
        finally:
            acting.reset(token)

    def plan(self, act: Act) -> None:
        self._world.kernel.start(lambda: self.do(act), name=act.kind, after=act.at)

    def do(self, act: Act) -> None:
        with self.acting():
            self._world.tell("somebody", str(act))
            self._world.visits[f"act/{act.kind}"] += 1
            self.done.append((self._world.kernel.now, act))
            try:
                self._acts[act.kind](act)
            except EXPECTED as error:
                self._world.tell("somebody", f"is told: {type(error).__name__}: {error}"[:300])
                self._world.visits[f"act/{act.kind}/{type(error).__name__}"] += 1
            except ApiError as error:
                self._world.tell("somebody", f"is told: {error}"[:300])

    @property
    def deployment(self) -> Deployment:
        """As the command line finds it."""
        session = cast("boto3.session.Session", _Session(self._person))
        return find_deployment(Clients(session), name=self._app.name)

    def _client(self, service: str) -> Any:
        return clients.client(service, as_=self._person)

    @staticmethod
    def _void(_: object) -> None:
        pass

    def _upload(self, act: Act) -> None:
        assert act.file is not None
        self._client("s3").put_object(Bucket=self._app.intake, Key=act.file.key, Body=act.file.content)

    def _delete_upload(self, act: Act) -> None:
        keys = [key for split in ("train/", "test/") for key in self._world.s3.keys(self._app.intake, split)]
        if keys:
            key = keys[int(act.chance * len(keys))]
            self._app.deleted_uploads.add(key)
            self._client("s3").delete_object(Bucket=self._app.intake, Key=key)

    def _request_turn(self, *, overrule_minimum: bool = False) -> None:
        turns.request_turn(self.deployment, overrule_minimum=overrule_minimum)

    def _approve(self, act: Act) -> None:
        deployment = self.deployment
        for request in self._waiting(deployment):
            self._app.wanted_models.add(request.model_arn)
            approve.approve(deployment, request.id, reason="it looks good")

    def _decline(self, act: Act) -> None:
        deployment = self.deployment
        for request in self._waiting(deployment):
            approve.decline(deployment, request.id, reason="not this one")

    def _waiting(self, deployment: Deployment) -> list[PromotionRequest]:
        found = waiting_promotion(deployment.intake)
        return [found.beginning.request] if found is not None and found.beginning.request is not None else []

    def _roll_back(self, act: Act) -> None:
        found = rollback.rollback(self.deployment, reason="it was better before", now=self._now())
        self._app.wanted_models.add(found.model_arn)

    def _edit_desired(self, act: Act) -> None:
        model = self._some_model(act)
        if model is not None:
            self._app.wanted_models.add(model)
            name = f"/comprehend-flywheel/{self._app.name}/{DESIRED}"
            self._client("ssm").put_parameter(Name=name, Value=model, Type="String", Overwrite=True)

    def _change_model(self, act: Act) -> None:
        model = self._some_model(act)
        if model is not None:
            self._app.wanted_models.add(model)
            self._client("comprehend").update_flywheel(FlywheelArn=self.deployment.flywheel_arn, ActiveModelArn=model)

    def _some_model(self, act: Act) -> str | None:
        models = sorted(model.arn for model in self.deployment.service.own_models() if model is not None)
        return models[int(act.chance * len(models))] if models else None

    def _change_parameter(self, act: Act) -> None:
        self._app.change_parameters("flywheel", dict(act.detail))

    def _delete_model(self, act: Act) -> None:
        model = self._some_model(act)
        if model is not None:
            kind = self.deployment.kind
            kind.delete_model(self._client("comprehend"), model)
            self._app.deleted_models.add(model)

    def _executions(self, machine: str) -> list[Any]:
        return sorted(self._world.states.of(self._app.machine(machine).arn), key=lambda one: one.start_date)

    def _stop(self, act: Act, machine: str) -> None:
        running = [one for one in self._executions(machine) if one.status == "RUNNING"]
        if running:
            self._client("stepfunctions").stop_execution(executionArn=running[-1].arn, cause="a person stopped it")

    def _redrive(self, act: Act, machine: str) -> None:
        failed = [one for one in self._executions(machine) if one.status in ("FAILED", "ABORTED", "TIMED_OUT")]
        if failed:
            chosen = failed[-1] if act.chance < 0.7 else failed[int(act.chance * len(failed))]
            self._client("stepfunctions").redrive_execution(executionArn=chosen.arn)

    def _start(self, act: Act, machine: str, word: str) -> None:
        """Under a number of its own, or one that is not there yet, or one of the past."""
        names = ["by-hand", *(f"{word}-{number:06d}" for number in range(1, 6))]
        name = names[int(act.chance * len(names))]
        arn = self._app.machine(machine).arn
        self._client("stepfunctions").start_execution(stateMachineArn=arn, name=name, input="{}")

    def _exclude(self, act: Act) -> None:
        deployment = self.deployment
        known = sorted(self._app.uploaded_ids())
        if known:
            exclude.exclude(deployment, [known[int(act.chance * len(known))]], [], reason="it is bad", now=self._now())

    def _poke(self) -> None:
        self.deployment.poke()
        self.deployment.poke_promotions()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._world.kernel.now, tz=UTC)
