"""What a template deploys, with every value resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Properties = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Function:
    logical_id: str
    name: str
    arn: str
    module: str
    """That of the handler: handlers.turn.begin_turn."""
    environment: Mapping[str, str]
    timeout: int
    """In seconds."""
    memory: int
    """In MB."""
    storage: int
    """Of /tmp, in MB."""
    role: str
    """Name."""
    dead_letters: str | None
    """ARN of the queue for events that the function could not handle when it was called asynchronously."""
    reserved_concurrency: int | None
    log_group: str | None
    """Name."""
    event_age: int
    """Seconds after which an event that waits for the function is given up."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    logical_id: str
    name: str
    arn: str
    definition: Mapping[str, Any]
    role: str
    """Name."""


@dataclass(frozen=True, kw_only=True)
class Target:
    id: str
    arn: str
    input: str | None
    """JSON that the target gets instead of the event."""
    input_path: str | None
    role: str | None
    """Name."""
    attempts: int
    """After the first: RetryPolicy, where nothing is given EventBridge's 185."""
    event_age: int
    """In seconds: where nothing is given a day."""
    dead_letters: str | None
    """ARN of a queue."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    logical_id: str
    name: str
    arn: str
    pattern: Mapping[str, Any] | None
    schedule: str | None
    enabled: bool
    targets: tuple[Target, ...]


@dataclass(frozen=True, kw_only=True)
class EventSourceMapping:
    logical_id: str
    queue: str
    """ARN."""
    function: str
    """Name."""
    batch_size: int
    window: int
    """In seconds."""
    concurrency: int | None
    """How many invocations there are at most at a time."""
    reports_failures: bool


@dataclass(frozen=True, kw_only=True)
class Queue:
    logical_id: str
    name: str
    arn: str
    url: str
    visibility: int
    retention: int
    """Both in seconds."""
    dead_letters: str | None
    """ARN."""
    receives: int | None
    """After how many a message goes there."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    logical_id: str
    name: str
    arn: str
    subscriptions: tuple[tuple[str, str], ...]
    """Protocol and endpoint."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Of a policy. `resources` and `texts` go together: resolved, and as the template has it (`as_text`)."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    texts: tuple[str, ...]
    conditions: Mapping[str, Any]
    principal: Any = None


@dataclass(frozen=True, kw_only=True)
class Role:
    logical_id: str
    name: str
    arn: str
    trust: tuple[Statement, ...]
    statements: tuple[Statement, ...]
    """Of the inline policies and of those managed policies that are in the template."""
    managed_policies: tuple[str, ...]
    """ARNs of all others."""


@dataclass(frozen=True, kw_only=True)
class ManagedPolicy:
    logical_id: str
    name: str
    arn: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True)
class ResourcePolicy:
    """What a queue, a topic, a bucket, a function or the default bus says who may use it."""

    logical_id: str
    kind: str
    """Type of the resource that declares it: AWS::SQS::QueuePolicy."""
    of: tuple[str, ...]
    """ARNs of what it is about."""
    statements: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True)
class CustomResource:
    logical_id: str
    type: str
    function: str
    """ARN of the function that answers."""
    properties: Properties


@dataclass(frozen=True, kw_only=True)
class Flywheel:
    logical_id: str
    arn: str
    properties: Properties


@dataclass(frozen=True, kw_only=True)
class Bucket:
    logical_id: str
    name: str
    properties: Properties


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """Of Systems Manager."""

    logical_id: str
    name: str
    value: str
    properties: Properties


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What a template declares, of any type."""

    type: str
    ref: str
    properties: Properties


@dataclass(frozen=True, kw_only=True)
class Stack:
    name: str
    account: str
    region: str
    id: str
    functions: tuple[Function, ...]
    machines: tuple[Machine, ...]
    rules: tuple[Rule, ...]
    event_source_mappings: tuple[EventSourceMapping, ...]
    queues: tuple[Queue, ...]
    topics: tuple[Topic, ...]
    buckets: tuple[Bucket, ...]
    parameters: tuple[Parameter, ...]
    flywheels: tuple[Flywheel, ...]
    custom_resources: tuple[CustomResource, ...]
    roles: tuple[Role, ...]
    managed_policies: tuple[ManagedPolicy, ...]
    resource_policies: tuple[ResourcePolicy, ...]
    outputs: Mapping[str, Any]
    given: Mapping[str, Any] = field(repr=False)
    """Values of the template's parameters; those of Systems Manager by the parameter's name."""
    resources: Mapping[str, Resource] = field(repr=False)
    """All of them, by logical id; without those whose condition does not hold."""
