"""What is done besides, where CloudFormation creates or updates a resource with MiniStack's own handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.cloud.emulator.ministack import provisioners

Properties = dict[str, Any]


def adjust(
    type_: str,
    *,
    before: Callable[[Properties], Properties] = lambda properties: properties,
    after: Callable[[str, Properties], None] = lambda _name, _properties: None,
) -> None:
    """``before`` gives the properties to create or update with, and may refuse them; ``after`` is told what they were,
    with the physical id."""
    handlers = provisioners._RESOURCE_HANDLERS[type_]
    create, update = handlers["create"], handlers["update"]

    def create_adjusted(logical_id: str, properties: Properties, stack: str) -> Any:
        properties = before(properties)
        created = create(logical_id, properties, stack)
        after(created[0], properties)
        return created

    def update_adjusted(physical_id: str, old: Properties, new: Properties, *rest: Any) -> Any:
        new = before(new)
        updated = update(physical_id, old, new, *rest)
        after(updated[0], new)
        return updated

    handlers.update(create=create_adjusted, update=update_adjusted)
