"""CloudFormation properties and types that MiniStack refuses or treats in a way of its own.

A parameter without a name is called by AWS after the stack, without the slash that would make it hierarchical; a custom
resource waits up to an hour; metric math and composite alarms are kept, not evaluated.
"""

from __future__ import annotations

import contextlib
from typing import Any

from local.cloud.emulator.ministack import custom_resource, provisioners, responses

# For those that say nothing of their time, and at most.
_CUSTOM_RESOURCE_SECONDS = 120
_CUSTOM_RESOURCE_LIMIT = 600
_KEPT_ONLY = {"AWS::CloudWatch::CompositeAlarm": "AlarmName", "AWS::Logs::QueryDefinition": "Name"}


def teach() -> None:
    _name_parameters()
    _keep_metric_math_alarms()
    _keep_types_without_behaviour()
    _bound_custom_resources()


def _name_parameters() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SSM::Parameter"]
    create = handlers["create"]

    def create_named(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        name = properties.get("Name") or "CFN-" + provisioners._physical_name(stack, logical_id, max_len=100)
        return create(logical_id, {**properties, "Name": name}, stack)

    handlers["create"] = create_named


def _keep_metric_math_alarms() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def create_alarm(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        if "Metrics" not in properties:
            return create(logical_id, properties, stack)
        name = properties.get("AlarmName") or provisioners._physical_name(stack, logical_id, max_len=255)
        return name, {"Arn": _alarm_arn(name)}

    def update_alarm(name: str, old: dict[str, Any], new: dict[str, Any], stack: str, *rest: Any) -> Any:
        if "Metrics" in old or "Metrics" in new:
            return name, {"Arn": _alarm_arn(name)}
        return update(name, old, new, stack, *rest)

    def delete_alarm(name: str, properties: dict[str, Any]) -> Any:
        return None if "Metrics" in properties else delete(name, properties)

    handlers.update(create=create_alarm, update=update_alarm, delete=delete_alarm)


def _keep_types_without_behaviour() -> None:
    for type_, name_property in _KEPT_ONLY.items():
        if type_ in provisioners._RESOURCE_HANDLERS:
            continue

        def create(logical_id: str, properties: dict[str, Any], stack: str, *, named: str = name_property) -> Any:
            name = properties.get(named) or provisioners._physical_name(stack, logical_id, max_len=255)
            return name, {"Arn": _alarm_arn(name), "QueryDefinitionId": name}

        provisioners._RESOURCE_HANDLERS[type_] = {
            "create": create,
            "update": lambda name, _old, _new, _stack: (name, {"Arn": _alarm_arn(name), "QueryDefinitionId": name}),
            "delete": lambda _name, _properties: None,
        }


def _alarm_arn(name: str) -> str:
    return f"arn:aws:cloudwatch:{responses.get_region()}:{responses.get_account_id()}:alarm:{name}"


def _bound_custom_resources() -> None:
    """A provider that never answers must fail a local deployment in minutes, and one that could not create something
    is asked to delete it, by the id that it gave (the CloudFormation guide, "Custom resources")."""
    invoke, deliver = custom_resource.invoke_custom_resource, custom_resource.deliver_response
    ids: dict[tuple[Any, Any], str] = {}

    def deliver_and_note(token: str, response: dict[str, Any]) -> bool:
        ids[response.get("StackId"), response.get("LogicalResourceId")] = response.get("PhysicalResourceId", "")
        return bool(deliver(token, response))

    def invoke_bounded(
        request_type: str, logical_id: str, properties: dict[str, Any], *rest: Any, **options: Any
    ) -> Any:
        seconds = min(int(properties.get("ServiceTimeout") or _CUSTOM_RESOURCE_SECONDS), _CUSTOM_RESOURCE_LIMIT)
        bounded = {**properties, "ServiceTimeout": seconds}
        try:
            return invoke(request_type, logical_id, bounded, *rest, **options)
        except RuntimeError:
            _, stack_id, *_ = rest
            made = ids.get((stack_id, logical_id))
            if request_type == "Create" and made:
                with contextlib.suppress(RuntimeError, TimeoutError):
                    invoke("Delete", logical_id, bounded, *rest, physical_id=made)
            raise

    custom_resource.deliver_response = deliver_and_note
    custom_resource.invoke_custom_resource = invoke_bounded
    for name, value in list(vars(provisioners).items()):
        if value is invoke:
            setattr(provisioners, name, invoke_bounded)
