"""One deployed app: its stacks in an account, and what was done to it that the claims must know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.api import ACCOUNT, Caller
from tests.simulation.deployment.synthesis import context_of, synthesised
from tests.simulation.deployment.templates import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulation.deployment.stack import Machine, Stack
    from tests.simulation.world import World

KINDS = {"MULTI_CLASS": "classifier", "MULTI_LABEL": "multi-label", "ENTITIES": "recognizer"}
"""Of settings, by the kind of a plan."""


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
        self.seen_active: str | None = None
        """The active model that a claim saw last."""
        self.wanted_models: set[str] = set()
        """Models that a person asked for, by whatever way."""
        self.deleted_models: set[str] = set()
        self.deleted_uploads: set[str] = set()
        """Keys."""

    @property
    def name(self) -> str:
        name: str = context_of(KINDS[self.kind])["name"]
        return name

    def deploy(self) -> None:
        """As `cdk deploy --all`: also in the place of what is deployed."""
        templates = synthesised(context_of(KINDS[self.kind], self.generation))
        for name, template in templates.items():
            part = name.rpartition("-")[2]
            stack = resolve(
                template,
                name=name,
                account=self.account,
                parameters=self.parameters.get(part, {}),
                published=self.world.published(self.account),
            )
            self.stacks[part] = stack
            self._create_flywheels(stack)
            self.world.deploy(stack)

    def _create_flywheels(self, stack: Stack) -> None:
        for flywheel in stack.flywheels:
            if flywheel.arn not in self.flywheels:
                request = {name: value for name, value in flywheel.properties.items() if name != "DataSecurityConfig"}
                security = flywheel.properties.get("DataSecurityConfig")
                if security:
                    request["DataSecurityConfig"] = security
                # The role is part of the same stack.
                self.world.roles.add(stack)
                self.world.comprehend.answer("CreateFlywheel", request, Caller(account=self.account))
                self.flywheels.append(flywheel.arn)

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

    def uploaded_ids(self) -> list[str]:
        return [key.split("/")[1] for key in self.world.s3.keys(self.intake, "uploads/")]

    def record(self, key: str) -> Any:
        found = self.world.s3.object(self.intake, key)
        return None if found is None else found
