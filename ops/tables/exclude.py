"""The answers of `flywheel exclude`."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from flywheel.records.exclusions import Exclusion
from ops.tables.figures import count, moment
from ops.tables.listing import Column, Listing
from ops.verbs.exclude import Change, Excluded

NAMED = 5
"""So many datasets are named."""


def excluded_view(excluded: Excluded) -> RenderableType:
    if not excluded.uploads and not excluded.total_documents:
        return "Nothing is excluded."
    table = Listing(
        Column(title="Excluded", wraps=True),
        Column(title="Reason", wraps=True),
        Column(title="By", wraps=True, rank=2),
        Column(title="At", rank=1),
    )
    for upload in excluded.uploads:
        key = upload.exclusion.upload.key if upload.exclusion.upload else ""
        table.add(f"{key} ({upload.id})", *_why(upload.exclusion))
    for some in excluded.documents:
        table.add(count(some.documents, "document"), *_why(some.exclusion))
    listed = sum(each.documents for each in excluded.documents)
    parts: list[RenderableType] = [table]
    if listed < excluded.total_documents:
        parts.append(Text(f"And {excluded.total_documents - listed:,} documents more."))
    if excluded.in_datasets:
        parts.append(Text(stays_words(excluded.in_datasets)))
    return Group(*parts)


def _why(exclusion: Exclusion) -> tuple[str, str, str]:
    return exclusion.reason, exclusion.by, moment(exclusion.at)


def stays_words(in_datasets: Mapping[str, int]) -> str:
    """What datasets of the present generation have, and keep."""
    names = sorted(in_datasets)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    documents = count(sum(in_datasets.values()), "excluded document stays", "excluded documents stay")
    return (
        f"{documents} in {', '.join(names[:NAMED])}{more} until there is a new generation: `flywheel generation new`."
    )


def change_sentence(change: Change) -> str:
    what = [*change.uploads, *([count(change.documents, "document")] if change.documents else [])]
    sentences = [f"{'Not excluded any more' if change.undone else 'Excluded'}: {', '.join(what) or 'nothing'}."]
    if change.reviewer:
        sentences = [f"Withdrawn: the answers of {change.reviewer}.", *(sentences if change.documents else [])]
        if change.returned:
            sentences.append(f"{count(change.returned, 'item')} of the review queue wait again.")
    if change.unchanged:
        sentences.append(f"{change.unchanged:,} of them {'were not' if change.undone else 'were so'} before.")
    if change.waiting:
        verb = "wait for the next dataset again" if change.undone else "that wait are left out of the next dataset"
        sentences.append(f"{change.waiting:,} documents {verb}.")
    if change.in_datasets and change.undone:
        sentences.append("Datasets that have them keep them, and the next generation's seed has them again.")
    elif change.in_datasets:
        sentences.append(stays_words(change.in_datasets))
    if change.uploads and not change.undone:
        sentences.append(
            "Documents that another upload has too stay as that one's, unless they were left out there as copies: "
            "these can be uploaded again."
        )
    return " ".join(sentences)
