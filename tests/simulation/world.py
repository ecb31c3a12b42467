"""Everything outside of the pipeline's own code: the services, and what ties them together."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries import standard

from flywheel.faults.errors import FlywheelError
from local.auto_scaling.contract import AutoScalingError
from local.auto_scaling.load import Load
from local.auto_scaling.service import AutoScaling
from tests.simulation import clients
from tests.simulation.acting import Acting
from tests.simulation.api import REGION, ApiError, Caller
from tests.simulation.clients import Unanswered
from tests.simulation.cloudformation import CustomResources
from tests.simulation.coverage import asked, key_of
from tests.simulation.deployment.roles import Roles
from tests.simulation.deployment.service_requests import (
    function_role,
    machine_role,
    require_dead_letter,
    require_polling,
)
from tests.simulation.event_routes import EventRoutes
from tests.simulation.functions import FunctionFailed, Functions
from tests.simulation.kernel import Kernel, Stopped
from tests.simulation.machine_host import MachineHost
from tests.simulation.services.comprehend import ComprehendService
from tests.simulation.services.events import Events
from tests.simulation.services.no_alarms import NoAlarms
from tests.simulation.services.queue_polling import QueuePolling
from tests.simulation.services.s3 import S3
from tests.simulation.services.sns import SNS
from tests.simulation.services.sqs import SQS, Queue, Redrive
from tests.simulation.services.ssm import SSM
from tests.simulation.services.states import States
from tests.simulation.weather import Weather

if TYPE_CHECKING:
    from local.comprehend.settings import Settings
    from tests.simulation.deployment.stack import (
        Bucket,
        EventSourceMapping,
        Function,
        Machine,
        Parameter,
        Stack,
    )
    from tests.simulation.deployment.stack import Queue as QueueOfStack
    from tests.simulation.machines.execution import Execution
    from tests.simulation.machines.host import Visit

_READS = ("Get", "List", "Describe", "Head", "Classify", "Detect")
_TRANSIENT: Any = standard.TransientRetryableChecker
_THROTTLED: Any = standard.ThrottledRetryableChecker
_REPEATED_STATUSES = frozenset(_TRANSIENT._TRANSIENT_STATUS_CODES)
_REPEATED_CODES = frozenset((*_TRANSIENT._TRANSIENT_ERROR_CODES, *_THROTTLED._THROTTLED_ERROR_CODES))
_CONDITIONS = frozenset({"IfMatch", "IfNoneMatch"})
PLANNED = (FlywheelError, ClientError, BotoCoreError, Boto3Error, URLError)
"""How functions may fail: with the pipeline's own errors, or AWS's."""
_BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
_FIRST_BACKOFF, _LONGEST_BACKOFF = 1.0, 20.0
"""Of the SDK's standard retry mode."""


