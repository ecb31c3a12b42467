"""One deployed app: its stacks in an account, and what was done to it that the claims must know."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flywheel.store.parameters import ACTIVE
from tests.simulation.api import ACCOUNT, ApiError, Caller
from tests.simulation.cloudformation import DeploymentFailed, destroy
from tests.simulation.deployment.synthesis import ADOPTING, IMPORTING, context_of, templates_of
from tests.simulation.deployment.templates import Deployable
from tests.simulation.schedule.plan import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.simulation.deployment.stack import Function, Machine, Parameter, Stack
    from tests.simulation.services.ssm import ParameterVersion
    from tests.simulation.world import World


FLYWHEEL_WITH_MODEL = "Custom::FlywheelWithModel"
_ATTEMPTS = 50


class App:
    """`parameters` are by stack: "flywheel", "serving", "analysis"; of what imports models "import" in the place of
    "flywheel"."""

    def __init__(
        self,
        world: World,
        *,
        kind: str,
        parameters: Mapping[str, Mapping[str, str]],
        account: str = ACCOUNT,
        adopts: bool = False,
    ) -> None:
        """`adopts`: a flywheel of this kind that begins with an existing model."""
        self.world = world
        self.account = account
        self.kind = kind
        self._templates = ADOPTING if adopts else KINDS.get(kind, IMPORTING)
        self.generation = 1
        self.deploying = False
        self.without: set[str] = set()
        """Stacks that are not deployed, or not yet."""
        self._intake = ""
        self.parameters = {stack: dict(values) for stack, values in parameters.items()}
        self.stacks: dict[str, Stack] = {}
        self.flywheels: list[str] = []
        """ARNs, the present one last."""
        self.turns_seen = -1
        self.seen_active: str | None = None
        """The active model that a claim saw last."""
        self.wanted_models: set[str] = set()
        """Models that a person asked for, by whatever way."""
        self.console_models: set[str] = set()
        """Those that were made active past the pipeline."""
        self.numbers: dict[str, tuple[str, int]] = {}
        """Of the present turn and promotion, with the version in which a claim saw it."""
        self.promoted: set[str] = set()
        """Models that became active by a decision."""
        self.deleted_models: set[str] = set()
        self.uploaded: set[str] = set()
        """Keys that S3 has confirmed."""
        self.deleted_uploads: set[str] = set()
        """Keys."""
        self.unfinished = False
        """A deployment failed, and so did going back: who deploys next has to go back first, as CloudFormation refuses
        anything else in UPDATE_ROLLBACK_FAILED."""
        self.published_before: str | None = None
        """The model that was published when the second generation was deployed."""
        self.ever: dict[str, set[str]] = {}
        """All values that each parameter has had, by stack and name: flywheel/PromotionMode."""

    @property
    def name(self) -> str:
        name: str = context_of(self._templates)["name"]
        return name

    def deploy(self) -> None:
        """As `cdk deploy --all`: also in the place of what is deployed. It waits; raises DeploymentFailed."""
        self._in_a_process(self._deploy)

    def deploy_first(self) -> None:
        """Until it works: the weather may be bad."""
        for _ in range(_ATTEMPTS):
            with suppress(DeploymentFailed):
                self.deploy()
                return
        raise AssertionError(f"{self.name} cannot be deployed.")

    def _deploy(self) -> None:
        if self.deploying:
            raise DeploymentFailed(f"The stacks of {self.name} are being updated: they cannot be updated now.")
        self.deploying = True
        try:
            for name, template in self.templates().items():
                if name.rpartition("-")[2] not in self.without:
                    self._deploy_stack(name, template)
            self.unfinished = False
        finally:
            self.deploying = False

    def _deploy_stack(self, name: str, template: Mapping[str, Any]) -> None:
        part, resources = name.rpartition("-")[2], self.world.custom_resources
        stack = self.resolved(name, template, self.parameters.get(part, {}))
        former = self.stacks.get(part)
        if self.unfinished and former is not None:
            resources.apply(former)
        for parameter, value in stack.given.items():
            self.ever.setdefault(f"{part}/{parameter}", set()).add(str(value))
        try:
            self._put(stack)
            resources.apply(stack)
        except DeploymentFailed:
            if former is not None:
                self._put(former)
                try:
                    resources.apply(former)
                except DeploymentFailed:
                    self.unfinished = True
            raise
        for parameter_of_stack in self._last(stack):
            self.world.set_parameter(parameter_of_stack, self.account)
        self.stacks[part] = stack

    def _last(self, stack: Stack) -> list[Parameter]:
        """What depends on a custom resource is written after it: who hears of it may use what that has made."""
        after = self._after_custom_resources(stack)
        return [each for each in stack.parameters if each.logical_id in after]

    def _put(self, stack: Stack) -> None:
        self.world.deploy_first(stack)
        for bucket in stack.buckets:
            if bucket.logical_id.startswith("BucketsIntake"):
                self._intake = bucket.name
        self._create_flywheels(stack)
        last = self._last(stack)
        self.world.deploy(replace(stack, parameters=tuple(each for each in stack.parameters if each not in last)))

    def destroy(self, *parts: str) -> None:
        """As `cdk destroy` of these stacks: buckets, models and older flywheels stay. It waits; raises
        DeploymentFailed."""
        self._in_a_process(lambda: self._destroy(parts))

    def _destroy(self, parts: Sequence[str]) -> None:
        for part in [each for each in reversed(list(self.stacks)) if each in parts]:
            stack = self.stacks[part]
            # What depends on a custom resource goes before it: the endpoint is not wanted any more.
            if stack.custom_resources:
                destroy(self.world, stack, self._after_custom_resources(stack))
            self.world.custom_resources.delete(stack)
            destroy(self.world, stack)
            for flywheel in stack.flywheels:
                self.world.comprehend.answer(
                    "DeleteFlywheel", {"FlywheelArn": flywheel.arn}, Caller(account=self.account)
                )
            del self.stacks[part]

    def _after_custom_resources(self, stack: Stack) -> set[str]:
        """Logical ids of what the template makes after any of them."""
        found = {each.logical_id for each in stack.custom_resources}
        resources = self.templates()[stack.name]["Resources"]
        while True:
            depends = {name for name, each in resources.items() if found & set(_listed(each.get("DependsOn", [])))}
            if depends <= found:
                return found
            found |= depends

    def _in_a_process(self, work: Callable[[], None]) -> None:
        kernel = self.world.kernel
        if kernel.in_process:
            work()
            return
        process = kernel.start(work, name=f"deployment of {self.name}")
        process.when_done(lambda: None)
        while not process.done:
            kernel.step()
        if process.error is not None:
            raise process.error

    def templates(self) -> Mapping[str, Mapping[str, Any]]:
        """By the names of their stacks, in the order of their deployment."""
        return templates_of(self._templates, self.generation)

    def resolved(self, name: str, template: Mapping[str, Any], parameters: Mapping[str, str]) -> Stack:
        key = (id(template), name, self.account)
        if key not in _deployables:
            _deployables[key] = Deployable(template, name=name, account=self.account)
        return _deployables[key].resolved(parameters=parameters, published=self.world.published(self.account))

    def _create_flywheels(self, stack: Stack) -> None:
        for flywheel in stack.flywheels:
            if flywheel.arn not in self.flywheels:
                request = {name: value for name, value in flywheel.properties.items() if name != "DataSecurityConfig"}
                security = flywheel.properties.get("DataSecurityConfig")
                if security:
                    request["DataSecurityConfig"] = security
                self.world.comprehend.answer("CreateFlywheel", request, Caller(account=self.account))
                self._wait_for(flywheel.arn)
                self.flywheels.append(flywheel.arn)
                self.seen_active = None
        for resource in stack.custom_resources:
            if resource.type == FLYWHEEL_WITH_MODEL and resource.properties["FlywheelArn"] not in self.flywheels:
                self.flywheels.append(resource.properties["FlywheelArn"])

    def _wait_for(self, flywheel_arn: str) -> None:
        """CloudFormation goes on when the flywheel is ACTIVE, and takes one that FAILED away again."""
        kernel, owner = self.world.kernel, Caller(account=self.account)
        while True:
            try:
                found = self.world.comprehend.answer("DescribeFlywheel", {"FlywheelArn": flywheel_arn}, owner)
            except ApiError:
                # It does not show yet.
                found = {"FlywheelProperties": {"Status": "CREATING"}}
            if found["FlywheelProperties"]["Status"] == "FAILED":
                self.world.comprehend.answer("DeleteFlywheel", {"FlywheelArn": flywheel_arn}, owner)
                raise DeploymentFailed(f"{flywheel_arn} FAILED: {found['FlywheelProperties'].get('Message')}")
            if found["FlywheelProperties"]["Status"] != "CREATING":
                return
            kernel.sleep(30)

    def change_parameters(self, part: str, values: Mapping[str, str]) -> None:
        """Deploy with other values; with the former ones again if that fails. Raises DeploymentFailed."""
        former = dict(self.parameters[part])
        self.parameters[part] = {**former, **values}
        try:
            self.deploy()
        except DeploymentFailed:
            self.parameters[part] = former
            raise

    def published_model(self) -> str | None:
        """What Parameter Store says."""
        found = self.parameter(ACTIVE)
        return found.value if found else None

    def parameter(self, name: str) -> ParameterVersion | None:
        """The present version of a runtime parameter."""
        return self.world.ssm.parameter(self.account, f"/comprehend-flywheel/{self.name}/{name}")

    def new_generation(self) -> None:
        """As `flywheel generation new`. Raises DeploymentFailed."""
        if self.generation == 1:
            self.generation = 2
            try:
                self.deploy()
            except DeploymentFailed:
                self.generation = 1
                raise
            self.published_before = self.published_model()

    @property
    def flywheel_arn(self) -> str:
        return self.flywheels[-1]

    @property
    def intake(self) -> str:
        """The bucket's name."""
        return self._intake

    @property
    def lake(self) -> str:
        """The bucket's name."""
        return next(
            bucket.name
            for stack in self.stacks.values()
            for bucket in stack.buckets
            if bucket.logical_id.startswith("BucketsLake")
        )

    @property
    def data_access_role(self) -> str:
        """Name of the flywheel's role."""
        stack = self.stacks["flywheel"]
        properties = [each.properties for each in stack.flywheels]
        properties += [each.properties for each in stack.custom_resources if each.type == FLYWHEEL_WITH_MODEL]
        role: str = properties[0]["DataAccessRoleArn"]
        return role.rpartition("/")[2]

    def machine(self, word: str) -> Machine:
        """The one whose logical id begins so. Raises ApiError if its stack is not deployed, or not yet."""
        machines = (machine for stack in self.stacks.values() for machine in stack.machines)
        found = next((machine for machine in machines if machine.logical_id.startswith(word)), None)
        if found is None:
            raise ApiError("StateMachineDoesNotExist", f"There is no machine {word}.")
        return found

    def function(self, step: str) -> Function:
        """That of a module's last name."""
        return next(
            function
            for stack in self.stacks.values()
            for function in stack.functions
            if function.module.rpartition(".")[2] == step
        )

    def started(self) -> int:
        """How many turns and promotions were started, or started again."""
        return sum(
            1 + execution.redrive_count
            for stack in self.stacks.values()
            for machine in stack.machines
            if machine.logical_id.startswith(("Turn", "Promote"))
            for execution in self.world.states.of(machine.arn)
        )

    def uploaded_ids(self) -> list[str]:
        keys = [key for key in self.world.s3.keys(self.intake, "turns/") if "/uploads/" in key]
        return sorted({key.rpartition("/")[2].removesuffix(".json") for key in keys})


_deployables: dict[tuple[int, str, str], Deployable] = {}
"""Of all schedules, by their template, which they keep: its id stays its own."""


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
