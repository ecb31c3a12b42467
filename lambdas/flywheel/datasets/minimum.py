"""Which documents make a dataset that Comprehend accepts: a pure computation over counts (reference 3.3, 3.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flywheel.records.datasets import by_single_label, labels_of
from flywheel.records.uploads import Split

DATASET_DOCUMENTS = 1_000_000
DATASET_BYTES = 5 * 1024**3
DATASET_MINIMUM_BYTES = 500
"""Comprehend's limits of one classification dataset (reference 3.3)."""
DOCUMENT_MINIMUM_BYTES = 4
"""A label and a text of one character, the comma and the line end."""


@dataclass(frozen=True, kw_only=True)
class Enough:
    """`held_back` are the labels whose documents wait; `missing` says for each label how many more are needed.

    `unknown` are those of `held_back` that the flywheel does not have, left from when its label list was another.
    """

    dataset: bool
    held_back: frozenset[str] = frozenset()
    missing: tuple[tuple[str, int], ...] = ()
    unknown: tuple[str, ...] = ()
    too_small: int | None = None
    """The bytes of what would be a dataset but for Comprehend's minimum."""

    def reason(self) -> str:
        """Sentences for people; empty if nothing waits."""
        return " ".join(sentence for sentence in (self._missing(), self._unknown(), self._too_small()) if sentence)

    def _too_small(self) -> str:
        if self.too_small is None:
            return ""
        return f"A dataset needs {DATASET_MINIMUM_BYTES} bytes; these are {self.too_small}."

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
        return f"Not enough documents yet: {some}{rest} needed."


def enough(
    split: Split,
    combinations: dict[str, int],
    *,
    labels: tuple[str, ...],
    minimum: int,
    first: bool,
    size: Callable[[frozenset[str]], int],
    overrule: bool = False,
) -> Enough:
    """What of the waiting documents may become a dataset of the split. `size` are the bytes of those that have none of
    the labels that it is given."""
    if split is Split.TRAIN:
        verdict = enough_to_train(combinations, labels=labels, minimum=minimum, first=first, overrule=overrule)
    else:
        verdict = enough_to_test(combinations, labels=labels, overrule=overrule)
    if verdict.dataset and (found := size(verdict.held_back)) < DATASET_MINIMUM_BYTES:
        return Enough(dataset=False, too_small=found)
    return verdict


def enough_to_train(
    combinations: dict[str, int], *, labels: tuple[str, ...], minimum: int, first: bool, overrule: bool = False
) -> Enough:
    """What of the waiting training documents may become a dataset.

    The first dataset needs `minimum` documents of every label, because the model learns its labels from it. A later
    one leaves out the documents of labels that have fewer: the minimum is read as per dataset (reference 3.3).
    `combinations` are documents by label combination, `overrule` is an operator's word that it is enough.
    """
    unknown, known = _set_apart(combinations, labels)
    held_back = frozenset(unknown)
    if overrule:
        return Enough(dataset=bool(known), held_back=held_back, unknown=unknown)
    counts = by_single_label(known)
    if first:
        missing = tuple((label, minimum - counts.get(label, 0)) for label in labels if counts.get(label, 0) < minimum)
        return Enough(dataset=not missing and bool(known), held_back=held_back, missing=missing, unknown=unknown)
    below = _below_minimum(known, labels=labels, minimum=minimum)
    return Enough(
        dataset=bool(without(known, below)),
        held_back=held_back | below,
        missing=tuple(
            (label, minimum - counts.get(label, 0))
            for label in labels
            if label in below and counts.get(label, 0) < minimum
        ),
        unknown=unknown,
    )


def enough_to_test(combinations: dict[str, int], *, labels: tuple[str, ...], overrule: bool = False) -> Enough:
    """A test dataset needs a document of every label (reference 3.4), read as per dataset."""
    unknown, known = _set_apart(combinations, labels)
    counts = by_single_label(known)
    missing = () if overrule else tuple((label, 1) for label in labels if not counts.get(label))
    return Enough(dataset=not missing and bool(known), held_back=frozenset(unknown), missing=missing, unknown=unknown)


def _set_apart(combinations: dict[str, int], labels: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, int]]:
    """The labels that the flywheel does not have, and the combinations without them.

    Comprehend would drop such a label from a document, and a document that has no other, without a word (reference
    4.5). They wait instead: for the label list to have them again, or for good, but visibly.
    """
    unknown = tuple(sorted(by_single_label(combinations).keys() - set(labels)))
    return unknown, without(combinations, frozenset(unknown))


def without(combinations: dict[str, int], held_back: frozenset[str]) -> dict[str, int]:
    """The combinations that have none of the labels."""
    return {key: count for key, count in combinations.items() if held_back.isdisjoint(labels_of(key))}


def _below_minimum(combinations: dict[str, int], *, labels: tuple[str, ...], minimum: int) -> frozenset[str]:
    """Labels to leave out. Leaving out a document of two labels may push the other below: repeat until it holds."""
    held_back: frozenset[str] = frozenset()
    while True:
        counts = by_single_label(without(combinations, held_back))
        below = {label for label in labels if 0 < counts.get(label, 0) < minimum}
        if not below:
            return held_back
        held_back |= below
