"""Who is at the command line, for the records that name a person."""

from __future__ import annotations

from ops.clients import Clients


def caller_of(clients: Clients) -> str:
    """The ARN of the credentials' user or role session; no permission is needed to ask."""
    return clients.sts.get_caller_identity()["Arn"]
