"""From what an upload says of a document's entities to spans that are known to fit its text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..problems import Rule, Violation
from .rules import (
    EMPTY_ANNOTATION,
    OFFSET_OUTSIDE,
    OVERLAPPING,
    PART_OF_WORD,
    REPEATED_ANNOTATION,
    TEXT_NOT_AT_OFFSET,
    UNPROVEN_OFFSETS,
    UTF16_OFFSETS,
)
from .spans import Span
from .type_names import TypeNames
from .utf16 import as_utf16
from .words import cuts_word

_AROUND = 20


class Annotation(NamedTuple):
    """An entity as an upload has it; ``text`` is its own text, where the upload gives it."""

    begin: int
    end: int
    type: str
    text: str | None = None


class Checked(NamedTuple):
    """Spans that fit the text, sorted, and what to know of them."""

    spans: tuple[Span, ...]
    remarks: list[Violation]


def check_annotations(
    text: str, annotations: Sequence[Annotation], types: TypeNames, *, counted: bool = False
) -> Checked | Violation:
    """The spans of a document, or the first thing that is wrong with its annotations. ``counted`` says that nobody but
    ourselves counted their offsets."""
    remarks: list[Violation] = []
    if not annotations:
        return Checked((), remarks)
    utf16 = None if counted or text.isascii() else as_utf16(text, annotations)
    if utf16 is not None and utf16.proven:
        annotations, example = utf16.converted, utf16.example
        remarks.append(_about(UTF16_OFFSETS, example, found=text[example.begin : example.end]))
    elif utf16 is not None and not utf16.refuted:
        remarks.append(Violation(UNPROVEN_OFFSETS))
    spans: set[Span] = set()
    for annotation in annotations:
        span = _check_one(text, annotation, types)
        if isinstance(span, Violation):
            return span
        if span in spans:
            remarks.append(_about(REPEATED_ANNOTATION, span))
        spans.add(span)
    ordered = tuple(sorted(spans))
    for before, after in pairwise(ordered):
        if after.begin < before.end:
            facts = {"other": after.type, "other_begin": after.begin, "other_end": after.end}
            return _about(OVERLAPPING, before, **facts)
    remarks += _words_cut(text, ordered)
    return Checked(ordered, remarks)


def _check_one(text: str, annotation: Annotation, types: TypeNames) -> Span | Violation:
    begin, end = annotation.begin, annotation.end
    name = types.of(annotation.type)
    if isinstance(name, Violation):
        return name
    if begin >= end:
        return _about(EMPTY_ANNOTATION, annotation)
    if annotation.text is not None and text[max(begin, 0) : max(end, 0)] != annotation.text:
        return _about(TEXT_NOT_AT_OFFSET, annotation, given=annotation.text, text=text)
    if begin < 0 or end > len(text):
        return _about(OFFSET_OUTSIDE, annotation, length=len(text))
    return Span(begin, end, name)


def _words_cut(text: str, spans: Iterable[Span]) -> Iterable[Violation]:
    for span in spans:
        if cuts_word(text, span.begin) or cuts_word(text, span.end):
            around = text[max(0, span.begin - _AROUND) : span.begin], text[span.end : span.end + _AROUND]
            yield _about(
                PART_OF_WORD,
                span,
                around=f"{around[0].split(' ')[-1]}[{text[span.begin : span.end]}]{around[1].split(' ')[0]}",
            )


def _about(rule: Rule, annotation: Annotation | Span, **facts: object) -> Violation:
    return Violation(rule, {"begin": annotation.begin, "end": annotation.end, "type": annotation.type, **facts})
