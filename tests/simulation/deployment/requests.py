"""What the sender of a request must be allowed: actions, resources and values of condition keys.

The action is named as the operation is, and the Service Authorization Reference has the formats of its resources' ARNs.
An ARN among the request's members is of the type whose format it fits; else names among the members fill a format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from local.cloud.emulator.auto_scaling import permissions
from local.cloud.emulator.ministack import responses
from tests.simulation.deployment.authorization_reference import Action, ResourceType, action
from tests.simulation.deployment.s3_requests import Check, needed_of_s3

_PREFIXES = {"stepfunctions": "states", "sfn": "states", "service-quotas": "servicequotas"}
"""IAM's word for a service where boto3's, or Step Functions', is another."""
_ACTIONS = {("lambda", "Invoke"): "InvokeFunction"}
"""A batch of messages asks for the action without Batch (SQS Developer Guide, "Amazon SQS API permissions")."""
_FREE = {("sts", "GetCallerIdentity")}
_ABOUT_A_TOKEN = {"SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"}
_TAGGING = {"ssm": "AddTagsToResource"}
_NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "ParameterNameWithoutLeadingSlash": ("Name", "Names", "Path"),
    "QueueName": ("QueueUrl",),
    "DocumentClassifierName": ("ModelName",),
    "EntityRecognizerName": ("ModelName",),
}
"""Variables of formats, and the members that have their values where they have another name."""
MODEL_KINDS = ("document-classifier", "entity-recognizer")
"""What is about a model of one kind is about none of the other."""
_ROLE = re.compile(r"arn:[a-z-]+:iam::\d+:role/.+", re.DOTALL)


def prefix_of(service: str) -> str:
    return _PREFIXES.get(service, service)


def needed(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    account: str,
    region: str,
    kinds: Mapping[str, str] | None = None,
    about: Iterable[str] = (),
) -> list[Check]:
    """`kinds`: of the models of flywheels, by ARN. `about`: ARNs that a request is about and does not name.

    Raises NotImplementedError for what the reference does not know.
    """
    service = prefix_of(service)
    if service == "s3":
        return needed_of_s3(operation, parameters)
    if (service, operation) in _FREE:
        return []
    if service == permissions.NAME:
        with responses.request_scope(account, region):
            asked = permissions.needed(operation=operation, request=dict(parameters))
        return [(name, arn, tuple((key.lower(), value) for key, value in keys.items())) for name, arn, keys in asked]
    known = _action_of(service, operation)
    if operation in _ABOUT_A_TOKEN and not about:
        raise NotImplementedError(f"{operation} names no machine: say in `about` whose token it is.")
    request = _Request(known, account=account, region=region, kinds=kinds or {})
    if known.name == "PutEvents":
        found = [check for entry in parameters["Entries"] for check in request.needed({**_BUS, **entry}, ())]
        return list(dict.fromkeys(found))
    members = relevant(service, operation, tuple(parameters))
    return request.needed({member: parameters[member] for member in members}, tuple(about))


_BUS = {"EventBusName": "default"}


