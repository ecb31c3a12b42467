"""Documents with annotations, one JSON object a line: a `StoredForm`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flywheel.preparation.entities import annotations_hash, combination, from_line, to_line
from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS
from flywheel.spans import Span, labels_of_spans

if TYPE_CHECKING:
    from flywheel.datasets.part_documents import Rewritten


class AnnotatedDocuments:
    def read(self, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
        for line in lines:
            text, spans = from_line(line)
            yield LABEL_SEPARATOR_IN_RECORDS.join(labels_of_spans(spans)), text

    def combination(self, column: str, _delimiter: str) -> str:
        return combination(_spans(column))

    def column(self, column: str, _combination: str, _delimiter: str) -> str:
        return column

    def label_digest(self, column: str, _combination: str) -> int:
        return int.from_bytes(annotations_hash(_spans(column)), "little")

    def line(self, column: str, text: str) -> str:
        return to_line(text, _spans(column))

    def size(self, document: Rewritten) -> int:
        return len(document.text.encode()) + 1


def _spans(column: str) -> list[Span]:
    return [Span.of_label(label) for label in column.split(LABEL_SEPARATOR_IN_RECORDS)] if column else []
