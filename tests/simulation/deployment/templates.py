"""Resolves a synthesised template to what it deploys: functions, machines, rules, queues, roles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.infrastructure.synthesised import as_list
from tests.simulation.api import REGION
from tests.simulation.deployment import stack
from tests.simulation.deployment.document import Document, Kept
from tests.simulation.deployment.intrinsics import Parameters
from tests.simulation.deployment.names import Place
from tests.simulation.deployment.stack import Properties

_DAY = 86_400
_LONGEST_EVENT_AGE = 21_600
"""Six hours ("How Lambda handles errors and retries with asynchronous invocation")."""


class Deployable:
    """A template under the name of a stack. To resolve it again, with other parameters, is a matter of moments."""

    def __init__(self, template: Mapping[str, Any], *, name: str, account: str, region: str = REGION) -> None:
        self.template = template
        self._place = Place(account=account, region=region, stack=name)
        self._kept = Kept(template)

    def resolved(self, *, parameters: Mapping[str, Any], published: Mapping[str, str]) -> stack.Stack:
        """As `resolve`. It shares what did not change with the stacks that were resolved before."""
        values = Parameters(self.template, given=parameters, published=published)
        document = Document(self.template, self._place, values, self._kept)
        return self._kept.once("stack", "", values.all_known, lambda: _read_stack(document))


def resolve(
    template: Mapping[str, Any],
    *,
    name: str,
    account: str,
    region: str = REGION,
    parameters: Mapping[str, Any] | None = None,
    published: Mapping[str, str] | None = None,
) -> stack.Stack:
    """The stack that CloudFormation makes of a template under this name.

    `published` are values of Systems Manager's parameters that the template reads. Raises ValueError for a value of a
    parameter that the template does not allow, LookupError for a reference to nothing.
    """
    deployable = Deployable(template, name=name, account=account, region=region)
    return deployable.resolved(parameters=parameters or {}, published=published or {})


def resolve_app(
    templates: Mapping[str, Mapping[str, Any]],
    *,
    account: str,
    region: str = REGION,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, stack.Stack]:
    """All stacks of an app by name, in this order: those that come later read what earlier ones publish.

    `parameters` are those of each stack, by its name or by how that ends: "serving".
    """
    published: dict[str, str] = {}
    found: dict[str, stack.Stack] = {}
    for name, template in templates.items():
        given = {**(parameters or {}).get(name.rpartition("-")[2], {}), **(parameters or {}).get(name, {})}
        found[name] = resolve(
            template, name=name, account=account, region=region, parameters=given, published=published
        )
        published |= {each.name: each.value for each in found[name].parameters}
    return found


def _read_stack(of: Document) -> stack.Stack:
    reading = _Reading(of)
    return stack.Stack(
        name=of.place.stack,
        account=of.place.account,
        region=of.place.region,
        id=of.place.stack_id,
        functions=of.each("AWS::Lambda::Function", reading.function),
        machines=of.each("AWS::StepFunctions::StateMachine", reading.machine),
        rules=of.each("AWS::Events::Rule", reading.rule),
        event_source_mappings=of.each("AWS::Lambda::EventSourceMapping", reading.mapping),
        queues=of.each("AWS::SQS::Queue", reading.queue),
        topics=of.each("AWS::SNS::Topic", reading.topic),
        buckets=of.each("AWS::S3::Bucket", reading.bucket),
        parameters=of.each("AWS::SSM::Parameter", reading.parameter),
        flywheels=of.each("AWS::Comprehend::Flywheel", reading.flywheel),
        custom_resources=of.each("Custom::*", reading.custom_resource),
        roles=of.each("AWS::IAM::Role", reading.role),
        managed_policies=tuple(reading.managed_policies.values()),
        resource_policies=reading.resource_policies(),
        outputs={name: of.resolver.value(each["Value"]) for name, each in of.template.get("Outputs", {}).items()},
        given=of.parameters.names,
        resources=of.resources(),
    )


class _Reading:
    def __init__(self, of: Document) -> None:
        self._of = of
        self.managed_policies = {each.arn: each for each in of.each("AWS::IAM::ManagedPolicy", self._managed_policy)}
        self._event_ages = dict(of.each("AWS::Lambda::EventInvokeConfig", self._event_age))

    def _arn(self, logical_id: str) -> str:
        return self._of.named(logical_id).arn

    def _name(self, logical_id: str) -> str:
        return self._of.named(logical_id).name

    def function(self, logical_id: str, given: Properties, _: Properties) -> stack.Function:
        return stack.Function(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            module=given["Handler"].rpartition(".")[0],
            environment={name: str(value) for name, value in given.get("Environment", {}).get("Variables", {}).items()},
            timeout=int(given.get("Timeout", 3)),
            memory=int(given.get("MemorySize", 128)),
            storage=int(given.get("EphemeralStorage", {}).get("Size", 512)),
            role=_last_part(given["Role"]),
            dead_letters=given.get("DeadLetterConfig", {}).get("TargetArn"),
            reserved_concurrency=_whole(given.get("ReservedConcurrentExecutions")),
            log_group=given.get("LoggingConfig", {}).get("LogGroup"),
            event_age=self._event_ages.get(self._name(logical_id), _LONGEST_EVENT_AGE),
        )

    def _event_age(self, _: str, given: Properties, _raw: Properties) -> tuple[str, int]:
        return given["FunctionName"], int(given["MaximumEventAgeInSeconds"])

    def machine(self, logical_id: str, given: Properties, _: Properties) -> stack.Machine:
        return stack.Machine(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            definition=_as_json(given["DefinitionString"]),
            role=_last_part(given["RoleArn"]),
        )

    def rule(self, logical_id: str, given: Properties, _: Properties) -> stack.Rule:
        return stack.Rule(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            pattern=given.get("EventPattern"),
            schedule=given.get("ScheduleExpression"),
            enabled=given.get("State", "ENABLED") == "ENABLED",
            targets=tuple(map(_target, given["Targets"])),
        )

    def mapping(self, logical_id: str, given: Properties, _: Properties) -> stack.EventSourceMapping:
        return stack.EventSourceMapping(
            logical_id=logical_id,
            queue=given["EventSourceArn"],
            function=given["FunctionName"].rpartition(":")[2],
            batch_size=int(given.get("BatchSize", 10)),
            window=int(given.get("MaximumBatchingWindowInSeconds", 0)),
            concurrency=_whole(given.get("ScalingConfig", {}).get("MaximumConcurrency")),
            reports_failures="ReportBatchItemFailures" in given.get("FunctionResponseTypes", []),
        )

    def queue(self, logical_id: str, given: Properties, _: Properties) -> stack.Queue:
        redrive = _as_json(given.get("RedrivePolicy", {}))
        return stack.Queue(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            url=self._of.named(logical_id).ref,
            visibility=int(given.get("VisibilityTimeout", 30)),
            retention=int(given.get("MessageRetentionPeriod", 4 * _DAY)),
            dead_letters=redrive.get("deadLetterTargetArn"),
            receives=_whole(redrive.get("maxReceiveCount")),
        )

    def topic(self, logical_id: str, _given: Properties, _: Properties) -> stack.Topic:
        arn = self._arn(logical_id)
        subscriptions = self._of.each(
            "AWS::SNS::Subscription", lambda _id, given, _raw: (given["TopicArn"], given["Protocol"], given["Endpoint"])
        )
        return stack.Topic(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=arn,
            subscriptions=tuple((protocol, endpoint) for topic, protocol, endpoint in subscriptions if topic == arn),
        )

    def bucket(self, logical_id: str, given: Properties, _: Properties) -> stack.Bucket:
        return stack.Bucket(logical_id=logical_id, name=self._name(logical_id), properties=given)

    def parameter(self, logical_id: str, given: Properties, _: Properties) -> stack.Parameter:
        return stack.Parameter(
            logical_id=logical_id, name=self._name(logical_id), value=given["Value"], properties=given
        )

    def flywheel(self, logical_id: str, given: Properties, _: Properties) -> stack.Flywheel:
        return stack.Flywheel(logical_id=logical_id, arn=self._arn(logical_id), properties=given)

    def custom_resource(self, logical_id: str, given: Properties, _: Properties) -> stack.CustomResource:
        return stack.CustomResource(
            logical_id=logical_id,
            type=self._of.template["Resources"][logical_id]["Type"],
            function=given["ServiceToken"],
            properties=given,
        )

    def role(self, logical_id: str, given: Properties, raw: Properties) -> stack.Role:
        statements = [
            statement
            for policy in raw.get("Policies", [])
            for statement in self._of.statements(policy["PolicyDocument"])
        ]
        others = []
        for arn in given.get("ManagedPolicyArns", []):
            if arn in self.managed_policies:
                statements += self.managed_policies[arn].statements
            else:
                others.append(arn)
        return stack.Role(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            trust=self._of.statements(raw["AssumeRolePolicyDocument"]),
            statements=tuple(statements),
            managed_policies=tuple(others),
        )

    def _managed_policy(self, logical_id: str, _given: Properties, raw: Properties) -> stack.ManagedPolicy:
        return stack.ManagedPolicy(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            statements=self._of.statements(raw["PolicyDocument"]),
        )

    def resource_policies(self) -> tuple[stack.ResourcePolicy, ...]:
        of = self._of
        queues = {queue.url: queue.arn for queue in of.each("AWS::SQS::Queue", self.queue)}
        partition = of.place.partition

        def policy(kind: str, about: Any) -> Any:
            def read(logical_id: str, given: Properties, raw: Properties) -> stack.ResourcePolicy:
                return stack.ResourcePolicy(
                    logical_id=logical_id,
                    kind=kind,
                    of=tuple(about(given)),
                    statements=of.statements(raw["PolicyDocument"]),
                )

            return of.each(kind, read)

        return (
            *policy("AWS::SQS::QueuePolicy", lambda given: [queues[url] for url in given["Queues"]]),
            *policy("AWS::SNS::TopicPolicy", lambda given: given["Topics"]),
            *policy("AWS::S3::BucketPolicy", lambda given: [f"arn:{partition}:s3:::{given['Bucket']}"]),
            *of.each("AWS::Events::EventBusPolicy", self._bus_policy),
            *of.each("AWS::Lambda::Permission", self._function_permission),
        )

    def _bus_policy(self, logical_id: str, given: Properties, raw: Properties) -> stack.ResourcePolicy:
        bus = given.get("EventBusName", "default")
        return stack.ResourcePolicy(
            logical_id=logical_id,
            kind="AWS::Events::EventBusPolicy",
            of=(self._of.place.arn("events", f"event-bus/{bus}"),),
            statements=self._of.statements({"Statement": raw["Statement"]}),
        )

    def _function_permission(self, logical_id: str, given: Properties, _: Properties) -> stack.ResourcePolicy:
        """As Lambda writes the function's policy: a service's principal, and what calls in its name."""
        name = given["FunctionName"]
        arn = name if name.startswith("arn:") else self._of.place.arn("lambda", f"function:{name}")
        conditions: dict[str, Mapping[str, str]] = {}
        if "SourceArn" in given:
            conditions["ArnLike"] = {"aws:SourceArn": given["SourceArn"]}
        if "SourceAccount" in given:
            conditions["StringEquals"] = {"aws:SourceAccount": given["SourceAccount"]}
        service = given["Principal"].endswith(".amazonaws.com")
        return stack.ResourcePolicy(
            logical_id=logical_id,
            kind="AWS::Lambda::Permission",
            of=(arn,),
            statements=(
                stack.Statement(
                    sid=logical_id,
                    effect="Allow",
                    actions=tuple(as_list(given["Action"])),
                    resources=(arn,),
                    texts=(arn,),
                    conditions=conditions,
                    principal={"Service" if service else "AWS": given["Principal"]},
                ),
            ),
        )


def _target(given: Mapping[str, Any]) -> stack.Target:
    retries = given.get("RetryPolicy", {})
    return stack.Target(
        id=given["Id"],
        arn=given["Arn"],
        input=given.get("Input"),
        input_path=given.get("InputPath"),
        role=_last_part(given["RoleArn"]) if "RoleArn" in given else None,
        attempts=int(retries.get("MaximumRetryAttempts", 185)),
        event_age=int(retries.get("MaximumEventAgeInSeconds", _DAY)),
        dead_letters=given.get("DeadLetterConfig", {}).get("Arn"),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _as_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _last_part(arn: str) -> str:
    """The name in the ARN of a role."""
    return arn.rpartition("/")[2]
