"""Composes the datasets of a turn from what waits: plans once, writes the plan down, then assembles by it."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel import enough, turns
from flywheel.assembly import assemble, held_back_parts, take_away
from flywheel.dataset_records import (
    Composition,
    DatasetManifest,
    DatasetPart,
    DatasetRef,
    LabelConflict,
    Waiting,
    by_single_label,
)
from flywheel.datasets import manifest_key
from flywheel.distinct import Distinct, Found, find_distinct, read_digests
from flywheel.leftovers import Stock, take_stock
from flywheel.part_rows import count_bytes
from flywheel.parts import PLACES, PartLocation, prepared_location, waiting_parts
from flywheel.preparation import ConflictingLabels
from flywheel.prepare_uploads import manifests
from flywheel.stored_parts import StoredPart, parts_of, parts_with_digests, waiting_part
from flywheel.turn_records import TurnBeginning
from flywheel.upload_records import Part, Split

if TYPE_CHECKING:
    from flywheel.comprehend import FlywheelService
    from flywheel.intake import IntakeBucket


def composition_key(turn: str) -> str:
    return f"{turns.folder(turn)}datasets.json"


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
        beside = self._outlook(leftover.split, [*accepted, leftover], overrule=False, held_back=held_back)
        return _Plan(
            split=leftover.split,
            manifest=leftover,
            waiting=_waiting_beside(leftover, beside),
            more=bool(beside.included),
        )

    def _plan_new(self, split: Split, accepted: list[DatasetManifest]) -> _Plan:
        outlook = self._outlook(split, accepted, overrule=self._overrule, held_back=[])
        waiting = _waiting(split, outlook)
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

    def _write_manifest(self, split: Split, outlook: _Outlook) -> DatasetManifest:
        """The one that stands in the end: a second invocation of this step may be faster."""
        manifest, dropped = self._manifest(split, outlook)
        key = manifest_key(split, manifest.name)
        self._intake.write_bytes(manifest.dropped_key, dropped)
        # Planning takes time: long enough for the turn to be stopped and the next one to compose of the same parts.
        turns.require_current(self._intake, self._beginning.turn)
        if not self._intake.write_once(key, manifest):
            return self._intake.require(key, DatasetManifest)
        return manifest

    def _outlook(
        self,
        split: Split,
        accepted: list[DatasetManifest],
        *,
        overrule: bool,
        held_back: list[tuple[Part, PartLocation]],
    ) -> _Outlook:
        """What could be composed now, of all that waits (and of `held_back`, which will) but is not in `accepted`."""
        mine = [manifest for manifest in accepted if manifest.flywheel_arn == self._service.arn]
        found = self._find(split, accepted, mine, held_back)
        full, candidates = self._within_limits(found.parts)
        full = full or not found.all_seen
        combinations = _sum(candidate.labels for candidate in candidates)
        labels = self._beginning.labels
        if split is Split.TRAIN:
            verdict = enough.enough_to_train(
                combinations, labels=labels, minimum=self._minimum, first=not mine, overrule=overrule
            )
        else:
            verdict = enough.enough_to_test(combinations, labels=labels, overrule=overrule)
        included = enough.without(combinations, verdict.held_back) if verdict.dataset else {}
        size = self._bytes(candidates, verdict.held_back)
        if included and size < enough.DATASET_MINIMUM_BYTES:
            verdict, included = enough.Enough(dataset=False), {}
        return _Outlook(
            candidates=candidates,
            found=found,
            full=full,
            verdict=verdict,
            combinations=combinations,
            included=included,
            size=size,
        )

    def _find(
        self,
        split: Split,
        accepted: list[DatasetManifest],
        mine: list[DatasetManifest],
        held_back: list[tuple[Part, PartLocation]],
    ) -> Found:
        """Of prepared parts, and for a new generation the parts that older ones accepted, what counts."""
        used = {part.content_hash for manifest in mine for part in manifest.parts}
        found: dict[str, StoredPart] = {}
        for manifest in accepted:
            for stored in parts_of(manifest):
                if stored.part.content_hash not in used:
                    # The newest generation that has it counts: what it held back is a part of its own.
                    found[stored.part.content_hash] = replace(stored, accepted_in=manifest.prefix)
        waiting = [(part, prepared_location(split, part.content_hash)) for part in waiting_parts(self._intake, split)]
        for part, location in [*waiting, *held_back]:
            if part.content_hash not in used:
                found.setdefault(part.content_hash, waiting_part(part, location))
        other = Split.TEST if split is Split.TRAIN else Split.TRAIN
        return find_distinct(
            list(found.values()),
            accepted=lambda: parts_with_digests(self._intake, split, mine),
            other=lambda: parts_with_digests(self._intake, other, manifests(self._intake, other)),
            digests=read_digests(self._intake),
            capacity=enough.DATASET_DOCUMENTS,
            conflicting_labels=self._conflicting_labels,
        )

    def _bytes(self, candidates: list[Distinct], held_back: frozenset[str]) -> int:
        """What a dataset of the candidates would have; counted document by document only where it can be too little."""
        included = [_dataset_part(candidate, held_back).documents for candidate in candidates]
        exact = sum(included) * enough.DOCUMENT_MINIMUM_BYTES < enough.DATASET_MINIMUM_BYTES
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

    def _within_limits(self, candidates: Sequence[Distinct]) -> tuple[bool, list[Distinct]]:
        """The oldest candidates that fit into one dataset; True if some did not."""
        taken: list[Distinct] = []
        documents = size = 0
        for candidate in candidates:
            documents += candidate.documents
            size += candidate.stored.part.bytes if candidate.documents else 0
            if taken and (documents > enough.DATASET_DOCUMENTS or size > enough.DATASET_BYTES):
                return True, taken
            taken.append(candidate)
        return False, taken

    def _manifest(self, split: Split, outlook: _Outlook) -> tuple[DatasetManifest, bytes]:
        """With the places of the documents that its parts leave out."""
        number = turns.number_of(self._beginning.turn)
        held_back = outlook.verdict.held_back
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
class _Outlook:
    """What a dataset would be made of. `full`: not all that waits fits; `included`: nothing if it is not enough."""

    candidates: list[Distinct]
    found: Found
    full: bool
    verdict: enough.Enough
    combinations: dict[str, int]
    included: dict[str, int]
    size: int


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


def _waiting(split: Split, outlook: _Outlook) -> Waiting | None:
    labels = _difference(outlook.combinations, outlook.included)
    candidates = [candidate for candidate in outlook.candidates if not candidate.all_accepted_before]
    if not labels and (outlook.verdict.dataset or not candidates):
        return None
    if not labels:
        reason = _why_none(candidates)
    else:
        too_small = f"A dataset needs {enough.DATASET_MINIMUM_BYTES} bytes; these are {outlook.size}."
        reason = outlook.verdict.reason() or too_small
        copies = sum(candidate.duplicates for candidate in candidates)
        if copies and not outlook.included:
            reason += f" Besides, {copies} of the uploaded documents are copies, which count once."
    return Waiting(split=split, documents=sum(labels.values()), labels=by_single_label(labels), reason=reason)


def _why_none(candidates: Sequence[Distinct]) -> str:
    """Why of documents that wait none counts."""
    if all(candidate.leaked == candidate.stored.part.documents for candidate in candidates):
        return "Every one of these documents stands in the other split too, so none is used."
    return (
        "None of these documents is used: each stands in the other split, in a dataset, or before with other labels "
        "(ConflictingLabels)."
    )


def _waiting_beside(leftover: DatasetManifest, beside: _Outlook) -> Waiting | None:
    if not beside.included:
        return _waiting(leftover.split, beside)
    return Waiting(
        split=leftover.split,
        documents=sum(beside.combinations.values()),
        labels=by_single_label(beside.combinations),
        reason=f"The next turn takes them: this one finishes {leftover.name}, which an earlier turn composed.",
    )


def _dataset_part(candidate: Distinct, held_back: frozenset[str]) -> DatasetPart:
    part = candidate.stored.part
    included = enough.without(candidate.labels, held_back)
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


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for combinations in counts:
        for key, count in combinations.items():
            total[key] = total.get(key, 0) + count
    return total


def _difference(whole: dict[str, int], part: dict[str, int]) -> dict[str, int]:
    return {key: count - part.get(key, 0) for key, count in whole.items() if count > part.get(key, 0)}
