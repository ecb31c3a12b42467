"""One deployed app: its stacks in an account, and what was done to it that the claims must know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.api import ACCOUNT, ApiError, Caller
from tests.simulation.deployment.synthesis import context_of, templates_of
from tests.simulation.deployment.templates import resolve
from tests.simulation.schedule.plan import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulation.deployment.stack import Machine, Stack
    from tests.simulation.world import World


class App:
    """`parameters` are by stack: "flywheel", "serving", "analysis"."""

    def __init__(
        self, world: World, *, kind: str, parameters: Mapping[str, Mapping[str, str]], account: str = ACCOUNT
    ) -> None:
        self.world = world
        self.account = account
        self.kind = kind
        self.generation = 1
        self.parameters = {stack: dict(values) for stack, values in parameters.items()}
        self.stacks: dict[str, Stack] = {}
        self.flywheels: list[str] = []
        """ARNs, the present one last."""
        self.turns_seen = -1
        self.seen_active: str | None = None
        """The active model that a claim saw last."""
        self.wanted_models: set[str] = set()
        """Models that a person asked for, by whatever way."""
        self.numbers: dict[str, tuple[str, int]] = {}
        """Of the present turn and promotion, with the version in which a claim saw it."""
        self.promoted: set[str] = set()
        """Models that became active by a decision."""
        self.deleted_models: set[str] = set()
        self.deleted_uploads: set[str] = set()
        """Keys."""

    @property
    def name(self) -> str:
        name: str = context_of(KINDS[self.kind])["name"]
        return name

    def deploy(self) -> None:
        """As `cdk deploy --all`: also in the place of what is deployed."""
        for name, template in self.templates().items():
            part = name.rpartition("-")[2]
            stack = self.resolved(name, template, self.parameters.get(part, {}))
            self.stacks[part] = stack
            self.world.deploy_first(stack)
            self._create_flywheels(stack)
            self.world.deploy(stack)

    def templates(self) -> Mapping[str, Mapping[str, Any]]:
        """By the names of their stacks, in the order of their deployment."""
        return templates_of(KINDS[self.kind], self.generation)

    def resolved(self, name: str, template: Mapping[str, Any], parameters: Mapping[str, str]) -> Stack:
        published = self.world.published(self.account)
        return resolve(template, name=name, account=self.account, parameters=parameters, published=published)

    def _create_flywheels(self, stack: Stack) -> None:
        for flywheel in stack.flywheels:
            if flywheel.arn not in self.flywheels:
                request = {name: value for name, value in flywheel.properties.items() if name != "DataSecurityConfig"}
                security = flywheel.properties.get("DataSecurityConfig")
                if security:
                    request["DataSecurityConfig"] = security
                self.world.comprehend.answer("CreateFlywheel", request, Caller(account=self.account))
                self.flywheels.append(flywheel.arn)
                self._wait_for(flywheel.arn)

    def _wait_for(self, flywheel_arn: str) -> None:
        """CloudFormation goes on when the flywheel is ACTIVE."""
        kernel, owner = self.world.kernel, Caller(account=self.account)
        while True:
            try:
                found = self.world.comprehend.answer("DescribeFlywheel", {"FlywheelArn": flywheel_arn}, owner)
            except ApiError:
                # It does not show yet.
                found = {"FlywheelProperties": {"Status": "CREATING"}}
            if found["FlywheelProperties"]["Status"] != "CREATING":
                return
            if kernel.in_process:
                kernel.sleep(30)
            else:
                kernel.run_until(kernel.now + 30)

    def change_parameters(self, part: str, values: dict[str, str]) -> None:
        self.parameters.setdefault(part, {}).update(values)
        self.deploy()

    @property
    def flywheel_arn(self) -> str:
        return self.flywheels[-1]

    @property
    def intake(self) -> str:
        """The bucket's name."""
        return next(
            bucket.name for bucket in self.stacks["flywheel"].buckets if bucket.logical_id.startswith("BucketsIntake")
        )

    def machine(self, word: str) -> Machine:
        """The one whose logical id begins so."""
        return next(
            machine
            for stack in self.stacks.values()
            for machine in stack.machines
            if machine.logical_id.startswith(word)
        )

    def started(self) -> int:
        """How many turns and promotions were started, or started again."""
        return sum(
            1 + execution.redrive_count
            for word in ("Turn", "Promote")
            for execution in self.world.states.of(self.machine(word).arn)
        )

    def uploaded_ids(self) -> list[str]:
        return [key.split("/")[1] for key in self.world.s3.keys(self.intake, "uploads/")]
