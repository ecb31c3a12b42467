"""Reads members of Comprehend's answers that must be there. The API's model makes all members optional."""

from __future__ import annotations

from typing import Any

from flywheel.errors import IncompleteAnswer


def required(answer: Any, member: str, *, of: str) -> Any:
    """The member of an answer. Raises IncompleteAnswer."""
    if member not in answer:
        raise IncompleteAnswer(member=member, of=of)
    return answer[member]
