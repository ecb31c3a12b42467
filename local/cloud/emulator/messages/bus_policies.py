"""Event buses have a resource policy, which PutPermission, RemovePermission and CloudFormation change.

MiniStack keeps what PutPermission is given as it stands, so that no principal in it is anybody; it has no
AWS::Events::EventBusPolicy, and asks no bus when something is put on it.
"""

from __future__ import annotations

from typing import Any

from local.cloud.emulator.messages import bus_statements
from local.cloud.emulator.ministack import eventbridge, iam_actions, iam_evaluator, provisioners, responses

DEFAULT_BUS = "default"

_TYPE = "AWS::Events::EventBusPolicy"
# Whose Name, or EventBusName, is that of the bus they are about.
_ABOUT_A_BUS = {
    "PutPermission": "EventBusName",
    "RemovePermission": "EventBusName",
    "CreateEventBus": "Name",
    "DescribeEventBus": "Name",
    "UpdateEventBus": "Name",
    "DeleteEventBus": "Name",
}

Properties = dict[str, Any]


def teach() -> None:
    eventbridge._put_permission = _put_permission
    eventbridge._remove_permission = _remove_permission
    _describe_by_arn()
    _forget_policies_of_deleted_buses()
    _name_buses()
    # From here on IAM asks a bus as it asks a queue or a topic.
    eventbridge.bus_policy_for_arn = _policy_and_owner
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["events"] = ("eventbridge", "bus_policy_for_arn")
    # Updated by creating: that replaces a statement of the same id, and for another id the engine deletes the former.
    provisioners._RESOURCE_HANDLERS[_TYPE] = {"create": _create, "delete": _delete}


def bus_arn(bus: str, *, region: str, account: str) -> str:
    """The ARN of a bus that is given by name or ARN."""
    return bus if bus.startswith("arn:") else f"arn:aws:events:{region}:{account}:event-bus/{bus}"


def _put_permission(data: dict[str, Any]) -> Any:
    bus = data.get("EventBusName") or DEFAULT_BUS
    if not _exists(bus):
        return _unknown(bus)
    try:
        if "Policy" in data:
            eventbridge._event_bus_policies[bus] = bus_statements.policy_of(data["Policy"])
        else:
            _put(bus, bus_statements.permission(data, bus_arn=_own(bus)))
    except bus_statements.Refused as error:
        return responses.error_response_json(error.code, str(error), 400)
    return responses.json_response({})


def _remove_permission(data: dict[str, Any]) -> Any:
    bus = data.get("EventBusName") or DEFAULT_BUS
    if not _exists(bus):
        return _unknown(bus)
    if data.get("RemoveAllPermissions"):
        eventbridge._event_bus_policies.pop(bus, None)
        return responses.json_response({})
    policy = eventbridge._event_bus_policies.get(bus)
    if policy is None:
        return responses.error_response_json("ResourceNotFoundException", "EventBus does not have a policy.", 400)
    if all(each.get("Sid") != data.get("StatementId") for each in policy["Statement"]):
        message = "Statement with the provided id does not exist."
        return responses.error_response_json("ResourceNotFoundException", message, 400)
    _remove(bus, data["StatementId"])
    return responses.json_response({})


def _put(bus: str, statement: bus_statements.Statement) -> None:
    policies = eventbridge._event_bus_policies
    policies[bus] = bus_statements.with_statement(policies.get(bus), statement)


def _remove(bus: str, statement_id: str) -> None:
    policies = eventbridge._event_bus_policies
    left = bus_statements.without_statement(policies.pop(bus, None), statement_id)
    if left:
        policies[bus] = left


def _exists(bus: str) -> bool:
    eventbridge._ensure_default_bus()
    return bus in eventbridge._event_buses


def _unknown(bus: str) -> Any:
    return responses.error_response_json("ResourceNotFoundException", f"Event bus {bus} does not exist.", 400)


def _own(bus: str) -> str:
    return bus_arn(bus, region=responses.get_region(), account=responses.get_account_id())


def _policy_and_owner(arn: str) -> tuple[bus_statements.Policy | None, str] | None:
    """The policy and the account of the bus with this ARN; None if the ARN is no bus's."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("event-bus/"):
        return None
    _, _, _, region, account, resource = parts
    bus = resource.partition("/")[2]
    return eventbridge._event_bus_policies.get_scoped(account, region, bus), account


def _describe_by_arn() -> None:
    describe = eventbridge._describe_event_bus

    def describe_named(data: dict[str, Any]) -> Any:
        name, error = eventbridge._event_bus_name_from_ref(data.get("Name") or DEFAULT_BUS)
        return responses.error_response_json(*error, 400) if error else describe({**data, "Name": name})

    eventbridge._describe_event_bus = describe_named


def _forget_policies_of_deleted_buses() -> None:
    delete = eventbridge._delete_event_bus

    def delete_with_policy(data: dict[str, Any]) -> Any:
        answer = delete(data)
        if data.get("Name") != DEFAULT_BUS:
            eventbridge._event_bus_policies.pop(data.get("Name"), None)
        return answer

    eventbridge._delete_event_bus = delete_with_policy


def _name_buses() -> None:
    """MiniStack takes the bus's name for a rule's, and no name for `*`."""
    original = iam_actions.extract_resource_arn

    def extract(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, query: Any, *where: str
    ) -> Any:
        operation = headers.get("x-amz-target", "").rpartition(".")[2] if service == "events" else ""
        if operation not in _ABOUT_A_BUS:
            return original(service, method, path, headers, body, query, *where)
        region, account = where
        named = iam_actions._safe_json_field(body, _ABOUT_A_BUS[operation]) or DEFAULT_BUS
        return bus_arn(named, region=region, account=account)

    iam_actions.extract_resource_arn = extract


def _create(_logical_id: str, properties: Properties, _stack: str) -> tuple[str, dict[str, Any]]:
    bus = properties.get("EventBusName") or DEFAULT_BUS
    if not _exists(bus):
        raise ValueError(f"Event bus {bus} does not exist.")
    statement_id = str(properties.get("StatementId", ""))
    given = properties.get("Statement")
    _put(
        bus,
        bus_statements.identified(given, statement_id=statement_id)
        if given is not None
        else bus_statements.permission(properties, bus_arn=_own(bus)),
    )
    return f"{bus}|{statement_id}", {}


def _delete(physical_id: str, _properties: Properties) -> None:
    bus, _, statement_id = physical_id.partition("|")
    _remove(bus, statement_id)
