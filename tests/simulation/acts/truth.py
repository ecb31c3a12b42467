"""What a person who reads a text of the simulation sees in it (`schedule.documents`, `schedule.letters`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flywheel.spans import Span, labels_of_spans

_ABOUT = re.compile(r"about:(\w+)")
_ENTITY = re.compile(r"\b([A-Z]+)_\w+")


def truth(text: str, *, kind: str) -> tuple[str, ...]:
    """Its labels, as the review queue has them."""
    if kind == "ENTITIES":
        return labels_of_spans(Span(found.start(), found.end(), found[1]) for found in _ENTITY.finditer(text))
    return tuple(dict.fromkeys(_ABOUT.findall(text)))


def mistake(text: str, *, kind: str, labels: Sequence[str], chance: float) -> tuple[str, ...]:
    """Something else that could be said of it."""
    right = truth(text, kind=kind)
    if kind == "ENTITIES":
        return right[1:] if len(right) > 1 else ()
    others = [label for label in labels if label not in right]
    return (others[int(chance * len(others))],) if others else right[:1]
