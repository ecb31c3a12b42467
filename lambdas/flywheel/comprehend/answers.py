"""Reads Comprehend's answers: page by page, and members that must be there. The API's model makes all optional."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flywheel.faults.errors import IncompleteAnswer


def required(answer: Any, member: str, *, of: str) -> Any:
    """The member of an answer. Raises IncompleteAnswer."""
    if member not in answer:
        raise IncompleteAnswer(member=member, of=of)
    return answer[member]


def pages(operation: Callable[..., Any], **arguments: Any) -> Iterator[Any]:
    """The answers of an operation that boto3 has no paginator for."""
    page = operation(**arguments)
    yield page
    while page.get("NextToken"):
        page = operation(**arguments, NextToken=page["NextToken"])
        yield page
