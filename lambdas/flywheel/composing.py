"""Composes the datasets of a turn from what waits: plans once, writes the plan down, then assembles by it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel import enough, turns
from flywheel.assembly import assemble, count_bytes, count_labels, held_back_parts
from flywheel.dataset_records import (
    Composition,
    DatasetManifest,
    DatasetPart,
    DatasetRef,
    Waiting,
    by_single_label,
)
from flywheel.datasets import manifest_key
from flywheel.leaks import Leaks, find_leaks
from flywheel.leftovers import Stock, take_stock
from flywheel.parts import PartLocation, dataset_location, prepared_location, waiting_parts
from flywheel.turn_records import TurnBeginning
from flywheel.upload_records import Part, Split

if TYPE_CHECKING:
    from flywheel.comprehend import FlywheelService
    from flywheel.intake import IntakeBucket


def composition_key(turn: str) -> str:
    return f"{turns.folder(turn)}datasets.json"


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """A part that could go into the dataset, and what of it: the documents that are not leaked."""

    part: Part
    location: PartLocation
    accepted_in: str | None
    leaked: int
    labels: dict[str, int]

    @property
    def documents(self) -> int:
        return self.part.documents - self.leaked


class Composer:
    def __init__(
        self,
        *,
        intake: IntakeBucket,
        service: FlywheelService,
        beginning: TurnBeginning,
        minimum_per_label: int,
        label_delimiter: str,
        now: datetime,
    ) -> None:
        self._intake = intake
        self._service = service
        self._beginning = beginning
        self._minimum = minimum_per_label
        self._delimiter = label_delimiter if beginning.multi_label else ""
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
                more=any(plan.more for plan in plans),
            )
            if not self._intake.write_once(composition_key(turn), composition):
                # A second invocation of this step was faster: what it wrote counts.
                return self._intake.require(composition_key(turn), Composition)
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
            leaked=sum(part.leaked for part in leftover.parts),
            more=bool(beside.included),
        )

    def _plan_new(self, split: Split, accepted: list[DatasetManifest]) -> _Plan:
        outlook = self._outlook(split, accepted, overrule=self._overrule, held_back=[])
        waiting = _waiting(split, outlook)
        if not outlook.included:
            return _Plan(split=split, waiting=waiting)
        manifest = self._write_manifest(split, outlook)
        assemble(self._intake, manifest, delimiter=self._delimiter)
        return _Plan(
            split=split,
            manifest=manifest,
            waiting=waiting,
            leaked=sum(part.leaked for part in manifest.parts),
            more=outlook.full,
        )

    def _write_manifest(self, split: Split, outlook: _Outlook) -> DatasetManifest:
        """The one that stands in the end: a second invocation of this step may be faster."""
        leaked = outlook.leaks.to_bytes()
        manifest = self._manifest(split, outlook.candidates, outlook.verdict.held_back, leaked)
        key = manifest_key(split, manifest.name)
        self._intake.write_bytes(manifest.leaked_key, leaked)
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
        candidates, leaks = self._candidates(split, accepted, mine, held_back)
        full, candidates = self._within_limits(candidates)
        combinations = _sum(candidate.labels for candidate in candidates)
        labels = self._beginning.labels
        if split is Split.TRAIN:
            verdict = enough.enough_to_train(
                combinations, labels=labels, minimum=self._minimum, first=not mine, overrule=overrule
            )
        else:
            verdict = enough.enough_to_test(combinations, labels=labels, overrule=overrule)
        included = enough.without(combinations, verdict.held_back) if verdict.dataset else {}
        size = self._bytes(candidates, verdict.held_back, leaks.digests)
        if included and size < enough.DATASET_MINIMUM_BYTES:
            verdict, included = enough.Enough(dataset=False), {}
        return _Outlook(
            candidates=candidates,
            leaks=leaks,
            full=full,
            verdict=verdict,
            combinations=combinations,
            included=included,
            size=size,
        )

    def _candidates(
        self,
        split: Split,
        accepted: list[DatasetManifest],
        mine: list[DatasetManifest],
        held_back: list[tuple[Part, PartLocation]],
    ) -> tuple[list[_Candidate], Leaks]:
        """Prepared parts, and for a new generation the parts that older ones accepted; with what leaked."""
        used = {part.content_hash for manifest in mine for part in manifest.parts}
        found: dict[str, tuple[Part, PartLocation, str | None]] = {}
        for manifest in accepted:
            for known in manifest.parts:
                if known.content_hash not in used:
                    # The newest generation that has it counts: what it held back is a part of its own.
                    location = dataset_location(manifest.prefix, known.content_hash)
                    found[known.content_hash] = (_as_part(manifest, known), location, manifest.prefix)
        for waiting in waiting_parts(self._intake, split):
            if waiting.content_hash not in used:
                location = prepared_location(split, waiting.content_hash)
                found.setdefault(waiting.content_hash, (waiting, location, None))
        for part, location in held_back:
            found.setdefault(part.content_hash, (part, location, None))
        other = Split.TEST if split is Split.TRAIN else Split.TRAIN
        leaks = find_leaks(self._intake, {key: entry[1].hashes for key, entry in found.items()}, other=other)
        candidates = []
        for content_hash, (part, location, accepted_in) in found.items():
            leaked = leaks.by_part.get(content_hash, 0)
            labels = count_labels(self._intake, part, location, without=leaks.digests) if leaked else part.labels
            candidates.append(
                _Candidate(part=part, location=location, accepted_in=accepted_in, leaked=leaked, labels=labels)
            )
        return candidates, leaks

    def _bytes(self, candidates: list[_Candidate], held_back: frozenset[str], leaked: frozenset[int]) -> int:
        """What a dataset of the candidates would have; counted document by document only where it can be too little."""
        included = [_dataset_part(candidate, held_back).documents for candidate in candidates]
        exact = sum(included) * enough.DOCUMENT_MINIMUM_BYTES < enough.DATASET_MINIMUM_BYTES
        size = 0
        for candidate, documents in zip(candidates, included, strict=True):
            if exact and documents < candidate.part.documents:
                size += count_bytes(
                    self._intake,
                    candidate.part,
                    candidate.location,
                    without=leaked,
                    held_back=held_back,
                    delimiter=self._delimiter,
                )
            else:
                size += candidate.part.bytes
        return size

    def _within_limits(self, candidates: list[_Candidate]) -> tuple[bool, list[_Candidate]]:
        """The oldest candidates that fit into one dataset; True if some did not."""
        taken: list[_Candidate] = []
        documents = size = 0
        for candidate in candidates:
            documents += candidate.documents
            size += candidate.part.bytes
            if taken and (documents > enough.DATASET_DOCUMENTS or size > enough.DATASET_BYTES):
                return True, taken
            taken.append(candidate)
        return False, taken

    def _manifest(
        self, split: Split, candidates: list[_Candidate], held_back: frozenset[str], leaked: bytes
    ) -> DatasetManifest:
        number = turns.number_of(self._beginning.turn)
        parts = [_dataset_part(candidate, held_back) for candidate in candidates]
        return DatasetManifest(
            name=f"{split}-{number:06d}",
            split=split,
            flywheel_arn=self._service.arn,
            turn=self._beginning.turn,
            composed_at=self._now,
            parts=tuple(part for part in parts if part.documents or part.leaked),
            held_back_labels=tuple(sorted(held_back)),
            # Named by its content: no other invocation can write another one in its place.
            leaked_file=f"leaked-{hashlib.sha256(leaked).hexdigest()}.bin",
        )


@dataclass(frozen=True, kw_only=True)
class _Outlook:
    """What a dataset would be made of. `full`: not all that waits fits; `included`: nothing if it is not enough."""

    candidates: list[_Candidate]
    leaks: Leaks
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
    leaked: int = 0
    more: bool = False


def _waiting(split: Split, outlook: _Outlook) -> Waiting | None:
    labels = _difference(outlook.combinations, outlook.included)
    if not labels and (outlook.verdict.dataset or not outlook.candidates):
        return None
    if not labels:
        reason = "Every one of these documents stands in the other split too, so none is used."
    else:
        too_small = f"A dataset needs {enough.DATASET_MINIMUM_BYTES} bytes; these are {outlook.size}."
        reason = outlook.verdict.reason() or too_small
    return Waiting(split=split, documents=sum(labels.values()), labels=by_single_label(labels), reason=reason)


def _waiting_beside(leftover: DatasetManifest, beside: _Outlook) -> Waiting | None:
    if not beside.included:
        return _waiting(leftover.split, beside)
    return Waiting(
        split=leftover.split,
        documents=sum(beside.combinations.values()),
        labels=by_single_label(beside.combinations),
        reason=f"The next turn takes them: this one finishes {leftover.name}, which an earlier turn composed.",
    )


def _as_part(manifest: DatasetManifest, part: DatasetPart) -> Part:
    return Part(
        content_hash=part.content_hash,
        split=manifest.split,
        documents=part.documents,
        bytes=part.bytes,
        labels=part.labels,
        delimiter=part.delimiter,
        sources=part.sources,
        prepared_at=manifest.composed_at,
    )


def _dataset_part(candidate: _Candidate, held_back: frozenset[str]) -> DatasetPart:
    part = candidate.part
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
        accepted_in=candidate.accepted_in,
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
