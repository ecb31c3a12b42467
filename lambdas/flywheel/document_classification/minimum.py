"""Which documents make a dataset that Comprehend accepts (reference 3.3, 3.4). Pure: computes with counts only."""

from __future__ import annotations

from collections.abc import Callable

from flywheel.comprehend.model_kind import DatasetMinimum
from flywheel.document_classification.kind import DATASET_LIMITS
from flywheel.records.datasets import by_single_label, without_labels
from flywheel.records.uploads import Split


def dataset_minimum(
    split: Split,
    combinations: dict[str, int],
    *,
    labels: tuple[str, ...],
    minimum: int,
    first: bool,
    size: Callable[[frozenset[str]], int],
    overrule: bool = False,
) -> DatasetMinimum:
    """Which of the waiting documents may become a dataset of the split; parameters as of `ModelKind.minimum`."""
    if split is Split.TRAIN:
        found = minimum_to_train(combinations, labels=labels, minimum=minimum, first=first, overrule=overrule)
    else:
        found = minimum_to_test(combinations, labels=labels, overrule=overrule)
    if found.dataset and (bytes_ := size(found.held_back)) < DATASET_LIMITS.minimum_bytes:
        return DatasetMinimum(
            dataset=False, needed=found.needed, too_small=bytes_, minimum_bytes=DATASET_LIMITS.minimum_bytes
        )
    return found


def minimum_to_train(
    combinations: dict[str, int], *, labels: tuple[str, ...], minimum: int, first: bool, overrule: bool = False
) -> DatasetMinimum:
    """Which of the waiting training documents may become a dataset.

    The first dataset needs `minimum` documents of every label, because the model learns its labels from it. Later
    datasets hold back the documents of labels with fewer documents: the minimum is taken to apply to each dataset
    (reference 3.3).
    """
    unknown, known = _set_apart(combinations, labels)
    if overrule:
        return DatasetMinimum(dataset=bool(known), held_back=frozenset(unknown), unknown=unknown)
    counts = by_single_label(known)
    needed = {label: minimum if first or counts.get(label) else 0 for label in labels}
    below = frozenset() if first else _below_minimum(known, labels=labels, minimum=minimum)
    missing = _missing(needed, counts)
    return DatasetMinimum(
        dataset=bool(without_labels(known, below)) and not (first and missing),
        held_back=below.union(unknown),
        needed=tuple(needed.items()),
        missing=missing,
        unknown=unknown,
    )


def minimum_to_test(combinations: dict[str, int], *, labels: tuple[str, ...], overrule: bool = False) -> DatasetMinimum:
    """A test dataset needs a document of every label. This too is taken to apply to each dataset (reference 3.4)."""
    unknown, known = _set_apart(combinations, labels)
    needed = {} if overrule else dict.fromkeys(labels, 1)
    missing = _missing(needed, by_single_label(known))
    return DatasetMinimum(
        dataset=bool(known) and not missing,
        held_back=frozenset(unknown),
        needed=tuple(needed.items()),
        missing=missing,
        unknown=unknown,
    )


def _missing(needed: dict[str, int], counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    missing = ((label, number - counts.get(label, 0)) for label, number in needed.items())
    return tuple((label, number) for label, number in missing if number > 0)


def _set_apart(combinations: dict[str, int], labels: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, int]]:
    """The labels that the flywheel does not have, and the combinations without them.

    Comprehend would silently drop such labels, and documents that have no others (reference 4.5). These documents wait
    instead, visibly, until the flywheel's label list has their labels.
    """
    unknown = tuple(sorted(by_single_label(combinations).keys() - set(labels)))
    return unknown, without_labels(combinations, frozenset(unknown))


def _below_minimum(combinations: dict[str, int], *, labels: tuple[str, ...], minimum: int) -> frozenset[str]:
    """The labels to hold back. Holding back a document with two labels may push the other one below the minimum, so
    this is repeated until nothing changes."""
    held_back: frozenset[str] = frozenset()
    while True:
        counts = by_single_label(without_labels(combinations, held_back))
        below = {label for label in labels if 0 < counts.get(label, 0) < minimum}
        if not below:
            return held_back
        held_back |= below
