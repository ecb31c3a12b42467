"""Keeps account of the lines that cannot be taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import BinaryIO

from .problems import Problem, Violation

_MOST_KINDS_OF_A_RULE = 10


class BadLines:
    """Counts every bad record by rule, spells the first of each kind out, and copies all of them to ``copy``.

    ``examples`` are spelled out in all, ``of_a_kind`` of those that are bad in the same way.
    """

    def __init__(self, *, copy: BinaryIO | None, examples: int, of_a_kind: int) -> None:
        self._copy = copy
        self._room = examples
        self._of_a_kind = of_a_kind
        self._kinds_of_rule: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._kinds: dict[tuple[str, object], list[Problem]] = {}
        self._alike: Counter[tuple[str, object]] = Counter()
        self.total = 0
        """Bad records so far."""

    def add(self, violation: Violation, *, line: int | None, raw: bytes) -> None:
        """``line`` is where the record begins, counted from 1, None if nobody knows any more; ``raw`` is the record as
        it stood, line end included."""
        self.total += 1
        rule = violation.rule
        self._totals[rule.id] += 1
        kind = (rule.id, violation.facts.get(rule.kind) if rule.kind else None)
        if kind not in self._alike:
            if self._kinds_of_rule[rule.id] >= _MOST_KINDS_OF_A_RULE:
                kind = (rule.id, None)
            else:
                self._kinds_of_rule[rule.id] += 1
        self._alike[kind] += 1
        if self._room and self._alike[kind] <= self._of_a_kind:
            self._room -= 1
            self._kinds.setdefault(kind, []).append(violation.problem(line=line, raw=raw))
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
    def examples(self) -> tuple[Problem, ...]:
        """Those of a kind one after the other, the most frequent kind first."""
        frequent = sorted(self._kinds, key=self._alike.__getitem__, reverse=True)
        return tuple(replace(problem, alike=self._alike[kind]) for kind in frequent for problem in self._kinds[kind])
