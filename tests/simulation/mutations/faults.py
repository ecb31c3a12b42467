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
        name="a conflict of two requests is swallowed",
        path=_FLYWHEEL + "store/bucket.py",
        before="            if code in _CONDITION_FAILED | _MISSING:\n",
        after="            if code in _CONFLICT:\n                return True\n"
        "            if code in _CONDITION_FAILED | _MISSING:\n",
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
        name="an upload's documents are forgotten",
        path=_FLYWHEEL + "uploads/prepare_upload.py",
        before="duplicate_of = self._place_of(part, source) or self._store(part, source, files)",
        after="duplicate_of = self._place_of(part, source)",
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
        name="documents that are accepted already are accepted again",
        path=_FLYWHEEL + "datasets/distinct.py",
        before="            result.accepted_before += document in self._accepted\n"
        "            result.dropped.append(place)\n",
        after="",
    ),
    Fault(
        name="training documents that are test data are trained on",
        path=_FLYWHEEL + "datasets/distinct.py",
        before="        leaked = self._leaked.get(text)\n",
        after="        leaked = None\n",
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
        name="a worse model is promoted",
        path=_FLYWHEEL + "decisions/gate.py",
        before="    gain = round(score - active_score, _ROUNDING)\n",
        after="    gain = round(active_score - score, _ROUNDING)\n",
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
        path=_FLYWHEEL + "promotions/check_model.py",
        before="    if active not in (request.decided_against, request.model_arn):\n",
        after="    if False:\n",
    ),
    Fault(
        name="a model that somebody has put back is promoted again",
        path=_FLYWHEEL + "promotions/check_model.py",
        before="    if made is None:\n",
        after="    if True:\n",
    ),
    Fault(
        name="a model that failed its smoke test is tried again",
        path=_FLYWHEEL + "promotions/check_model.py",
        before="    if failed is not None:\n        raise SmokeTestFailed(failed.sentence)\n",
        after="",
    ),
    Fault(
        name="nothing keeps two changes of the active model apart",
        path="lambdas/handlers/promotions/update_active_model.py",
        before="    with held(LEASE_KEY, holder=step.promotion, intake=intake, now=now(), "
        "lasts=TIMEOUT + timedelta(seconds=30)):\n",
        after="    if True:\n",
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
        name="an endpoint stays when the serving hours are over",
        path=_FLYWHEEL + "serving/bring_endpoint.py",
        before="        elif not target.in_hours(now):\n",
        after="        elif False:\n",
    ),
    Fault(
        name="an endpoint is changed though it has its model already",
        path=_FLYWHEEL + "serving/bring_endpoint.py",
        before="bound_to_another = served.flywheel_arn is None and endpoint.model_arn != served.model_arn",
        after="bound_to_another = served.flywheel_arn is None",
    ),
    Fault(
        name="the accounts that a deployment trusts are not kept",
        path=_FLYWHEEL + "sharing/share_model.py",
        before="            if principals != former:\n"
        "                self.intake.write(TRUSTED_KEY, Trusted(principals=principals, since=self.clock()))\n",
        after="",
    ),
    Fault(
        name="a model is imported though PromotionMode is NEVER",
        path=_FLYWHEEL + "imports/receive_announcement.py",
        before="            self.intake.write_once(end_key(request.id), left)\n        self.intake",
        after="            pass\n        self.intake",
    ),
    Fault(
        name="nobody looks at what an imported model answered to its smoke test",
        path="lambdas/handlers/imports/try_model.py",
        before='return {"wanted": True, ',
        after='return {"wanted": job_id is None, ',
    ),
    Fault(
        name="what was withdrawn can be imported all the same",
        path=_FLYWHEEL + "sharing/share_model.py",
        before="            wanted = principals if version.wanted else ()\n",
        after="            wanted = principals\n",
    ),
    Fault(
        name="an answer of a reviewer overwrites another's",
        path=_FLYWHEEL + "review/answer_item.py",
        before="answers if former is not None else (*answers, new)",
        after="answers if former is not None else (new,)",
    ),
    Fault(
        name="what reviewers agreed on is not published",
        path=_FLYWHEEL + "review/publish_answers.py",
        before='        return item.model_copy(update={"batch": batch}) if free else item\n',
        after="        return item\n",
    ),
    Fault(
        name="the parts of an analysis job are joined in another order",
        path=_FLYWHEEL + "analysis/join_analysis.py",
        before="    places = [folder.part(item.part) for item in items]\n",
        after="    places = [folder.part(item.part) for item in reversed(items)]\n",
    ),
    Fault(
        name="a command takes an execution that is not told of yet for none",
        path="ops/verbs/analyze.py",
        before="find_execution(deployment.clients, started.execution_arn)",
        after="deployment.clients.stepfunctions.describe_execution(executionArn=started.execution_arn)",
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
