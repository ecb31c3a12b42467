"""Labels as places in the flywheel's list, so that counts are kept in lists and order never depends on input."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TypeAlias

from .errors import UnusableLabels

LabelSet: TypeAlias = frozenset[str]
"""The labels of one document: one in MULTI_CLASS mode, any number in MULTI_LABEL mode, none where a model gave none."""

Places: TypeAlias = tuple[int, ...]
"""Ascending places in the flywheel's list; `len(labels)` stands, once, for every label that is not in it."""


class LabelPlaces:
    """Knows the place of each of the flywheel's `labels`; each combination of labels is looked up once.

    Raises:
        ValueError: the list is empty or names a label twice.
    """

    def __init__(self, *, labels: Sequence[str], multi_label: bool) -> None:
        if not labels or len(set(labels)) != len(labels):
            raise ValueError("The flywheel's label list must name at least one label, and each once.")
        self.labels = tuple(labels)
        self.multi_label = multi_label
        self._places = {label: place for place, label in enumerate(self.labels)}
        self._true: dict[Set[str], Places] = {}
        self._predicted: dict[Set[str], Places] = {}

    def of_true(self, labels: LabelSet) -> Places:
        """The places of a document's own labels.

        Raises:
            UnusableLabels: one is not in the flywheel's list, there is none, or several in MULTI_CLASS mode.
        """
        places = self._true.get(labels)
        if places is None:
            unknown = sorted(labels - self._places.keys())
            if unknown:
                raise UnusableLabels(f"{unknown[0]!r} is not a label of the flywheel")
            if not labels:
                raise UnusableLabels("it has no label")
            if len(labels) > 1 and not self.multi_label:
                raise UnusableLabels(f"it has {len(labels)} labels, but the flywheel's mode is MULTI_CLASS")
            places = self._true[labels] = self._of(labels)
        return places

    def of_predicted(self, labels: LabelSet) -> Places:
        """The places of what a model says. A label outside the list is a wrong answer, as it is to scikit-learn.

        Raises:
            UnusableLabels: several in MULTI_CLASS mode.
        """
        places = self._predicted.get(labels)
        if places is None:
            if len(labels) > 1 and not self.multi_label:
                raise UnusableLabels(f"a model predicts {len(labels)} labels, but the flywheel's mode is MULTI_CLASS")
            places = self._predicted[labels] = self._of(labels)
        return places

    def _of(self, labels: LabelSet) -> Places:
        return tuple(sorted({self._places.get(label, len(self.labels)) for label in labels}))
