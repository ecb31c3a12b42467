"""What IAM and KMS decide for this service, which is no part of either."""

from __future__ import annotations

from typing import Literal, Protocol

Decision = Literal["Allow", "Deny", "ImplicitDeny"]


class Decide(Protocol):
    def __call__(self, document: str, *, caller: str, action: str, resource: str) -> Decision:
        """What the policy document says to the principal ``caller`` (an ARN) for this action and resource."""


class UseKey(Protocol):
    def __call__(self, key: str, *, role_arn: str, model_arn: str, account: str, region: str) -> None:
        """Use the KMS key (id or ARN) of ``account`` for the model, in the name of the role.

        Raises botocore.exceptions.ClientError if there is no such key, or if not both the role and the key allow it.
        """


def none_allows(document: str, *, caller: str, action: str, resource: str) -> Decision:  # noqa: ARG001 (as Decide has it)
    """Without IAM, no policy lets anyone in."""
    return "ImplicitDeny"


def any_key(key: str, *, role_arn: str, model_arn: str, account: str, region: str) -> None:
    """Without KMS, each key is there and can be used."""
