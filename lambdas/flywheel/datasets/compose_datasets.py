"""Composes the datasets of a turn from the waiting documents: plans them, writes the plan once, then assembles them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.model_kind import Task
from flywheel.datasets.assemble import assemble, held_back_parts, take_away
from flywheel.datasets.leftovers import clean_up_leftovers
from flywheel.datasets.look_ahead import Outlook, look_ahead
from flywheel.datasets.part_documents import count_bytes
from flywheel.datasets.plan import DatasetPlan, composition_of, dataset_part, plan_new
from flywheel.faults.errors import FlywheelReplaced
from flywheel.records.datasets import Composition, DatasetManifest, manifest_key
from flywheel.records.exclusions import read_exclusions
from flywheel.records.turns import TurnBeginning, composition_key, require_current
from flywheel.records.uploads import DocumentForm, Split

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.datasets.distinct import Distinct
    from flywheel.datasets.leftovers import ComposedDatasets
    from flywheel.preparation import ConflictingLabels
    from flywheel.records.exclusions import Exclusions
    from flywheel.records.parts import PartLocation
    from flywheel.records.uploads import Part
    from flywheel.store.bucket import IntakeBucket


@dataclass(frozen=True, kw_only=True)
class DatasetComposer:
    """`minimum_per_label` is MinimumDocumentsPerLabel."""

    intake: IntakeBucket
    service: FlywheelService
    beginning: TurnBeginning
    minimum_per_label: int
    label_delimiter: str
    conflicting_labels: ConflictingLabels
    now: datetime

    def compose(self) -> Composition:
        """Compose TEST and TRAIN datasets, and assemble them completely. Raises NotCurrentTurn and FlywheelReplaced.

        If the documents do not fit into one dataset, there are several: an iteration trains on them together.
        """
        turn = self.beginning.turn
        require_current(self.intake, turn)
        if self.beginning.flywheel_arn != self.service.arn:
            # Its uploads were prepared with the labels of that one.
            raise FlywheelReplaced(turn=turn, former=self.beginning.flywheel_arn, current=self.service.arn)
        composition = self.intake.read(composition_key(turn), Composition)
        if composition is None:
            # Discarded datasets of both splits must be gone before any dataset is composed: their digests would count.
            composed = [(split, self._clean_up_leftovers(split)) for split in (Split.TEST, Split.TRAIN)]
            # What is excluded after this counts for the next turn.
            exclusions = read_exclusions(self.intake)
            # TEST first, because training documents that a test dataset has are dropped.
            composition = composition_of(
                turn, [self._compose(split, datasets, exclusions) for split, datasets in composed]
            )
            if not self.intake.write_once(composition_key(turn), composition):
                # Another invocation of this step was faster: its composition counts.
                composition = self.intake.require(composition_key(turn), Composition)
        for split, content_hashes in composition.cleared.items():
            take_away(self.intake, split, content_hashes)
        return composition

    @property
    def _delimiter(self) -> str:
        return self.label_delimiter if self.beginning.multi_label else ""

    def _clean_up_leftovers(self, split: Split) -> ComposedDatasets:
        return clean_up_leftovers(
            turn=self.beginning.turn, split=split, intake=self.intake, service=self.service, now=self.now
        )

    def _compose(self, split: Split, composed: ComposedDatasets, exclusions: Exclusions) -> DatasetPlan:
        """After a kill the step goes on with the datasets that it has composed."""
        for manifest in composed.leftovers:
            assemble(self.intake, manifest, delimiter=self._delimiter)
        plan = DatasetPlan(split=split, manifests=tuple(composed.leftovers))
        earlier = next((each for each in composed.leftovers if each.turn != self.beginning.turn), None)
        if earlier is None:
            plan = self._compose_new(plan, composed.accepted, exclusions)
            if len(plan.manifests) == 1 and not composed.leftovers:
                return plan
        if not plan.manifests:
            return plan
        held_back = [part for manifest in plan.manifests for part in held_back_parts(self.intake, manifest)]
        # An operator overrules the minimum for this turn only, but the next turn composes these documents.
        there = [*composed.accepted, *plan.manifests]
        rest = self._look_ahead(split, there, exclusions, overrule=False, held_back=held_back)
        return plan.then_rest(rest, earlier=earlier)

    def _compose_new(self, plan: DatasetPlan, accepted: list[DatasetManifest], exclusions: Exclusions) -> DatasetPlan:
        """One dataset after the other, until one takes what is left."""
        request = self.beginning.request
        overrule = request is not None and request.overrule_minimum
        while True:
            outlook = self._look_ahead(plan.split, [*accepted, *plan.manifests], exclusions, overrule=overrule)
            planned = plan_new(
                outlook,
                turn=self.beginning.turn,
                flywheel_arn=self.service.arn,
                now=self.now,
                taken=[manifest.name for manifest in plan.manifests],
            )
            manifest = self._write(*planned) if planned else None
            plan = plan.then(outlook, manifest)
            if manifest is None:
                return plan
            assemble(self.intake, manifest, delimiter=self._delimiter)
            if not outlook.full:
                return plan

    def _write(self, manifest: DatasetManifest, left_out: bytes) -> DatasetManifest:
        """Write the manifest, and return the stored one: another invocation of this step may have been faster."""
        key = manifest_key(manifest.split, manifest.name)
        self.intake.write_bytes(manifest.dropped_key, left_out)
        # Planning takes so long that this turn may have been stopped, and the next one may have composed these parts.
        require_current(self.intake, self.beginning.turn)
        if not self.intake.write_once(key, manifest):
            return self.intake.require(key, DatasetManifest)
        return manifest

    def _look_ahead(
        self,
        split: Split,
        accepted: list[DatasetManifest],
        exclusions: Exclusions,
        *,
        overrule: bool,
        held_back: Sequence[tuple[Part, PartLocation]] = (),
    ) -> Outlook:
        return look_ahead(
            split,
            intake=self.intake,
            flywheel_arn=self.service.arn,
            accepted=accepted,
            kind=self.service.kind,
            task=Task(labels=self.beginning.labels, multi_label=self.beginning.multi_label),
            minimum=self.minimum_per_label,
            conflicting_labels=self.conflicting_labels,
            size=self._bytes,
            exclusions=exclusions,
            overrule=overrule,
            held_back=held_back,
        )

    def _bytes(self, candidates: Sequence[Distinct], held_back: frozenset[str]) -> int:
        """The size of a dataset of the candidates. Exact only if the dataset could be smaller than the minimum; else
        parts count as a whole."""
        included = [dataset_part(candidate, held_back).documents for candidate in candidates]
        limits = self.service.kind.dataset_limits
        exact = sum(included) * limits.document_bytes < limits.minimum_bytes
        size = 0
        for candidate, documents in zip(candidates, included, strict=True):
            part = candidate.stored.part
            # The bytes of a part are those of its file, which for documents with annotations are more than count.
            if exact and (documents < part.documents or part.form is DocumentForm.JSON_LINES):
                size += count_bytes(
                    self.intake,
                    candidate.stored.location,
                    before=part.delimiter,
                    without=frozenset((*candidate.dropped, *candidate.refused, *candidate.excluded)),
                    held_back=held_back,
                    delimiter=self._delimiter,
                )
            else:
                size += part.bytes
        return size
