"""Sentences about documents that a turn left out of datasets. They do not quote the documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flywheel.records.turns import TurnRecord

_CONFLICTS = 5


def left_out_sentences(record: TurnRecord) -> Iterator[str]:
    for split, documents in sorted(record.leaked.items()):
        if documents:
            yield f"{documents:,} {split} documents were dropped because their text stands in the other split too."
    for split, documents in sorted(record.duplicates.items()):
        yield f"{documents:,} {split} documents were copies of others, which count once."
    for split, documents in sorted(record.excluded.items()):
        yield f"{documents:,} {split} documents are excluded (`flywheel exclude` lists what and why)."
    for split, documents in sorted(record.conflicts.items()):
        refused = record.refused.get(split, 0)
        became = f"; {refused:,} were refused (ConflictingLabels)" if refused else ""
        yield f"{documents:,} {split} documents have a text that came before with other labels{became}."
    for one in record.conflict_examples[:_CONFLICTS]:
        first, second = " and ".join(one.labels), " and ".join(one.other_labels)
        yield f"The same text has {first} in {one.source} and {second} in {one.other_source}."
