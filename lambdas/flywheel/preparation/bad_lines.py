"""Keeps account of the lines that cannot be taken."""

from __future__ import annotations

from collections import Counter
from typing import BinaryIO

from .problems import Problem, Violation


class BadLines:
    """Counts every bad record by rule, spells the first ``examples`` out, and copies all of them to ``copy``."""

    def __init__(self, *, copy: BinaryIO | None, examples: int) -> None:
        self._copy = copy
        self._limit = examples
        self._totals: Counter[str] = Counter()
        self.examples: list[Problem] = []

    def add(self, violation: Violation, *, line: int, raw: bytes) -> None:
        """``line`` is where the record begins, counted from 1; ``raw`` is the record as it stood, line end included."""
        self._totals[violation.rule.id] += 1
        if len(self.examples) < self._limit:
            self.examples.append(violation.problem(line=line, raw=raw))
        self.copy_more(raw)

    def copy_more(self, raw: bytes) -> None:
        """More bytes of the record added last."""
        if self._copy is not None:
            self._copy.write(raw)

    @property
    def totals(self) -> dict[str, int]:
        """Bad records by rule id, most frequent first."""
        return dict(self._totals.most_common())

    @property
    def total(self) -> int:
        return self._totals.total()
