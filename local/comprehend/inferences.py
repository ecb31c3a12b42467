"""What is told about each text that an endpoint has classified: enough to count it, nothing of the text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local.comprehend.identifiers import Scope


@dataclass(frozen=True, kw_only=True)
class Inference:
    """A successful ClassifyDocument: the characters it was asked about, the inference units that answered, and how many
    characters a second these take together."""

    scope: Scope
    endpoint_arn: str
    characters: int
    units: int
    characters_a_second: float


Observer = Callable[[Inference], None]
