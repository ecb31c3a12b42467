"""StartDocumentClassificationJob, DescribeDocumentClassificationJob, ListDocumentClassificationJobs. The service has no
operation that stops or deletes such a job."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from local.comprehend import idempotency
from local.comprehend.classification_input import ONE_DOC_PER_LINE
from local.comprehend.classification_output import archive_uri
from local.comprehend.classification_run import ClassificationRun
from local.comprehend.errors import invalid_request, not_found, service_error, unavailable
from local.comprehend.flywheels import find_flywheel
from local.comprehend.identifiers import Scope
from local.comprehend.kms_keys import require_keys
from local.comprehend.paging import in_time, newest_first_page, require_one_filter
from local.comprehend.runtime import Runtime
from local.comprehend.state import USABLE_MODEL, ClassificationJob, DocumentClassifier, RegionState
from local.comprehend.tags import checked_tags


class DocumentClassificationJobs:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def start(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        operation = "StartDocumentClassificationJob"
        made = idempotency.already_made(region, operation=operation, within="", request=request)
        if made:
            return _started(region.classification_jobs[made])
        if "DocumentReaderConfig" in request["InputDataConfig"]:
            raise invalid_request("The local Comprehend service reads plain text only; leave out DocumentReaderConfig.")
        model = _model_of(region, request)
        require_keys(request, scope)
        require_keys(request["OutputDataConfig"], scope, aliases=True)
        tags = checked_tags(request.get("Tags", []), present={})
        self._check_quota(region)
        id_ = uuid4().hex
        job = ClassificationJob(
            id=id_,
            arn=scope.classification_job_arn(id_),
            request=request,
            model=model,
            # The AWS CLI's examples start a job without a format and describe it with this one.
            input_format=request["InputDataConfig"].get("InputFormat", ONE_DOC_PER_LINE),
            archive_uri=archive_uri(requested=request["OutputDataConfig"]["S3Uri"], account=scope.account, job_id=id_),
            submitted=self._runtime.now(),
            folder=self._runtime.new_folder(),
        )
        region.classification_jobs[job.arn] = job
        region.tags[job.arn] = tags
        idempotency.remember(region, operation=operation, within="", request=request, resource=job.arn)
        ClassificationRun(runtime=self._runtime, scope=scope, job=job).start()
        return _started(job)

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        arn = scope.classification_job_arn(request["JobId"])
        job = self._runtime.region(scope).classification_jobs.get(arn)
        if job is None or not self._runtime.shows(job.submitted):
            raise service_error("JobNotFoundException", f"There is no document classification job {request['JobId']}.")
        return {"DocumentClassificationJobProperties": _properties(job)}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        require_one_filter(request)
        filter_ = request.get("Filter", {})
        matching = [
            job
            for job in self._runtime.region(scope).classification_jobs.values()
            if self._runtime.shows(job.submitted)
            and filter_.get("JobStatus", job.status) == job.status
            and filter_.get("JobName", job.name) == job.name
            and in_time(job.submitted, filter_, after="SubmitTimeAfter", before="SubmitTimeBefore")
        ]
        page, token = newest_first_page(matching, key=lambda job: (job.submitted, job.arn), request=request)
        return {"DocumentClassificationJobPropertiesList": [_properties(job) for job in page], **token}

    def _check_quota(self, region: RegionState) -> None:
        running = sum(job.running for job in region.classification_jobs.values())
        if running >= self._runtime.settings.maximum_classification_jobs:
            # The operation models no ResourceLimitExceededException.
            raise service_error(
                "TooManyRequestsException",
                f"{running} document classification jobs of the account run, the most at a time.",
            )


def _model_of(region: RegionState, request: dict[str, Any]) -> DocumentClassifier:
    """The model given, or the active one of the flywheel given; later promotions do not touch the job."""
    arn = request.get("DocumentClassifierArn")
    if (arn is None) == ("FlywheelArn" not in request):
        raise invalid_request("Give either DocumentClassifierArn or FlywheelArn.")
    if arn is None:
        flywheel = find_flywheel(region, request["FlywheelArn"])
        if not flywheel.usable:
            raise unavailable(f"The flywheel is {flywheel.status}; only an ACTIVE one can be used.")
        arn = flywheel.active_model_arn
        if arn is None:
            raise unavailable("The flywheel has no active model; give the DocumentClassifierArn of one.")
    model = region.classifiers.get(arn)
    if model is None:
        raise not_found(f"There is no document classifier {arn}.")
    if model.status not in USABLE_MODEL:
        raise unavailable(f"The model {arn} is {model.status}; it must be TRAINED.")
    return model


def _started(job: ClassificationJob) -> dict[str, Any]:
    return {
        "JobId": job.id,
        "JobArn": job.arn,
        "JobStatus": job.status.value,
        "DocumentClassifierArn": job.model.arn,
    }


def _properties(job: ClassificationJob) -> dict[str, Any]:
    given = ("JobName", "DataAccessRoleArn", "VolumeKmsKeyId", "VpcConfig", "FlywheelArn")
    properties: dict[str, Any] = {
        **_started(job),
        "SubmitTime": job.submitted,
        "InputDataConfig": {"S3Uri": job.input_uri, "InputFormat": job.input_format},
        "OutputDataConfig": {**job.request["OutputDataConfig"], "S3Uri": job.archive_uri},
        **{member: job.request[member] for member in given if member in job.request},
    }
    if job.message:
        properties["Message"] = job.message
    if job.ended is not None:
        properties["EndTime"] = job.ended
    return properties
