"""What SNS takes of a notification: its subject, and a message that always fits and leads to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flywheel.text.byte_limits import LONGEST_SENTENCE, size_of, within
from flywheel.text.printable import printable

SUBJECT_CHARACTERS = 99
"""SNS: "less than 100 characters", ASCII here, no line break or control character."""
MESSAGE_BYTES = 64 * 1024
"""SNS takes 262,144 bytes. This is what it bills as one message, and more than people read; what subscribes through a
queue finds the message within another JSON, which is longer."""
MOST_NAMED = 50
"""Of uploads and the like in one message."""
_LEFT_OUT = "[shortened: the whole is where the lines below say]"


def subject(text: str) -> str:
    """Printable ASCII, as SNS wants."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:SUBJECT_CHARACTERS]


def message(lines: Iterable[str], *, closing: Sequence[str]) -> str:
    """`lines` as far as they fit, then all of `closing`: where the whole is, and what to do.

    No line of any of them can be more than one, or steer the terminal or mail reader that shows it.
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
    """The first of `lines`; how many `more` there are is said. `total` counts those too that are not in `lines`."""
    yield from lines[:MOST_NAMED]
    left = max(total or 0, len(lines)) - len(lines[:MOST_NAMED])
    if left > 0:
        yield f"and {left:,} more {more}"
