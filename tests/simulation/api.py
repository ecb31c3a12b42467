"""What a service of the simulated world is asked, and how it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

REGION = "us-east-1"
ACCOUNT = "111122223333"
"""Of the deployment that trains models."""
IMPORTER = "444455556666"
"""Of the deployment that imports them."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks. `role` is the role's name in its account; None: somebody who may do anything there."""

    account: str
    role: str | None = None

    @property
    def arn(self) -> str:
        if self.role is None:
            return f"arn:aws:iam::{self.account}:root"
        return f"arn:aws:sts::{self.account}:assumed-role/{self.role}/simulation"


class ApiError(Exception):
    """An error answer of a service: what botocore raises as ClientError."""

    def __init__(self, code: str, message: str, *, status: int = 400, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members
        """Further members of the answer, beside Error."""


class Service(Protocol):
    """One service, for all accounts. It answers at once: what takes time happens around it."""

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """`operation` is the API's name (PutObject), `parameters` are what boto3 was given, the answer is what boto3
        gives, without ResponseMetadata. Raises ApiError; NotImplementedError for what the simulation has no need of."""


@dataclass(kw_only=True)
class Answer:
    """Of a request, with the HTTP status that some callers look at."""

    members: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
