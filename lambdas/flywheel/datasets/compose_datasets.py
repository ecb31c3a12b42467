"""Composes the datasets of a turn from what waits: plans once, writes the plan down, then assembles by it."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.model_kind import Task
from flywheel.datasets.assemble import assemble, held_back_parts, take_away
from flywheel.datasets.distinct import Distinct
from flywheel.datasets.leftovers import Stock, take_stock
from flywheel.datasets.look_ahead import Outlook, look_ahead
from flywheel.datasets.part_rows import count_bytes
from flywheel.preparation import ConflictingLabels
from flywheel.records import datasets, turns
from flywheel.records.datasets import (
    Composition,
    DatasetManifest,
    DatasetPart,
    DatasetRef,
    LabelConflict,
    Waiting,
    by_single_label,
    manifest_key,
)
from flywheel.records.parts import PLACES, PartLocation
from flywheel.records.turns import TurnBeginning, composition_key
from flywheel.records.uploads import Part, Split

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket


class Composer:
    def __init__(
        self,
        *,
        intake: IntakeBucket,
        service: FlywheelService,
        beginning: TurnBeginning,
        minimum_per_label: int,
        label_delimiter: str,
        conflicting_labels: ConflictingLabels,
        now: datetime,
    ) -> None:
        self._intake = intake
        self._service = service
        self._beginning = beginning
        self._minimum = minimum_per_label
        self._delimiter = label_delimiter if beginning.multi_label else ""
        self._conflicting_labels = conflicting_labels
        self._now = now
        self._overrule = beginning.request is not None and beginning.request.overrule_minimum

    def compose(self) -> Composition:
        """At most one TEST and one TRAIN dataset, each assembled in full. Raises NotCurrentTurn."""
        turn = self._beginning.turn
        turns.require_current(self._intake, turn)
        composition = self._intake.read(composition_key(turn), Composition)
        if composition is None:
            # Before any is composed: digests of what is thrown away must not count as accepted.
            stocks = [(split, self._take_stock(split)) for split in (Split.TEST, Split.TRAIN)]
            # TEST first: the training documents that stand in it are dropped.
            plans = [self._plan(split, stock) for split, stock in stocks]
            composition = Composition(
                turn=turn,
                datasets=tuple(
                    DatasetRef(name=plan.manifest.name, split=plan.split) for plan in plans if plan.manifest
                ),
                waiting=tuple(plan.waiting for plan in plans if plan.waiting),
                leaked={plan.split: plan.leaked for plan in plans if plan.leaked},
                duplicates={plan.split: plan.duplicates for plan in plans if plan.duplicates},
                refused={plan.split: plan.refused for plan in plans if plan.refused},
                conflicts={plan.split: plan.conflicts for plan in plans if plan.conflicts},
                conflict_examples=tuple(example for plan in plans for example in plan.conflict_examples),
                cleared={plan.split: plan.cleared for plan in plans if plan.cleared},
                more=any(plan.more for plan in plans),
            )
            if not self._intake.write_once(composition_key(turn), composition):
                # A second invocation of this step was faster: what it wrote counts.
                composition = self._intake.require(composition_key(turn), Composition)
        for split, content_hashes in composition.cleared.items():
            take_away(self._intake, split, content_hashes)
        return composition

    def _take_stock(self, split: Split) -> Stock:
        return take_stock(
            turn=self._beginning.turn, split=split, intake=self._intake, service=self._service, now=self._now
        )

    def _plan(self, split: Split, stock: Stock) -> _Plan:
        if stock.leftover is not None:
            return self._plan_leftover(stock.leftover, [*stock.accepted, *stock.later])
        return self._plan_new(split, stock.accepted)

    def _plan_leftover(self, leftover: DatasetManifest, accepted: list[DatasetManifest]) -> _Plan:
        """The dataset as it was planned. What waits beside it is another turn's, if it is enough for one."""
        assemble(self._intake, leftover, delimiter=self._delimiter)
        held_back = held_back_parts(self._intake, leftover)
        # An operator's word holds for this turn, and so not for what the next one does.
        beside = self._look_ahead(leftover.split, [*accepted, leftover], overrule=False, held_back=held_back)
        return _Plan(
            split=leftover.split,
            manifest=leftover,
            waiting=_waiting_beside(leftover, beside),
            more=bool(beside.included),
        )

    def _plan_new(self, split: Split, accepted: list[DatasetManifest]) -> _Plan:
        outlook = self._look_ahead(split, accepted, overrule=self._overrule)
        waiting = outlook.waiting()
        conflicts, examples = outlook.found.conflicts, outlook.found.examples
        if not outlook.included:
            known = [one.stored.part for one in outlook.candidates if one.all_accepted_before]
            return _Plan(
                split=split,
                waiting=waiting,
                cleared=tuple(part.content_hash for part in known),
                known=sum(part.documents for part in known),
                conflicts=conflicts,
                conflict_examples=examples,
                more=outlook.full,
            )
        manifest = self._write_manifest(split, outlook)
        assemble(self._intake, manifest, delimiter=self._delimiter)
        return _Plan(
            split=split,
            manifest=manifest,
            waiting=waiting,
            conflicts=conflicts,
            conflict_examples=examples,
            more=outlook.full,
        )

    def _write_manifest(self, split: Split, outlook: Outlook) -> DatasetManifest:
        """The one that stands in the end: a second invocation of this step may be faster."""
        manifest, dropped = self._manifest(split, outlook)
        key = manifest_key(split, manifest.name)
        self._intake.write_bytes(manifest.dropped_key, dropped)
        # Planning takes time: long enough for the turn to be stopped and the next one to compose of the same parts.
        turns.require_current(self._intake, self._beginning.turn)
        if not self._intake.write_once(key, manifest):
            return self._intake.require(key, DatasetManifest)
        return manifest

    def _look_ahead(
        self,
        split: Split,
        accepted: list[DatasetManifest],
        *,
        overrule: bool,
        held_back: Sequence[tuple[Part, PartLocation]] = (),
    ) -> Outlook:
        return look_ahead(
            split,
            intake=self._intake,
            flywheel_arn=self._service.arn,
            accepted=accepted,
            kind=self._service.kind,
            task=Task(labels=self._beginning.labels, multi_label=self._beginning.multi_label),
            minimum=self._minimum,
            conflicting_labels=self._conflicting_labels,
            size=self._bytes,
            overrule=overrule,
            held_back=held_back,
        )

    def _bytes(self, candidates: Sequence[Distinct], held_back: frozenset[str]) -> int:
        """What a dataset of the candidates would have; counted document by document only where it can be too little."""
        included = [_dataset_part(candidate, held_back).documents for candidate in candidates]
        limits = self._service.kind.dataset_limits
        exact = sum(included) * limits.document_bytes < limits.minimum_bytes
        size = 0
        for candidate, documents in zip(candidates, included, strict=True):
            part = candidate.stored.part
            if exact and documents < part.documents:
                size += count_bytes(
                    self._intake,
                    candidate.stored.location,
                    before=part.delimiter,
                    without=frozenset((*candidate.dropped, *candidate.refused)),
                    held_back=held_back,
                    delimiter=self._delimiter,
                )
            else:
                size += part.bytes
        return size

    def _manifest(self, split: Split, outlook: Outlook) -> tuple[DatasetManifest, bytes]:
        """With the places of the documents that its parts leave out."""
        number = turns.number_of(self._beginning.turn)
        held_back = outlook.minimum.held_back
        places: array[int] = array(PLACES)
        parts: list[DatasetPart] = []
        for candidate in outlook.candidates:
            part = _dataset_part(candidate, held_back)
            if part.documents or part.dropped:
                parts.append(part)
                places += candidate.dropped + candidate.refused
        manifest = DatasetManifest(
            name=f"{split}-{number:06d}",
            split=split,
            flywheel_arn=self._service.arn,
            turn=self._beginning.turn,
            composed_at=self._now,
            parts=tuple(parts),
            held_back_labels=tuple(sorted(held_back)),
            # Named by its content: no other invocation can write another one in its place.
            dropped_file=f"dropped-{hashlib.sha256(places.tobytes()).hexdigest()}.bin",
        )
        return manifest, places.tobytes()


