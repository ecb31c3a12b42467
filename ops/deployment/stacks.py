"""The CloudFormation stacks of a flywheel: its own, and each that publishes values below its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flywheel.store.parameters import PARAMETER_ROOT
from ops.deployment.clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef, StackSummaryTypeDef


def live_stacks(clients: Clients, name: str) -> Iterator[StackSummaryTypeDef]:
    """The stacks of the flywheel `name` that exist, in any state."""
    for stack in stacks_named_after(clients, name):
        if stack["StackStatus"] != "DELETE_COMPLETE":
            resources = stack_resources(clients, stack["StackName"])
            if belongs_to_flywheel(name, stack, (each.get("PhysicalResourceId", "") for each in resources)):
                yield stack


def stacks_named_after(clients: Clients, name: str) -> Iterator[StackSummaryTypeDef]:
    """Deleted ones, too. `news-2-serving` is not named after `news`, but a stack of somebody else's may be."""
    named = re.compile(rf"{re.escape(name)}-[A-Za-z0-9]+")
    for page in clients.cloudformation.get_paginator("list_stacks").paginate():
        yield from (stack for stack in page["StackSummaries"] if named.fullmatch(stack["StackName"]))


def belongs_to_flywheel(name: str, stack: StackSummaryTypeDef, physical_ids: Iterable[str]) -> bool:
    """Of a stack that is named after the flywheel and has these resources: each publishes in Parameter Store."""
    published = f"{PARAMETER_ROOT}/{name}/"
    return stack["StackName"] == f"{name}-flywheel" or any(each.startswith(published) for each in physical_ids)


def stack_resources(clients: Clients, stack: str) -> Iterator[StackResourceSummaryTypeDef]:
    for page in clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        yield from page["StackResourceSummaries"]