def relevant(service: str, operation: str, members: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a request's members on which the answer of `needed` depends."""
    return _relevant(prefix_of(service), operation, members)


@cache
def _relevant(service: str, operation: str, members: tuple[str, ...]) -> tuple[str, ...]:
    if service == permissions.NAME or operation == "PutEvents":
        return members
    known = _action_of(service, operation)
    names = {name for each in known.types for variable in each.variables for name in _members_for(variable, members)}
    names |= {member for member in members if _plain(member) in {_plain(key.split(":")[1]) for key in known.conditions}}
    further = {"Tags", "VersionName", "DatasetName"}
    return tuple(each for each in members if each in names | further or re.search("(?i)arns?$", each))


@cache
def _action_of(service: str, operation: str) -> Action:
    named = _ACTIONS.get((service, operation), operation)
    found = action(service, named) or action(service, named.removesuffix("Batch"))
    if found is None:
        raise NotImplementedError(f"There is no action {service}:{named} by AWS's reference.")
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _members_for(variable: str, members: Iterable[str]) -> list[str]:
    """That may have the value of a variable: FlywheelName, or EndpointName for DocumentClassifierEndpointName."""
    others = _NAMED_BY.get(variable, ())
    ends = variable.lower()
    return [
        each
        for each in members
        if each in others or ends == each.lower() or (len(each) > len("Name") and ends.endswith(each.lower()))
    ]


class _Request:
    def __init__(self, known: Action, *, account: str, region: str, kinds: Mapping[str, str]) -> None:
        self._known = known
        self._account = account
        self._region = region
        self._kinds = kinds

    def needed(self, parameters: Mapping[str, Any], about: tuple[str, ...]) -> list[Check]:
        arns = [*about, *_arns(parameters)]
        named: dict[str, ResourceType] = {}
        values: dict[str, str] = {}
        for arn in arns:
            for kind, found in self._known.types_of(arn):
                named[arn] = kind
                values |= found
        kind_of_model = self._kind(arns)
        names = {each.name for each in named.values()}
        others = [each for each in self._known.types if each.name not in names]
        filled = self._filled(others, parameters, values, kind_of_model)
        must = [each for each in self._known.types if each.required] or list(self._known.types)
        if not (names | {each.name for each, _ in filled}) & {each.name for each in must}:
            filled += self._partly(must, parameters, kind_of_model)
        resources = list(dict.fromkeys([*named, *(arn for _, arn in filled)])) or [*about] or ["*"]
        conditions = self._conditions(parameters)
        name = f"{self._known.service}:{self._known.name}"
        checks: list[Check] = [(name, each, conditions) for each in resources]
        checks += [
            ("iam:PassRole", each, (("iam:passedtoservice", f"{self._known.service}.amazonaws.com"),))
            for each in _arns(parameters, roles=True)
        ]
        return checks + self._tagging(parameters, values, kind_of_model)

    def _kind(self, arns: Iterable[str]) -> str | None:
        for arn in arns:
            for kind in MODEL_KINDS:
                if f":{kind}/" in arn or f":{kind}-endpoint/" in arn:
                    return kind
        return next((self._kinds[arn] for arn in arns if arn in self._kinds), None)

    def _filled(
        self,
        types: Iterable[ResourceType],
        parameters: Mapping[str, Any],
        values: Mapping[str, str],
        kind_of_model: str | None,
    ) -> list[tuple[ResourceType, str]]:
        """ARNs of types whose variables all have a value, at least one by a member of the request."""
        return [
            (each, arn)
            for each in types
            if _may_be(each, kind_of_model) and any(_members_for(name, parameters) for name in each.variables)
            for arn in self._arns_of(each, parameters, values)
        ]

    def _partly(
        self, types: Iterable[ResourceType], parameters: Mapping[str, Any], kind_of_model: str | None
    ) -> list[tuple[ResourceType, str]]:
        """What has no id yet, or is asked for without it: a policy must allow it whatever the id."""
        whatever = {variable: "*" for each in types for variable in each.variables}
        some = [each for each in types if _may_be(each, kind_of_model)]
        if len(some) != 1:  # An operation on many types that names none, as one that lists them.
            return []
        return [(some[0], arn) for arn in self._arns_of(some[0], parameters, whatever)]

    def _arns_of(self, kind: ResourceType, parameters: Mapping[str, Any], values: Mapping[str, str]) -> Iterable[str]:
        found = [(kind.arn_format, self._account)]
        for variable in kind.variables:
            given = [parameters[name] for name in _members_for(variable, parameters)]
            options = [each for one in given for each in (one if isinstance(one, list) else [one])]
            options = options or ([values[variable]] if variable in values else [])
            found = [
                (arn.replace(f"${{{variable}}}", _name(str(each))), _owner(str(each)) or account)
                for arn, account in found
                for each in options
            ]
        versioned = kind.name in MODEL_KINDS and "VersionName" in parameters
        version = f"/version/{parameters['VersionName']}" if versioned else ""
        for arn, account in found:
            here = arn.replace("${Partition}", "aws").replace("${Region}", self._region)
            yield f"{here.replace('${Account}', account)}{version}"

    def _conditions(self, parameters: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        by_name = {_plain(member): value for member, value in parameters.items()}
        found = ((key, by_name.get(_plain(key.split(":")[1]))) for key in self._known.conditions)
        return tuple(
            (key, str(value).lower() if isinstance(value, bool) else str(value))
            for key, value in found
            if isinstance(value, (str, int, bool))
        )

    def _tagging(
        self, parameters: Mapping[str, Any], values: Mapping[str, str], kind_of_model: str | None
    ) -> list[Check]:
        """What is made with tags needs the right to tag it as well."""
        name = _TAGGING.get(self._known.service, "TagResource")
        tagging = action(self._known.service, name)
        if not parameters.get("Tags") or tagging is None or self._known.name == name:
            return []
        given = {member: value for member, value in parameters.items() if not _is_arn(value)}
        made = self._filled(tagging.types, given, values, kind_of_model)
        most = max((len(each.variables) for each, _ in made), default=0)
        return [(f"{self._known.service}:{name}", arn, ()) for each, arn in made if len(each.variables) == most]


def _may_be(kind: ResourceType, kind_of_model: str | None) -> bool:
    others = [each for each in MODEL_KINDS if each != kind_of_model]
    return kind_of_model is None or not kind.name.startswith(tuple(others))


def _is_arn(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("arn:")


def _arns(parameters: Mapping[str, Any], *, roles: bool = False) -> list[str]:
    """Roles among them are what a request hands on, not what it is about."""
    values = [each for value in parameters.values() for each in (value if isinstance(value, list) else [value])]
    return [each for each in values if _is_arn(each) and bool(_ROLE.fullmatch(each)) is roles]


def _name(value: str) -> str:
    """A queue's URL ends with its name; a parameter's name begins with a slash that its ARN has before it."""
    return value.rpartition("/")[2] if value.startswith("https://") else value.removeprefix("/")


def _owner(value: str) -> str | None:
    """The account in a queue's URL."""
    return value.split("/")[-2] if value.startswith("https://") else None
