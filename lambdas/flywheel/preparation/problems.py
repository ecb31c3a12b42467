"""What is wrong with a file or a line, in words a person can act on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .label_forms import printable

EXCERPT_CHARACTERS = 80


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

    def problem(self, *, line: int | None = None, raw: bytes | None = None) -> Problem:
        """The violation spelled out; ``line`` counts from 1, ``raw`` is the offending line as it stood."""
        facts = dict(self.facts)
        if self.rule.enrich is not None:
            facts.update(self.rule.enrich(facts))
        return Problem(
            rule=self.rule.id,
            message=_encodable(self.rule.message.format(**facts)),
            fix=_encodable(self.rule.fix.format(**facts)),
            line=line,
            excerpt=None if raw is None else excerpt(raw),
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """A violation as people read it. ``line`` and ``excerpt`` are absent when the file as a whole is meant.

    ``alike`` is how many lines of the file are bad in the same way, this one included.
    """

    rule: str
    message: str
    fix: str
    line: int | None = None
    excerpt: str | None = None
    alike: int = 1

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def _encodable(text: str) -> str:
    """JSON's escapes can name half a character (a lone surrogate), which no file can hold: the escape is shown."""
    return text.encode(errors="backslashreplace").decode()


def excerpt(raw: bytes) -> str:
    """The beginning of a line on one line of at most 80 characters, with unprintable characters escaped."""
    # Four bytes are the most a UTF-8 character takes, so this is enough for the characters that are kept.
    text = raw[: 4 * (EXCERPT_CHARACTERS + 1)].decode(errors="replace").rstrip("\r\n")
    shown = printable(text)
    if len(shown) <= EXCERPT_CHARACTERS:
        return shown
    return shown[: EXCERPT_CHARACTERS - 1] + "…"