@dataclass(frozen=True, kw_only=True)
class _Plan:
    split: Split
    manifest: DatasetManifest | None = None
    waiting: Waiting | None = None
    cleared: tuple[str, ...] = ()
    known: int = 0
    """Documents of the parts that are cleared."""
    conflicts: int = 0
    conflict_examples: tuple[LabelConflict, ...] = ()
    more: bool = False

    @property
    def leaked(self) -> int:
        return sum(part.leaked for part in self._parts)

    @property
    def duplicates(self) -> int:
        return self.known + sum(part.duplicates for part in self._parts)

    @property
    def refused(self) -> int:
        return sum(part.refused for part in self._parts)

    @property
    def _parts(self) -> tuple[DatasetPart, ...]:
        return self.manifest.parts if self.manifest else ()


def _waiting_beside(leftover: DatasetManifest, beside: Outlook) -> Waiting | None:
    if not beside.included:
        return beside.waiting()
    return Waiting(
        split=leftover.split,
        documents=sum(beside.combinations.values()),
        labels=by_single_label(beside.combinations),
        reason=f"The next turn takes them: this one finishes {leftover.name}, which an earlier turn composed.",
    )


def _dataset_part(candidate: Distinct, held_back: frozenset[str]) -> DatasetPart:
    part = candidate.stored.part
    included = datasets.without_labels(candidate.labels, held_back)
    documents = sum(included.values())
    waits = candidate.documents - documents
    return DatasetPart(
        content_hash=part.content_hash,
        documents=documents,
        bytes=part.bytes,
        labels=included,
        delimiter=part.delimiter,
        sources=part.sources,
        held_back=waits,
        held_back_hash=_held_back_hash(part.content_hash, held_back) if waits else None,
        leaked=candidate.leaked,
        duplicates=candidate.duplicates,
        refused=len(candidate.refused),
        accepted_in=candidate.stored.accepted_in,
    )


def _held_back_hash(content_hash: str, held_back: frozenset[str]) -> str:
    """Names what is left of a part: the same for the same part and labels, and like no content hash."""
    return hashlib.sha256("\n".join([content_hash, *sorted(held_back)]).encode()).hexdigest()
