"""The hold-out that models are compared on: test documents that no model has seen, written once and then left alone."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flywheel.datasets.part_rows import part_documents
from flywheel.evaluation import HoldoutDocument, NothingToScore, sample_holdout, units_of
from flywheel.records.datasets import accepted_manifests
from flywheel.records.holdouts import FrozenHoldout, IterationHoldout, holdout_key, iteration_holdout_key
from flywheel.records.parts import PartLocation, accepted_hashes, dataset_location, read_all_hashes
from flywheel.records.uploads import Split
from flywheel.store.bucket import IntakeBucket

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService


@dataclass(frozen=True, kw_only=True)
class HoldoutFreezer:
    """Chooses at most `at_most` documents; `delimiter` joins the labels of one in MULTI_LABEL mode."""

    intake: IntakeBucket
    service: FlywheelService
    delimiter: str
    at_most: int

    def freeze(self, iteration_id: str) -> FrozenHoldout | None:
        """The hold-out of an iteration, made if there is none yet; None without any document for it.

        Raises SampleTooSmall if `at_most` cannot hold one document of each label.
        """
        key = iteration_holdout_key(iteration_id)
        chosen = self.intake.read(key, IterationHoldout)
        if chosen is None:
            made = self._make()
            chosen = IterationHoldout(iteration_id=iteration_id, holdout_id=made.id if made else None)
            self.intake.write_once(key, chosen)
            chosen = self.intake.require(key, IterationHoldout)
        return read_holdout(self.intake, chosen)

    def _make(self) -> FrozenHoldout | None:
        """Two passes over the test data: digests and labels to choose by, then the chosen documents' texts."""
        flywheel = self.service.describe()
        parts = [*self._parts()]
        trained_on = self._trained_on(parts)
        rules = _LabelReader(
            labels=frozenset(flywheel.task.labels), delimiter=self.delimiter if flywheel.task.multi_label else ""
        )

        def usable() -> Iterator[tuple[HoldoutDocument, str]]:
            """Each document once: a new generation of the flywheel copies the test data of the former."""
            seen: defaultdict[frozenset[str], set[int]] = defaultdict(set)
            for part in parts:
                for labels, digest, text in self._documents(part, rules):
                    if digest not in trained_on and digest not in seen[labels] and text.strip():
                        seen[labels].add(digest)
                        yield HoldoutDocument(labels, digest), text

        try:
            sample = sample_holdout((document for document, _ in usable()), at_most=self.at_most)
        except NothingToScore:
            return None
        found = self.intake.read(holdout_key(sample.id), FrozenHoldout)
        if found is not None:
            return found
        labels: list[tuple[str, ...]] = []
        units = 0
        with tempfile.TemporaryDirectory() as temporary:
            file = Path(temporary) / "documents.txt"
            with file.open("w", encoding="utf-8", newline="") as lines:
                for document, text in usable():
                    if document in sample.documents:
                        lines.write(f"{on_one_line(text)}\n")
                        labels.append(tuple(sorted(document.labels)))
                        units += units_of(len(text))
            frozen = FrozenHoldout(id=sample.id, documents=len(labels), units=units, labels=tuple(labels))
            self.intake.upload_file(file, f"{frozen.documents_folder}documents.txt")
        self.intake.write_once(holdout_key(frozen.id), frozen)
        return self.intake.require(holdout_key(frozen.id), FrozenHoldout)

    def _parts(self) -> Iterator[_TestPart]:
        """Of every TEST dataset that Comprehend has accepted, also for a former generation of the flywheel."""
        for manifest in accepted_manifests(self.intake, Split.TEST):
            for part in manifest.parts:
                location = dataset_location(manifest.prefix, part.content_hash)
                yield _TestPart(location=location, delimiter=part.delimiter)

    def _trained_on(self, parts: list[_TestPart]) -> frozenset[int]:
        """The digests of test documents that stand in the training data. Those of the training data pass by."""
        tested: set[int] = set()
        for hashes in read_all_hashes(self.intake, (part.location.hashes for part in parts)):
            tested.update(hashes)
        found: set[int] = set()
        for hashes in accepted_hashes(self.intake, Split.TRAIN) if tested else ():
            found |= tested.intersection(hashes)
        return frozenset(found)

    def _documents(self, part: _TestPart, rules: _LabelReader) -> Iterator[tuple[frozenset[str], int, str]]:
        """Without documents whose labels a former generation knew and this one does not."""
        for row, digest in part_documents(self.intake, part.location):
            labels = rules.read(row[0], also=part.delimiter)
            if labels:
                yield labels, digest, row[1]


@dataclass(frozen=True, kw_only=True)
class _TestPart:
    location: PartLocation
    delimiter: str


class _LabelReader:
    """Reads label columns; equal ones give the same set, so that a million documents do not hold a million sets."""

    def __init__(self, *, labels: frozenset[str], delimiter: str) -> None:
        """`delimiter` is empty in MULTI_CLASS mode."""
        self._labels = labels
        self._delimiter = delimiter
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def read(self, column: str, *, also: str) -> frozenset[str]:
        """Empty unless all labels are the flywheel's. `also` is another delimiter that may have been in use."""
        known = self._known.get((column, also))
        if known is None:
            known = self._known[column, also] = self._read(column, also)
        return known

    def _read(self, column: str, also: str) -> frozenset[str]:
        if not self._delimiter:
            found = [frozenset((column,))]
        else:
            found = [frozenset(column.split(delimiter)) for delimiter in (self._delimiter, also) if delimiter]
        return next((labels for labels in found if labels <= self._labels), frozenset())


def read_holdout(intake: IntakeBucket, chosen: IterationHoldout) -> FrozenHoldout | None:
    """None if the iteration has none. Raises UnknownRecord."""
    return intake.require(holdout_key(chosen.holdout_id), FrozenHoldout) if chosen.holdout_id else None


def on_one_line(text: str) -> str:
    """Every kind of line end becomes a space: an answer belongs to a line."""
    return " ".join(text.splitlines())
