"""How a KMS key may be named in a request."""

from __future__ import annotations

import re
from typing import Any

from local.comprehend.errors import service_error
from local.comprehend.identifiers import Scope

_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|mrk-[0-9a-f]{32}")
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:(?P<resource>.+)")


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
