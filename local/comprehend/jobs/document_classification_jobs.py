"""StartDocumentClassificationJob, DescribeDocumentClassificationJob, ListDocumentClassificationJobs. The service has no
operation that stops or deletes such a job."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

from local.comprehend.errors import invalid_request, service_error
from local.comprehend.identifiers import Scope
from local.comprehend.jobs.classification_output import archive_uri, classify_documents
from local.comprehend.jobs.job_input import ONE_DOC_PER_LINE
from local.comprehend.jobs.job_run import JobRun
from local.comprehend.models.usable import model_to_use
from local.comprehend.requests import idempotency
from local.comprehend.requests.lookup import newest_first_page, require_one_filter
from local.comprehend.requests.permitted import require_keys
from local.comprehend.requests.tags import checked_tags
from local.comprehend.runtime import Runtime
from local.comprehend.state import Job, RegionState


class DocumentClassificationJobs:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def start(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        operation = "StartDocumentClassificationJob"
        made = idempotency.already_made(region, operation=operation, request=request)
        if made:
            return _started(region.jobs[made])
        if "DocumentReaderConfig" in request["InputDataConfig"]:
            raise invalid_request("The local Comprehend service reads plain text only; leave out DocumentReaderConfig.")
        model = model_to_use(region, request, member="DocumentClassifierArn")
        require_keys(request, scope)
        require_keys(request["OutputDataConfig"], scope, aliases=True)
        tags = checked_tags(request.get("Tags", []), present={})
        self._check_quota(region)
        id_ = uuid4().hex
        job = Job(
            id=id_,
            arn=scope.classification_job_arn(id_),
            request=request,
            model=model,
            # The AWS CLI's examples start a job without a format and describe it with this one.
            input_format=request["InputDataConfig"].get("InputFormat", ONE_DOC_PER_LINE),
            archive_uri=archive_uri(requested=request["OutputDataConfig"]["S3Uri"], account=scope.account, job_id=id_),
            created=self._runtime.now(),
            folder=self._runtime.new_folder(),
        )
        region.jobs[job.arn] = job
        region.tags[job.arn] = tags
        idempotency.remember(region, operation=operation, request=request, resource=job.arn)
        predict = partial(classify_documents, classes=self._runtime.settings.classes_in_output)
        JobRun(runtime=self._runtime, scope=scope, job=job, predict=predict).start()
        return _started(job)

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        arn = scope.classification_job_arn(request["JobId"])
        job = self._runtime.region(scope).jobs.get(arn)
        if job is None or not self._runtime.shows(job.created):
            raise service_error("JobNotFoundException", f"There is no document classification job {request['JobId']}.")
        return {"DocumentClassificationJobProperties": _properties(job)}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        require_one_filter(request)
        page, token = newest_first_page(
            self._runtime.region(scope).jobs.values(),
            request,
            shown_by=self._runtime,
            facts=lambda job: {"JobStatus": job.status, "JobName": job.request.get("JobName")},
            time="SubmitTime",
        )
        return {"DocumentClassificationJobPropertiesList": [_properties(job) for job in page], **token}

    def _check_quota(self, region: RegionState) -> None:
        running = sum(job.running for job in region.jobs.values())
        if running >= self._runtime.settings.maximum_jobs_of_a_type:
            # The operation models no ResourceLimitExceededException.
            raise service_error(
                "TooManyRequestsException",
                f"{running} document classification jobs of the account run, the most at a time.",
            )


def _started(job: Job) -> dict[str, Any]:
    return {"JobId": job.id, "JobArn": job.arn, "JobStatus": job.status.value, "DocumentClassifierArn": job.model.arn}


def _properties(job: Job) -> dict[str, Any]:
    given = ("JobName", "DataAccessRoleArn", "VolumeKmsKeyId", "VpcConfig", "FlywheelArn")
    return {
        **_started(job),
        "SubmitTime": job.created,
        "InputDataConfig": {"S3Uri": job.input_uri, "InputFormat": job.input_format},
        "OutputDataConfig": {**job.request["OutputDataConfig"], "S3Uri": job.archive_uri},
        **{member: job.request.get(member) for member in given},
        "Message": job.message,
        "EndTime": job.ended,
    }
