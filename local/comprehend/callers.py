"""Who may ask for what, as far as the request itself shows."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import service_error
from local.comprehend.identifiers import Scope

REGIONS = frozenset(
    {
        "us-east-1",
        "us-east-2",
        "us-west-2",
        "ca-central-1",
        "eu-central-1",
        "eu-west-1",
        "eu-west-2",
        "ap-south-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "us-gov-west-1",
    }
)
"""Where AWS offers Comprehend (developer guide, "Guidelines and quotas")."""
_ROLE_MEMBERS = ("DataAccessRoleArn", "DesiredDataAccessRoleArn")


def require_offered(region: str) -> None:
    """On AWS no such endpoint exists, so nothing answers at all; here it has to be said."""
    if region not in REGIONS:
        raise service_error(
            "UnrecognizedClientException",
            f"AWS does not offer Comprehend in {region}; it does in {', '.join(sorted(REGIONS))}.",
        )


def require_own_role(request: dict[str, Any], scope: Scope) -> None:
    """IAM lets nobody pass a role of another account."""
    for member in _ROLE_MEMBERS:
        role = request.get(member)
        if role is not None and role.split(":")[4] != scope.account:
            raise service_error("AccessDeniedException", f"Cross-account pass role is not allowed: {role}.")
