"""What a request may name: the Region, the role, the KMS keys. As far as the request itself shows."""

from __future__ import annotations

import re
from typing import Any

from local.comprehend.errors import service_error
from local.comprehend.identifiers import Scope

REGIONS = frozenset(
    "us-east-1 us-east-2 us-west-2 ca-central-1 eu-central-1 eu-west-1 eu-west-2 ap-south-1 ap-northeast-1 "
    "ap-northeast-2 ap-southeast-1 ap-southeast-2 us-gov-west-1".split()
)
"""Where AWS offers Comprehend (developer guide, "Guidelines and quotas")."""
_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|mrk-[0-9a-f]{32}")
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:(?P<resource>.+)")
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


def require_keys(block: dict[str, Any], scope: Scope, *, aliases: bool = False) -> None:
    """Raise KmsKeyValidationException unless each ``...KmsKeyId`` of the block is the id or ARN of a key in the Region,
    or, with ``aliases``, an alias or its ARN. Whether there is such a key, only KMS knows."""
    for name, value in block.items():
        if not name.endswith("KmsKeyId"):
            continue
        arn = _KEY_ARN.fullmatch(value)
        key = arn["resource"].removeprefix("key/") if arn else value
        alias = key.startswith("alias/") and len(key) > len("alias/")
        if not (_KEY.fullmatch(key) or (alias and aliases)):
            wanted = "a key's id, ARN or alias" if aliases else "a key's id or ARN; an alias is not accepted here"
            raise service_error("KmsKeyValidationException", f"{name}: {value!r} is not {wanted}.")
        if arn and arn["region"] != scope.region:
            raise service_error("KmsKeyValidationException", f"{name}: {value} is in another Region.")
