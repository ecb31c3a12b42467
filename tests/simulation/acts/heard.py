"""What people were answered, which claims hold the pipeline to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from flywheel.records.predictions import text_digest
from flywheel.records.review import Verdict

Said = tuple[Verdict, frozenset[str]]
"""A verdict with its labels."""


@dataclass(frozen=True, kw_only=True)
class ApiAnswer:
    """What the real-time API gave; moments in seconds of the kernel."""

    path: str
    by: str
    began: float
    ended: float
    texts: tuple[str, ...]
    status: int
    """504 if there was no answer within API Gateway's 29 seconds, 502 if the function failed."""
    body: Any


@dataclass(kw_only=True)
class Heard:
    api: list[ApiAnswer] = field(default_factory=list)
    answered: dict[tuple[str, str], Said] = field(default_factory=dict)
    """By item and reviewer: the answer that the queue took last, while that is sure."""
    answering: list[tuple[str, str]] = field(default_factory=list)
    """Items and reviewers of the requests that are under way."""
    at_once: set[tuple[str, str]] = field(default_factory=set)
    """Those of which there were two at once, by one reviewer in two windows: which was last, nobody is told."""
    proposed: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """By item and who said it: the labels that the queue took last as a proposal."""
    sent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """By text: until when some function may still work on it; for ever if it is in an analysis job."""
    forgetting: dict[str, str] = field(default_factory=dict)
    """By text, how it was named to `flywheel forget`, which was told that not all of it is done."""
    forgotten: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By text: when somebody began to forget it, and when that had ended."""
    withdrawn: set[str] = field(default_factory=set)
    """ARNs of reviewers."""
    jobs: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By analysis job: what was done to it besides uploading."""

    @property
    def forgotten_items(self) -> set[str]:
        """Ids, also of what somebody was told is forgotten in part only."""
        return {text_digest(text) for text in (*self.forgetting, *self.forgotten)}

    def unsure(self, item: str, by: str) -> None:
        self.answered.pop((item, by), None)
