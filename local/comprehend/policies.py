"""What decides whether a resource's policy lets a caller in: IAM, which this service is no part of."""

from __future__ import annotations

from typing import Literal, Protocol

Decision = Literal["Allow", "Deny", "ImplicitDeny"]


class Decide(Protocol):
    def __call__(self, document: str, *, caller: str, action: str, resource: str) -> Decision:
        """What the policy document says to the principal ``caller`` (an ARN) for this action and resource."""


def none_allows(document: str, *, caller: str, action: str, resource: str) -> Decision:  # noqa: ARG001 (as Decide has it)
    """Without IAM, no policy lets anyone in."""
    return "ImplicitDeny"
