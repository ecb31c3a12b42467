"""What is wrong with a file or a line, in words a person can act on, and an account of all bad lines of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from .label_forms import printable

_EXCERPT_CHARACTERS = 80
_MOST_KINDS_OF_A_RULE = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which an upload can be wrong.

    ``message`` and ``fix`` are ``str.format`` templates over the facts of a violation. ``enrich`` adds facts that are
    too costly to work out for a violation that is only counted.
    """

    id: str
    message: str
    fix: str
    enrich: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    kind: str | None = None
    """The fact that tells bad lines of this rule apart: those in which it is equal are shown together."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that was broken, with the facts its sentences need."""

    rule: Rule
    facts: Mapping[str, Any] = field(default_factory=dict)

    def problem(self, *, line: int | None = None, raw: bytes | None = None, file: str | None = None) -> Problem:
        """The violation spelled out; ``line`` counts from 1 in ``file``, ``raw`` is the offending line as it stood."""
        facts = dict(self.facts)
        if self.rule.enrich is not None:
            facts.update(self.rule.enrich(facts))
        return Problem(
            rule=self.rule.id,
            message=_encodable(self.rule.message.format(**facts)),
            fix=_encodable(self.rule.fix.format(**facts)),
            line=line,
            excerpt=None if raw is None else _excerpt(raw),
            file=None if file is None else _encodable(file),
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """A violation as people read it. ``line`` and ``excerpt`` are absent when the file as a whole is meant.

    ``alike`` is how many lines of the file are bad in the same way, this one included. ``file`` is the name of the file
    that ``line`` counts in, where an upload is a folder.
    """

    rule: str
    message: str
    fix: str
    line: int | None = None
    excerpt: str | None = None
    alike: int = 1
    file: str | None = None


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

    def add(self, violation: Violation, *, line: int | None, raw: bytes, file: str | None = None) -> None:
        """``line`` is where the record begins, counted from 1, None if nobody knows any more; ``raw`` is the record as
        it stood, line end included; ``file`` is the file's name, where an upload is a folder."""
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
            self._kinds.setdefault(kind, []).append(violation.problem(line=line, raw=raw, file=file))
        self.copy_more(raw)

    def add_long(self, violation: Violation, *, line: int, pieces: Iterator[bytes], file: str | None = None) -> None:
        """A record that is too long to be held: ``pieces`` are its bytes, one after the other."""
        self.add(violation, line=line, raw=next(pieces), file=file)
        for piece in pieces:
            self.copy_more(piece)

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


def _encodable(text: str) -> str:
    """JSON's escapes can name half a character (a lone surrogate), which no file can hold: the escape is shown."""
    return text.encode(errors="backslashreplace").decode()


def _excerpt(raw: bytes) -> str:
    """The beginning of a line on one line of at most 80 characters, with unprintable characters escaped."""
    # Four bytes are the most a UTF-8 character takes, so this is enough for the characters that are kept.
    text = raw[: 4 * (_EXCERPT_CHARACTERS + 1)].decode(errors="replace").rstrip("\r\n")
    shown = printable(text)
    if len(shown) <= _EXCERPT_CHARACTERS:
        return shown
    return shown[: _EXCERPT_CHARACTERS - 1] + "…"
