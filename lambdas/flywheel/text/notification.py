"""Subjects and messages of notifications within the limits of SNS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flywheel.text.byte_limits import LONGEST_SENTENCE, size_of, within
from flywheel.text.printable import printable

SUBJECT_CHARACTERS = 99
"""SNS: "less than 100 characters", ASCII here, no line break or control character."""
MESSAGE_BYTES = 64 * 1024
"""SNS takes 262,144 bytes, and bills each 64 KiB as one message. An SQS subscription wraps the message in JSON, which
makes it longer."""
MOST_NAMED = 50
"""Most uploads and the like that one message lists."""
_LEFT_OUT = "[shortened: the whole is where the lines below say]"


def subject(text: str) -> str:
    """Printable ASCII, as SNS wants."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:SUBJECT_CHARACTERS]


def message(lines: Iterable[str], *, closing: Sequence[str]) -> str:
    """As many of `lines` as fit, then all of `closing`, which says where the full report is and what to do.

    Control characters are made visible: no line can break in two, or control the terminal or mail reader.
    """
    end = ["", *(printable(line) for line in closing)]
    room = MESSAGE_BYTES - size_of("\n".join(end)) - size_of(_LEFT_OUT) - len("\n\n")
    taken: list[str] = []
    for line in lines:
        shown = within(printable(line), LONGEST_SENTENCE)
        room -= size_of(shown) + len("\n")
        if room < 0:
            taken.append(_LEFT_OUT)
            break
        taken.append(shown)
    return "\n".join([*taken, *end])


def named(lines: Sequence[str], *, more: str, total: int | None = None) -> Iterator[str]:
    """The first of `lines`, and a last line with the number of those left out and the words in `more`. `total` is
    the whole number, if `lines` does not have all."""
    yield from lines[:MOST_NAMED]
    left = max(total or 0, len(lines)) - len(lines[:MOST_NAMED])
    if left > 0:
        yield f"and {left:,} more {more}"
