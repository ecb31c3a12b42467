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
        return DatasetMinimum(dataset=False, too_small=bytes_, minimum_bytes=DATASET_LIMITS.minimum_bytes)
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
    held_back = frozenset(unknown)
    if overrule:
        return DatasetMinimum(dataset=bool(known), held_back=held_back, unknown=unknown)
    counts = by_single_label(known)
    if first:
        missing = tuple((label, minimum - counts.get(label, 0)) for label in labels if counts.get(label, 0) < minimum)
        return DatasetMinimum(
            dataset=not missing and bool(known), held_back=held_back, missing=missing, unknown=unknown
        )
    below = _below_minimum(known, labels=labels, minimum=minimum)
    return DatasetMinimum(
        dataset=bool(without_labels(known, below)),
        held_back=held_back | below,
        missing=tuple(
            (label, minimum - counts.get(label, 0))
            for label in labels
            if label in below and counts.get(label, 0) < minimum
        ),
        unknown=unknown,
    )


def minimum_to_test(combinations: dict[str, int], *, labels: tuple[str, ...], overrule: bool = False) -> DatasetMinimum:
    """A test dataset needs a document of every label. This too is taken to apply to each dataset (reference 3.4)."""
    unknown, known = _set_apart(combinations, labels)
    counts = by_single_label(known)
    missing = () if overrule else tuple((label, 1) for label in labels if not counts.get(label))
    return DatasetMinimum(
        dataset=not missing and bool(known), held_back=frozenset(unknown), missing=missing, unknown=unknown
    )


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
