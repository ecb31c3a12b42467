"""Makes the hold-out on which models are compared: test documents that were not used for training. Written once."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flywheel.datasets.part_documents import part_documents, rewritten
from flywheel.evaluation import HoldoutDocument, NothingToScore, sample_holdout, units_of
from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS, accepted_manifests, labels_of
from flywheel.records.holdouts import FrozenHoldout, IterationHoldout, holdout_key, iteration_holdout_key
from flywheel.records.parts import PartLocation, accepted_hashes, dataset_location, read_all_hashes
from flywheel.records.uploads import DocumentForm, Split
from flywheel.store.bucket import IntakeBucket
from flywheel.text.printable import on_one_line

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService


@dataclass(frozen=True, kw_only=True)
class HoldoutFreezer:
    intake: IntakeBucket
    service: FlywheelService
    delimiter: str
    """Joins the labels of a document in MULTI_LABEL mode."""
    at_most: int
    """Most documents of a hold-out."""

    def freeze(self, iteration_id: str) -> FrozenHoldout | None:
        """The hold-out of an iteration; made if there is none yet. None if no document can be used.

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
        """Read the test data twice: to choose documents by digests and labels, then to write the chosen texts."""
        flywheel = self.service.describe()
        parts = [*self._parts()]
        trained_on = self._trained_on(parts)
        rules = _LabelReader(
            labels=frozenset(flywheel.task.labels), delimiter=self.delimiter if flywheel.task.multi_label else ""
        )

        def usable() -> Iterator[_TestDocument]:
            """Each document once, because a new generation of the flywheel has copies of the former's test data."""
            seen: defaultdict[frozenset[str], set[int]] = defaultdict(set)
            for part in parts:
                for found in self._documents(part, rules):
                    labels, identity = found.sampled
                    if found.digest not in trained_on and identity not in seen[labels] and found.text.strip():
                        seen[labels].add(identity)
                        yield found

        try:
            sample = sample_holdout((document.sampled for document in usable()), at_most=self.at_most)
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
                for document in usable():
                    if document.sampled in sample.documents:
                        lines.write(f"{on_one_line(document.text)}\n")
                        labels.append(document.truth)
                        units += units_of(len(document.text))
            frozen = FrozenHoldout(id=sample.id, documents=len(labels), units=units, labels=tuple(labels))
            self.intake.upload_file(file, frozen.documents_key)
        self.intake.write_once(holdout_key(frozen.id), frozen)
        return self.intake.require(holdout_key(frozen.id), FrozenHoldout)

    def _parts(self) -> Iterator[_TestPart]:
        """The parts of all TEST datasets that Comprehend has accepted, of all generations of the flywheel."""
        for manifest in accepted_manifests(self.intake, Split.TEST):
            for part in manifest.parts:
                location = dataset_location(manifest.prefix, part.content_hash, part.form)
                yield _TestPart(location=location, delimiter=part.delimiter)

    def _trained_on(self, parts: list[_TestPart]) -> frozenset[int]:
        """The digests of test documents that the training data contain. Only those of test data are held in memory."""
        tested: set[int] = set()
        for hashes in read_all_hashes(self.intake, (part.location.hashes for part in parts)):
            tested.update(hashes)
        found: set[int] = set()
        for hashes in accepted_hashes(self.intake, Split.TRAIN) if tested else ():
            found |= tested.intersection(hashes)
        return frozenset(found)

    def _documents(self, part: _TestPart, rules: _LabelReader) -> Iterator[_TestDocument]:
        """Without documents that have labels, or entity types, of a former generation."""
        if part.location.form is DocumentForm.JSON_LINES:
            for found in rewritten(self.intake, part.location, "", ""):
                types = frozenset(labels_of(found.combination))
                if types <= rules.labels:
                    # Other annotations make another hold-out of it.
                    sampled = HoldoutDocument(types, found.digest ^ found.label_digest)
                    truth = tuple(found.column.split(LABEL_SEPARATOR_IN_RECORDS)) if found.column else ()
                    yield _TestDocument(sampled, truth, found.digest, found.text)
            return
        for column, text, digest in part_documents(self.intake, part.location):
            labels = rules.read(column, also=part.delimiter)
            if labels:
                yield _TestDocument(HoldoutDocument(labels, digest), tuple(sorted(labels)), digest, text)


class _TestDocument(NamedTuple):
    sampled: HoldoutDocument
    """By its labels, or by the types of its entities."""
    truth: tuple[str, ...]
    """Its labels, or its annotations as `Span.label`."""
    digest: int
    text: str


@dataclass(frozen=True, kw_only=True)
class _TestPart:
    location: PartLocation
    delimiter: str


class _LabelReader:
    """Reads label columns. Equal columns give the same set object, to save memory for a million documents."""

    def __init__(self, *, labels: frozenset[str], delimiter: str) -> None:
        """`delimiter` is empty in MULTI_CLASS mode."""
        self.labels = labels
        self._delimiter = delimiter
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def read(self, column: str, *, also: str) -> frozenset[str]:
        """The labels; empty unless the flywheel has all of them. `also` is a delimiter that earlier parts may use."""
        known = self._known.get((column, also))
        if known is None:
            known = self._known[column, also] = self._read(column, also)
        return known

    def _read(self, column: str, also: str) -> frozenset[str]:
        if not self._delimiter:
            found = [frozenset((column,))]
        else:
            found = [frozenset(column.split(delimiter)) for delimiter in (self._delimiter, also) if delimiter]
        return next((labels for labels in found if labels <= self.labels), frozenset())


def read_holdout(intake: IntakeBucket, chosen: IterationHoldout) -> FrozenHoldout | None:
    """The chosen hold-out; None if the iteration has none. Raises UnknownRecord."""
    return intake.require(holdout_key(chosen.holdout_id), FrozenHoldout) if chosen.holdout_id else None
