"""The parts of a model's ARN."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_ARN = re.compile(
    r"(?P<place>arn:[^:]+:comprehend:[^:]*:[^:]*):"
    r"(?P<resource>[a-z-]+)/(?P<name>[A-Za-z0-9-]+)(/version/(?P<version>[A-Za-z0-9-]+))?"
)


@dataclass(frozen=True, kw_only=True)
class ModelArn:
    """`<place>:<resource>/<name>[/version/<version>]`, as the service reference gives it."""

    place: str
    """`arn:<partition>:comprehend:<Region>:<account>`."""
    resource: str
    """Such as `document-classifier`."""
    name: str
    version: str | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None if it is not the ARN of a resource of Comprehend with a name and perhaps a version."""
        found = _ARN.fullmatch(text)
        return cls(**found.groupdict()) if found else None

    @property
    def short(self) -> str:
        """Name and version, as the ARN ends."""
        return f"{self.name}/version/{self.version}" if self.version else self.name


def short_name(model_arn: str) -> str:
    """How the model's ARN ends: its name and version. What is no such ARN is given back as it is."""
    found = ModelArn.parse(model_arn)
    return found.short if found else model_arn
