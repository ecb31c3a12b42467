"""The faults: a text of one file and what stands there instead. Each is one that somebody could really make."""

from __future__ import annotations

from dataclasses import dataclass

_FLYWHEEL = "lambdas/flywheel/"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`before` stands in the file exactly once."""

    name: str
    path: str
    before: str
    after: str


def _guard(name: str, path: str, before: str) -> Fault:
    """A check that is missing."""
    indentation = before[: len(before) - len(before.lstrip())]
    return Fault(name=name, path=_FLYWHEEL + path, before=before, after=f"{indentation}pass\n")


FAULTS = (
    Fault(
        name="a conditional write without If-Match",
        path=_FLYWHEEL + "store/bucket.py",
        before='return self._write_on_condition(key, record, {"IfMatch": etag})',
        after="return self._write_on_condition(key, record, {})",
    ),
    Fault(
        name="a record that is to be written once is overwritten",
        path=_FLYWHEEL + "store/bucket.py",
        before='return self._write_on_condition(key, record, {"IfNoneMatch": "*"})',
        after="return self._write_on_condition(key, record, {})",
    ),
    Fault(
        name="a conflict is swallowed: the write counts as done",
        path=_FLYWHEEL + "store/bucket.py",
        before="                    return False\n                raise\n            return True\n",
        after="                    return True\n                raise\n            return True\n",
    ),
    Fault(
        name="an upload is removed though a newer version came",
        path=_FLYWHEEL + "store/bucket.py",
        before="self._s3.delete_object(Bucket=self.name, Key=key, IfMatch=etag)",
        after="self._s3.delete_object(Bucket=self.name, Key=key)",
    ),
    Fault(
        name="an upload is removed before it is prepared",
        path=_FLYWHEEL + "uploads/prepare_upload.py",
        before="        if result is None:\n            result = self._prepare(",
        after="        for file in upload.files:\n            self._intake.delete_if_unchanged(file.key, file.etag)\n"
        "        if result is None:\n            result = self._prepare(",
    ),
    Fault(
        name="a rejected upload is not kept",
        path=_FLYWHEEL + "uploads/prepare_upload.py",
        before="    def _reject(self, upload: Upload, preparation: Preparation) -> UploadResult:\n"
        "        self._keep_original(upload)\n",
        after="    def _reject(self, upload: Upload, preparation: Preparation) -> UploadResult:\n",
    ),
    Fault(
        name="a rejected upload has no report",
        path=_FLYWHEEL + "uploads/prepare_upload.py",
        before="return self._report(self._result(upload, preparation, UploadOutcome.REJECTED, reason), preparation)",
        after="return self._result(upload, preparation, UploadOutcome.REJECTED, reason)",
    ),
    Fault(
        name="an upload's documents are forgotten",
        path=_FLYWHEEL + "uploads/prepare_upload.py",
        before="duplicate_of = self._place_of(part, source) or self._store(part, source, files)",
        after="duplicate_of = self._place_of(part, source)",
    ),
    Fault(
        name="a zombie of prepare_upload is not stopped",
        path=_FLYWHEEL + "uploads/prepare_upload.py",
        before="        require_current(self._intake, self._turn)\n        faults",
        after="        faults",
    ),
    Fault(
        name="a zombie of compose_datasets writes its manifest",
        path=_FLYWHEEL + "datasets/compose_datasets.py",
        before="        require_current(self.intake, self.beginning.turn)\n        if not self.intake.write_once",
        after="        if not self.intake.write_once",
    ),
    Fault(
        name="a zombie of register_dataset creates its dataset",
        path=_FLYWHEEL + "datasets/register_dataset.py",
        before="        turns.require_current(intake, turn)\n",
        after="",
    ),
    Fault(
        name="a dataset is accepted without its marker",
        path=_FLYWHEEL + "datasets/assemble.py",
        before="    intake.write_once(accepted_key(manifest), accepted)\n",
        after="",
    ),
    Fault(
        name="what a dataset holds back is not returned",
        path=_FLYWHEEL + "datasets/assemble.py",
        before="    _return_held_back(intake, manifest)\n",
        after="",
    ),
    Fault(
        name="what a dataset has stays in prepared/",
        path=_FLYWHEEL + "datasets/assemble.py",
        before="    take_away(intake, manifest.split, _taken(manifest))\n",
        after="",
    ),
    Fault(
        name="a dataset is accepted before Comprehend has completed it",
        path=_FLYWHEEL + "datasets/accept_dataset.py",
        before="if dataset is None or dataset.status is not DatasetStatus.COMPLETED:",
        after="if dataset is None:",
    ),
    Fault(
        name="documents that are accepted already are accepted again",
        path=_FLYWHEEL + "datasets/distinct.py",
        before="            result.accepted_before += document in self._accepted\n"
        "            result.dropped.append(place)\n",
        after="",
    ),
    Fault(
        name="an unfinished iteration is not noticed",
        path=_FLYWHEEL + "turn/begin_turn.py",
        before="    unfinished = unfinished_iteration(pipeline.intake, pipeline.service)\n",
        after="    unfinished = None\n",
    ),
    Fault(
        name="the token of an iteration does not name the newest one",
        path=_FLYWHEEL + "turn/run_iteration.py",
        before='content = [flywheel_arn, newest.id if newest else "", *sorted(dataset.name for dataset in new)]',
        after="content = [flywheel_arn]",
    ),
    Fault(
        name="a busy Comprehend fails the turn",
        path=_FLYWHEEL + "turn/run_iteration.py",
        before='raise ServiceBusy(f"Comprehend starts no iteration now: {error_message(error)}") from error',
        after="raise error",
    ),
    Fault(
        name="a worse model is promoted",
        path=_FLYWHEEL + "decisions/gate.py",
        before="    decision = DecisionKind.KEEP if fallen else DecisionKind.PROMOTE\n",
        after="    decision = DecisionKind.PROMOTE\n",
    ),
    Fault(
        name="a decision is made anew each time",
        path=_FLYWHEEL + "decisions/compare_metrics.py",
        before="    return decision if pipeline.intake.write_once(key, decision) "
        "else pipeline.intake.require(key, Decision)\n",
        after="    pipeline.intake.write(key, decision)\n    return decision\n",
    ),
    Fault(
        name="a promotion is requested though PromotionMode is NEVER",
        path=_FLYWHEEL + "promotions/request_promotion.py",
        before="        intake.write_once(end_key(request.id), left)\n",
        after="",
    ),
    Fault(
        name="nobody is asked for approval",
        path=_FLYWHEEL + "promotions/begin_promotion.py",
        before="approval=mode is PromotionMode.APPROVAL and request.source.automatic and active != request.model_arn,",
        after="approval=False,",
    ),
    Fault(
        name="a promotion ignores that another model is active by now",
        path=_FLYWHEEL + "promotions/update_active_model.py",
        before="    require_same_active(request, flywheel)\n",
        after="",
    ),
    Fault(
        name="a zombie of update_active_model makes its model active",
        path=_FLYWHEEL + "promotions/update_active_model.py",
        before="    require_current(intake, promotion)\n    request = open_request_of(promotion, intake)\n    flywheel",
        after="    request = open_request_of(promotion, intake)\n    flywheel",
    ),
    Fault(
        name="the promoted model is not published",
        path=_FLYWHEEL + "promotions/publish_model.py",
        before="    pipeline.published.publish(\n"
        "        request.model_arn, keep_desired=has_open_edit(beginning, pipeline.published, pipeline.intake)\n"
        "    )\n",
        after="",
    ),
    Fault(
        name="an edit of desired-model-arn is not noticed",
        path=_FLYWHEEL + "promotions/start_promotion.py",
        before="    if pending is not None:\n",
        after="    if False:\n",
    ),
    Fault(
        name="a change past the pipeline is not published",
        path=_FLYWHEEL + "turn/begin_turn.py",
        before="    if beginning.changed_outside:\n        publish_active_model(pipeline=pipeline)\n",
        after="",
    ),
    Fault(
        name="accept_dataset may not write",
        path="stacks/turn/steps.py",
        before="                # What a dataset holds back returns to where it waits.\n"
        '                access.objects("prepared/*", actions=("DeleteObject", *UPLOAD)),\n',
        after='                access.objects("prepared/*", actions=("DeleteObject",)),\n',
    ),
    Fault(
        name="faults of AWS are not repeated",
        path="stacks/constructs/retries.py",
        before='            "ServiceFault",\n',
        after="",
    ),
)