class World:
    """`tell` hears of everything that happens, as (who, what) at `kernel.now`."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        comprehend: Settings,
        weather: Weather | None = None,
        tell: Callable[[str, object], None] = lambda _who, _what: None,
    ) -> None:
        self.kernel = kernel
        self.weather = weather or Weather()
        self.tell = tell
        self.roles = Roles(())
        self._stacks: dict[tuple[str, str], Stack] = {}
        routes = EventRoutes(self)
        self.s3 = S3(kernel, on_event=routes.object_changed)
        self.ssm = SSM(kernel, on_event=routes.parameter_changed)
        self.sqs = SQS(kernel)
        self.sns = SNS(kernel)
        self.events = Events(kernel, deliver=routes.deliver)
        self.functions = Functions(self)
        self.custom_resources = CustomResources(self)
        self.polling = QueuePolling(kernel, self.sqs, self.functions, may_poll=self._may_poll)
        self.states = States(
            kernel,
            host_of=self._host_of,
            on_status=routes.execution_changed,
        )
        self.folder = Path(tempfile.mkdtemp(prefix="simulation-"))
        self.comprehend = ComprehendService(kernel, settings=comprehend, folder=self.folder, s3_of=self._s3_of)
        self._scaling = AutoScaling(
            comprehend=self.comprehend.local, alarms=NoAlarms(), load=Load(), clock=lambda: self.kernel.now
        )
        self._answers: dict[str, Callable[[str, Mapping[str, Any], Caller], dict[str, Any]]] = {
            "s3": self.s3.answer,
            "ssm": self.ssm.answer,
            "sqs": self.sqs.answer,
            "sns": self.sns.answer,
            "events": self.events.answer,
            "stepfunctions": self.states.answer,
            "comprehend": self.comprehend.answer,
            "application-autoscaling": self._scale,
            "lambda": self.functions.answer,
            "cloudformation": self.custom_resources.answer,
            "sts": lambda _operation, _parameters, caller: {"Arn": caller.arn, "Account": caller.account},
        }
        self.visits: Counter[str] = Counter()
        """What was reached, for the table of coverage."""
        self.requests = 0
        self.changes: dict[str, int] = {}
        """How many requests there were to each service that may have changed something."""
        self._buckets: set[str] = set()
        self._people: dict[tuple[str, str], tuple[str, ...]] = {}
        """Who acts under policies of the templates, by account and name: what the policies' logical ids begin with."""
        self._queues: set[str] = set()
        self.denied: set[str | tuple[str, str]] = set()
        """Roles from which somebody has taken everything for a while, or all of one service."""
        self.unplanned: list[tuple[str, Exception]] = []
        """Functions that failed in a way that has no name."""
        self.undelivered: list[tuple[str, Any]] = []
        """Events that a target did not take: in a dead-letter queue."""
        self.on_stopped: Sequence[Callable[[Execution], None]] = ()
        """Hear of executions that somebody stops while a function of theirs is suspended."""
        self.waiting: dict[str, Execution] = {}
        """By the name of an invocation: the execution that invoked the function."""

    def close(self) -> None:
        self.kernel.close()
        self.comprehend.local.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Requests.

    def ask(
        self, service: str, operation: str, parameters: Mapping[str, Any], who: Acting, *, attempts: int = 9
    ) -> dict[str, Any]:
        """A request as an SDK sends it, with its retries. Raises ApiError and Unanswered."""
        if not self.kernel.in_process:
            return self._carried_out(service, operation, parameters, who.caller)
        process = self.kernel.current
        if process.killed is not None:
            raise process.killed
        for attempt in range(1, attempts + 1):
            try:
                return self._attempt(service, operation, parameters, who)
            except Stopped as killed:
                process.killed = killed
                raise
            except (ApiError, Unanswered) as error:
                if attempt == attempts or (isinstance(error, ApiError) and not _repeated(error)):
                    raise
            longest = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** (attempt - 1))
            self.kernel.sleep(self.kernel.random("backoff").uniform(0, longest))
        raise AssertionError("the loop ends with an answer or an error")

    def _attempt(self, service: str, operation: str, parameters: Mapping[str, Any], who: Acting) -> dict[str, Any]:
        weather, kernel = self.weather, self.kernel
        changes = not operation.startswith(_READS)
        if changes and "#" in who.who:
            self.visits[asked(service, operation)] += 1
        kernel.sleep(weather.latency(service) + weather.before_request(service, operation, who, changes=changes))
        strike = weather.strike(service, operation, who, conditional=not _CONDITIONS.isdisjoint(parameters))
        if strike is not None:
            self.tell(who.who, f"asks {service}:{operation}: {strike.said}")
            if strike.code is not None:
                kernel.sleep(weather.latency(service))
                raise ApiError(strike.code, "The simulation wants it so.", status=strike.status)
            if not strike.carried_out:
                raise Unanswered(sent=False)
        answer = self._carried_out(service, operation, parameters, who.caller)
        if strike is not None:
            raise Unanswered(sent=True)
        kernel.sleep(weather.latency(service) + weather.after_request(service, operation, who, changes=changes))
        return answer

    def _carried_out(
        self, service: str, operation: str, parameters: Mapping[str, Any], caller: Caller
    ) -> dict[str, Any]:
        self.requests += 1
        if not operation.startswith(_READS):
            self.changes[service] = self.changes.get(service, 0) + 1
        about: tuple[str, ...] = ()
        if operation in ("SendTaskSuccess", "SendTaskFailure"):
            about = self.states.machines_of(parameters["taskToken"])
        if caller.role is not None and not self.denied.isdisjoint((caller.role, (caller.role, service))):
            raise ApiError("AccessDenied", "Access Denied", status=403)
        self.roles.require(caller, service, operation, parameters, about=about)
        try:
            answer = self._answers[service](operation, parameters, caller)
        except ApiError as error:
            if service == "s3" and error.status == 404 and caller.role is not None:
                self._refuse_unless_listed(parameters, caller)
            raise
        if operation in ("PutResourcePolicy", "DeleteResourcePolicy"):
            policy = json.loads(parameters.get("ResourcePolicy", "null"))
            self.roles.put_policy(parameters["ResourceArn"], policy)
        return answer

    def _refuse_unless_listed(self, parameters: Mapping[str, Any], caller: Caller) -> None:
        """S3 says that there is no such object only to who may list the bucket ("GetObject", Permissions)."""
        try:
            self.roles.require_all(caller, [("s3:ListBucket", f"arn:aws:s3:::{parameters['Bucket']}", ())])
        except ApiError as error:
            raise ApiError("AccessDenied", "Access Denied", status=403) from error

    def as_person(self, name: str, *, account: str, role: str | None = None) -> Acting:
        return Acting(world=self, caller=Caller(account=account, role=role), environment={}, who=name)

    def as_member(self, *groups: str, account: str) -> Acting:
        """Somebody who has the managed policies whose logical ids begin so, and no other."""
        member = self.with_policies("And".join(groups), *groups, account=account)
        return replace(member, who=" and ".join(group.removeprefix("People").lower() for group in groups))

    def with_policies(self, name: str, *policies: str, account: str) -> Acting:
        """Somebody to whom those managed policies of the templates are attached whose logical ids begin so."""
        if (account, name) not in self._people or self._people[account, name] != policies:
            self._people[account, name] = policies
            self._attach(account, name)
        return self.as_person(name, account=account, role=name)

    def _attach(self, account: str, name: str) -> None:
        begin = self._people[account, name]
        stacks = [stack for (of, _), stack in self._stacks.items() if of == account]
        policies = [one for stack in stacks for one in stack.managed_policies if one.logical_id.startswith(begin)]
        self.roles.add_person(name, account=account, policies=policies)

    def clock_of(self, who: str) -> float:
        return self.kernel.now + self.weather.clock_skew(who)

    def _s3_of(self, role_arn: str) -> Any:
        _, _, _, _, account, role = role_arn.split(":", 5)
        name = role.rpartition("/")[2]
        return clients.client(
            "s3",
            as_=Acting(
                world=self, caller=Caller(account=account, role=name), environment={}, who=f"Comprehend as {name}"
            ),
        )

    def _scale(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        try:
            return self._scaling.call(
                operation=operation, request=dict(parameters), account=caller.account, region=REGION
            )
        except AutoScalingError as error:
            raise ApiError(error.code, error.message) from error

    def _host_of(self, machine: Machine, account: str) -> MachineHost:
        machine_role(self.roles, machine, account=account)
        return MachineHost(self, machine, account)

    # Deployment.

    def deploy(self, stack: Stack) -> None:
        """What CloudFormation makes of a template, without custom resources and flywheels. Also in the place of what
        is there."""
        account = stack.account
        for queue in stack.queues:
            self._create_queue(queue, account)
        for topic in stack.topics:
            self.sns.add(topic.arn)
        for parameter in stack.parameters:
            self.set_parameter(parameter, account)
        for function in stack.functions:
            self.functions.add(function, account=account)
        for machine in stack.machines:
            self.states.add(machine, account=account)
        for mapping in stack.event_source_mappings:
            self.polling.add(mapping)
        for rule in stack.rules:
            self.events.add(rule, account=account)
        if any(policy.kind == "AWS::Events::EventBusPolicy" for policy in stack.resource_policies):
            # Who may send what, the policy says: it is asked before.
            self.events.open_to[account] = lambda _caller, _entry: True

    def deploy_first(self, stack: Stack) -> None:
        """Its roles and buckets, which a flywheel needs."""
        self._stacks[stack.account, stack.name] = stack
        self.roles = self.roles.after(self._stacks.values())
        for account, name in self._people:
            self._attach(account, name)
        for bucket in stack.buckets:
            self._create_bucket(bucket, stack.account)

    def _create_queue(self, queue: QueueOfStack, account: str) -> None:
        if queue.arn not in self._queues:
            self._queues.add(queue.arn)
            redrive = None
            if queue.dead_letters is not None:
                redrive = Redrive(dead_letters=queue.dead_letters, most_receives=queue.receives or 1)
            made = Queue(queue.name, account=account, visibility_timeout=queue.visibility, redrive=redrive)
            self.sqs.add(made)

    def _create_bucket(self, bucket: Bucket, account: str) -> None:
        owner = Caller(account=account)
        if bucket.name not in self._buckets:
            self._buckets.add(bucket.name)
            self.s3.answer("CreateBucket", {"Bucket": bucket.name}, owner)
            if tags := bucket.properties.get("Tags"):
                self.s3.answer("PutBucketTagging", {"Bucket": bucket.name, "Tagging": {"TagSet": tags}}, owner)
            versioning = bucket.properties.get("VersioningConfiguration")
            if versioning:
                asked = {"Bucket": bucket.name, "VersioningConfiguration": versioning}
                self.s3.answer("PutBucketVersioning", asked, owner)

    def set_parameter(self, parameter: Parameter, account: str) -> None:
        asked = {"Name": parameter.name, "Value": parameter.value, "Type": "String", "Overwrite": True}
        if self.published(account).get(parameter.name) != parameter.value:
            self.ssm.answer("PutParameter", asked, Caller(account=account))

    def published(self, account: str) -> dict[str, str]:
        """The values in Parameter Store, by name."""
        found = {name: self.ssm.parameter(account, name) for name in self.ssm.names(account)}
        return {_BOOTSTRAP: "30", **{name: version.value for name, version in found.items() if version is not None}}

    # What is seen.

    def abandon(self, who: str) -> bool:
        """Stop the execution that waits for this invocation; False if none does."""
        waiting = self.waiting.get(who)
        if waiting is None:
            return False
        # A child of a distributed map is not stopped alone.
        machine = waiting.machine.arn.partition("/")[0]
        running = [one for one in self.states.of(machine) if one.status == "RUNNING"]
        for execution in running if waiting not in running else [waiting]:
            execution.stop("Stopped", "somebody stopped it")
            for hear in self.on_stopped:
                hear(execution)
        return bool(running)

    def visited(self, visit: Visit, machine: str) -> None:
        self.visits[key_of(machine, visit)] += 1

    def _may_poll(self, mapping: EventSourceMapping) -> None:
        function, account = self.functions.known[self.functions.arn_of(mapping.function)]
        require_polling(self.roles, Caller(account=account, role=function.role), mapping)

    def function_began(self, running: Acting, function: Function) -> None:
        function_role(self.roles, function, account=running.caller.account)
        self.visits[f"function/{running.who.split('#')[0]}"] += 1

    def gave_up(self, function: Function, account: str) -> None:
        """An event of which Lambda's last attempt failed."""
        require_dead_letter(self.roles, Caller(account=account, role=function.role), function)
        self.visits[f"function/{function.module.rpartition('.')[2]}/given up"] += 1

    def function_failed(self, running: Acting, error: Exception) -> None:
        self.tell(running.who, f"fails: {type(error).__name__}: {error}")
        self.changes["functions"] = self.changes.get("functions", 0) + 1
        if not isinstance(error, PLANNED):
            self.unplanned.append((running.who, error))
        name = error.error if isinstance(error, FunctionFailed) else type(error).__name__
        self.visits[f"function/{running.who.split('#')[0]}/{name}"] += 1

    def measured(self, flywheel_name: str, measurements: list[Any]) -> None:
        """Metrics of a function; claims about money look at them."""


def _repeated(error: ApiError) -> bool:
    """As botocore's standard mode does: a conflict of two requests, for instance, is not."""
    return error.status in _REPEATED_STATUSES or error.code in _REPEATED_CODES
