"""How busy endpoints were: what Comprehend's metric InferenceUtilization says, for any stretch of time."""

from __future__ import annotations

from collections import defaultdict, deque
from itertools import takewhile
from threading import Lock

from local.comprehend.inferences import Inference

_KEPT = 50_000


class Load:
    """The latest inferences of each endpoint. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inferences: dict[str, deque[tuple[float, Inference]]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def record(self, inference: Inference, *, now: float) -> None:
        with self._lock:
            self._inferences[inference.endpoint_arn].append((now, inference))

    def utilisation(self, endpoint_arn: str, *, begin: float, end: float) -> float | None:
        """Percent of the endpoint's capacity between two moments; None when it answered nothing, because the metric
        appears for successful requests only."""
        with self._lock:
            since = takewhile(lambda each: each[0] > begin, reversed(self._inferences.get(endpoint_arn, ())))
            within = [inference for time, inference in since if time <= end]
        if not within:
            return None
        return 100 * sum(each.characters / each.characters_a_second for each in within) / (end - begin)
