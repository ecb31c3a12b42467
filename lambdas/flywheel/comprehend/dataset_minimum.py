"""Which documents make a dataset that Comprehend accepts (reference 3.3, 3.4). Pure: computes with counts only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from flywheel.comprehend.model_kind import DatasetLimits
from flywheel.records.datasets import by_single_label, without_labels
from flywheel.records.uploads import Split


@dataclass(frozen=True, kw_only=True)
class DatasetMinimum:
    """Whether waiting documents reach the minimum for a dataset, and what is missing."""

    dataset: bool
    """They reach it."""
    held_back: frozenset[str] = frozenset()
    """Labels whose documents keep waiting."""
    needed: tuple[tuple[str, int], ...] = ()
    """By label of the flywheel: how many documents the dataset needs; 0 where it may lack the label."""
    missing: tuple[tuple[str, int], ...] = ()
    """By label: how many more documents are needed."""
    unknown: tuple[str, ...] = ()
    """Those of `held_back` that the flywheel does not have (any more)."""
    too_few: int | None = None
    """The documents, if these are fewer than `minimum_documents`."""
    minimum_documents: int = 1
    without_annotations: bool = False
    """None of the documents has an annotation."""
    too_small: int | None = None
    """The bytes of the documents, if these are below Comprehend's minimum, `minimum_bytes`."""
    minimum_bytes: int = 0
    counted: str = "documents"
    """What `needed` and `missing` count: documents, or annotations."""

    def reason(self) -> str:
        """Sentences for people; empty if nothing waits."""
        sentences = (self._missing(), self._unknown(), self._too_few(), self._too_small())
        return " ".join(sentence for sentence in sentences if sentence)

    def _too_few(self) -> str:
        if self.without_annotations:
            return "None of these documents has an annotation."
        if self.too_few is None:
            return ""
        return f"A dataset needs {self.minimum_documents} documents; these are {self.too_few}."

    def _too_small(self) -> str:
        if self.too_small is None:
            return ""
        return f"A dataset needs {self.minimum_bytes} bytes; these are {self.too_small}."

    def _unknown(self) -> str:
        if not self.unknown:
            return ""
        some = ", ".join(self.unknown[:10])
        rest = f" and {len(self.unknown) - 10} more" if len(self.unknown) > 10 else ""
        return f"Their labels are not in the flywheel's label list: {some}{rest}."

    def _missing(self) -> str:
        if not self.missing:
            return ""
        some = ", ".join(f"{number} more of {label}" for label, number in self.missing[:10])
        rest = f" and {len(self.missing) - 10} more labels" if len(self.missing) > 10 else ""
        return f"Not enough {self.counted} yet: {some}{rest} needed."


def dataset_minimum(
    split: Split,
    combinations: dict[str, int],
    *,
    labels: tuple[str, ...],
    minimum: int,
    first: bool,
    size: Callable[[frozenset[str]], int],
    limits: DatasetLimits,
    overrule: bool = False,
) -> DatasetMinimum:
    """Which of the waiting documents may become a dataset of the split.

    `combinations` are documents by label combination, `minimum` is MinimumDocumentsPerLabel, `first` says that the
    flywheel has no dataset of the split. `size` gives the bytes of the documents without those that have one of the
    labels. With `overrule` an operator sets MinimumDocumentsPerLabel aside. What is said of documents of a label holds
    for annotations of an entity type.
    """
    if split is Split.TRAIN:
        found = minimum_to_train(combinations, labels=labels, minimum=minimum, first=first, overrule=overrule)
    else:
        found = minimum_to_test(combinations, labels=labels, overrule=overrule)
    found = replace(found, counted=limits.counted)
    if not found.dataset:
        return found
    included = without_labels(combinations, found.held_back)
    documents = sum(included.values())
    if documents < limits.minimum_documents:
        return replace(found, dataset=False, too_few=documents, minimum_documents=limits.minimum_documents)
    if not by_single_label(included):
        return replace(found, dataset=False, without_annotations=True)
    if (bytes_ := size(found.held_back)) < limits.minimum_bytes:
        return DatasetMinimum(dataset=False, needed=found.needed, too_small=bytes_, minimum_bytes=limits.minimum_bytes)
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
