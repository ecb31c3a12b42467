"""Plans datasets from the waiting documents that `look_ahead` found. Pure: nothing is read or written here."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING

from flywheel.datasets.distinct import EXAMPLES
from flywheel.records import turns
from flywheel.records.datasets import (
    Composition,
    DatasetManifest,
    DatasetPart,
    DatasetRef,
    LabelConflict,
    WaitingDocuments,
    by_single_label,
    without_labels,
)
from flywheel.records.parts import PLACES
from flywheel.records.uploads import Split

if TYPE_CHECKING:
    from flywheel.datasets.distinct import Distinct
    from flywheel.datasets.look_ahead import Outlook


@dataclass(frozen=True, kw_only=True)
class DatasetPlan:
    """What a turn does with the waiting documents of one split."""

    split: Split
    manifests: tuple[DatasetManifest, ...] = ()
    """The datasets, none if the documents are below the minimum for one."""
    waiting: WaitingDocuments | None = None
    cleared: tuple[str, ...] = ()
    """Content hashes of waiting parts to delete, because datasets have all of their documents."""
    known: int = 0
    """Documents of these parts."""
    conflicts: int = 0
    conflict_examples: tuple[LabelConflict, ...] = ()
    excluded: int = 0
    more: bool = False
    """Documents wait for a dataset of the next turn."""

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
        return tuple(part for manifest in self.manifests for part in manifest.parts)

    def then(self, outlook: Outlook, manifest: DatasetManifest | None) -> DatasetPlan:
        """With what the outlook found, and the dataset that was made of it."""
        known = [one.stored.part for one in outlook.candidates if one.all_accepted_before and not outlook.included]
        # Those that did not fit are found, and counted, again.
        counted = outlook.candidates if manifest and outlook.full else outlook.found.parts
        return replace(
            self,
            manifests=(*self.manifests, manifest) if manifest else self.manifests,
            waiting=outlook.waiting(),
            cleared=tuple(part.content_hash for part in known),
            known=sum(part.documents for part in known),
            conflicts=self.conflicts + sum(part.conflicts for part in counted),
            conflict_examples=tuple(dict.fromkeys((*self.conflict_examples, *outlook.found.examples)))[:EXAMPLES],
            excluded=outlook.excluded,
        )

    def then_rest(self, rest: Outlook, *, earlier: DatasetManifest | None) -> DatasetPlan:
        """With what waits beside the datasets and is left for the next turn. `earlier` is a dataset that an earlier
        turn planned."""
        waiting = rest.waiting()
        if rest.included:
            why = f": this one finishes {earlier.name}, which an earlier turn composed" if earlier else ""
            waiting = WaitingDocuments(
                split=self.split,
                documents=sum(rest.combinations.values()),
                labels=by_single_label(rest.combinations),
                reason=f"The next turn takes them{why}.",
            )
        return replace(self, waiting=waiting, excluded=rest.excluded, more=bool(rest.included))


def composition_of(turn: str, plans: Sequence[DatasetPlan]) -> Composition:
    return Composition(
        turn=turn,
        datasets=tuple(
            DatasetRef(name=manifest.name, split=plan.split) for plan in plans for manifest in plan.manifests
        ),
        waiting=tuple(plan.waiting for plan in plans if plan.waiting),
        leaked={plan.split: plan.leaked for plan in plans if plan.leaked},
        duplicates={plan.split: plan.duplicates for plan in plans if plan.duplicates},
        refused={plan.split: plan.refused for plan in plans if plan.refused},
        conflicts={plan.split: plan.conflicts for plan in plans if plan.conflicts},
        conflict_examples=tuple(example for plan in plans for example in plan.conflict_examples),
        excluded={plan.split: plan.excluded for plan in plans if plan.excluded},
        cleared={plan.split: plan.cleared for plan in plans if plan.cleared},
        more=any(plan.more for plan in plans),
    )


def plan_new(
    outlook: Outlook, *, turn: str, flywheel_arn: str, now: datetime, taken: Container[str] = ()
) -> tuple[DatasetManifest, bytes] | None:
    """A dataset of the waiting documents, and the content of its `dropped_file`; None if they are below the minimum.

    `taken` are names that other datasets of the turn have.
    """
    if not outlook.included:
        return None
    held_back = outlook.minimum.held_back
    places: array[int] = array(PLACES)
    parts: list[DatasetPart] = []
    for candidate in outlook.candidates:
        part = dataset_part(candidate, held_back)
        if part.documents or part.dropped:
            parts.append(part)
            places += candidate.dropped + candidate.refused + candidate.excluded
    manifest = DatasetManifest(
        name=next(name for name in _names(outlook.split, turn) if name not in taken),
        split=outlook.split,
        flywheel_arn=flywheel_arn,
        turn=turn,
        composed_at=now,
        parts=tuple(parts),
        held_back_labels=tuple(sorted(held_back)),
        # Named after its content, so that no other invocation can overwrite it with different content.
        dropped_file=f"dropped-{hashlib.sha256(places.tobytes()).hexdigest()}.bin",
    )
    return manifest, places.tobytes()


def _names(split: Split, turn: str) -> Iterator[str]:
    """Names for datasets of a turn: `train-000003`, `train-000003-2` and so on."""
    first = f"{split}-{turns.number_of(turn):06d}"
    yield first
    yield from (f"{first}-{number}" for number in count(2))


def dataset_part(candidate: Distinct, held_back: frozenset[str]) -> DatasetPart:
    """The part in a dataset that holds back the documents with a label in `held_back`, and the excluded ones."""
    part = candidate.stored.part
    included = without_labels(candidate.labels, held_back)
    documents = sum(included.values())
    waits = candidate.documents - documents + len(candidate.excluded)
    return DatasetPart(
        content_hash=part.content_hash,
        documents=documents,
        bytes=part.bytes,
        labels=included,
        delimiter=part.delimiter,
        form=part.form,
        sources=part.sources,
        held_back=waits,
        excluded=len(candidate.excluded),
        held_back_hash=_held_back_hash(candidate, held_back) if waits else None,
        leaked=candidate.leaked,
        duplicates=candidate.duplicates,
        refused=len(candidate.refused),
        accepted_in=candidate.stored.accepted_in,
    )


def _held_back_hash(candidate: Distinct, held_back: frozenset[str]) -> str:
    """A name for the held-back documents of a part: the same for the same documents, and no content hash."""
    named = "\n".join([candidate.stored.part.content_hash, *sorted(held_back)])
    return hashlib.sha256(named.encode() + candidate.excluded.tobytes()).hexdigest()
