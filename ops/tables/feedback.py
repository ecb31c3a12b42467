"""The answer of `flywheel feedback`."""

from __future__ import annotations

from ops.tables.figures import count
from ops.verbs.feedback import FeedbackGiven

_MOST_SHOWN = 20


def feedback_sentences(given: FeedbackGiven) -> str:
    taken = f"{count(given.taken, 'row waits', 'rows wait')} for a reviewer"
    same = f"; {count(given.correct, 'says', 'say')} what the model said" if given.correct else ""
    lines = [f"{taken}{same}."]
    if given.unusable:
        lines.append(f"{count(len(given.unusable), 'row', 'rows')} could not be used. Correct them and run it again:")
        lines += [f"{given.path}, line {row.line:,}: {row.why}" for row in given.unusable[:_MOST_SHOWN]]
        more = len(given.unusable) - _MOST_SHOWN
        lines += [f"and {more:,} more"] if more > 0 else []
    return "\n".join(lines)
