"""How much text an endpoint takes, and what is told of each that it classified: nothing of the text itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local.comprehend.identifiers import Scope


@dataclass(frozen=True, kw_only=True)
class Inference:
    """A successful ClassifyDocument or DetectEntities: the characters it was asked about, the model and the inference
    units that answered, and how many characters a second these take together."""

    scope: Scope
    endpoint_arn: str
    model_arn: str
    characters: int
    units: int
    characters_a_second: float


Observer = Callable[[Inference], None]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """What an endpoint takes a second with all its units, and for how many idle seconds it saves that up."""

    documents: float
    characters: float
    burst: float


class InferenceThroughput:
    """Two token buckets, full to begin with: what an endpoint may still take at a moment.

    What is more than a full bucket would never pass; it passes when the bucket is full and leaves a debt that has to be
    paid first. So nothing is refused for ever, and the rate over time is never exceeded.
    """

    def __init__(self) -> None:
        self._documents = _Bucket()
        self._characters = _Bucket()

    def take(self, *, characters: int, rate: Rate, now: float) -> bool:
        """Take one document of so many characters, if there is room for it at ``now`` (seconds); else leave all as it
        is and answer False."""
        self._documents.fill(rate=rate.documents, capacity=rate.documents * rate.burst, now=now)
        self._characters.fill(rate=rate.characters, capacity=rate.characters * rate.burst, now=now)
        if not (self._documents.holds(1) and self._characters.holds(characters)):
            return False
        self._documents.content -= 1
        self._characters.content -= characters
        return True


@dataclass
class _Bucket:
    content: float = 0.0
    capacity: float = 0.0
    filled: float | None = None

    def fill(self, *, rate: float, capacity: float, now: float) -> None:
        if self.filled is None:
            self.content = capacity
        else:
            self.content = min(capacity, self.content + rate * max(0.0, now - self.filled))
        self.capacity, self.filled = capacity, now

    def holds(self, amount: float) -> bool:
        return self.content >= min(amount, self.capacity)
