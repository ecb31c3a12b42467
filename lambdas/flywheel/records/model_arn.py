"""Parses the ARN of a model."""

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
        """None if `text` is not the ARN of a Comprehend resource with a name and an optional version."""
        found = _ARN.fullmatch(text)
        return cls(**found.groupdict()) if found else None

    @property
    def short(self) -> str:
        """The end of the ARN: name and version."""
        return f"{self.name}/version/{self.version}" if self.version else self.name


def short_name(model_arn: str) -> str:
    """The end of the model's ARN: name and version. A text that is no such ARN is returned unchanged."""
    found = ModelArn.parse(model_arn)
    return found.short if found else model_arn
