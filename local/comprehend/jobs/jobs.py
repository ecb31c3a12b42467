"""What can be done with jobs of a kind: StartDocumentClassificationJob, DescribeDocumentClassificationJob,
ListDocumentClassificationJobs, and the same of entities detection jobs. Only those can be stopped."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import ComprehendError, invalid_request, service_error
from local.comprehend.identifiers import Scope
from local.comprehend.jobs.archive import archive_uri
from local.comprehend.jobs.job_input import ONE_DOC_PER_LINE
from local.comprehend.jobs.job_run import JobRun
from local.comprehend.model_kind import ModelKind
from local.comprehend.models.usable import model_to_use, require_kind
from local.comprehend.requests import idempotency
from local.comprehend.requests.lookup import newest_first_page, require_one_filter
from local.comprehend.requests.permitted import require_keys
from local.comprehend.requests.tags import checked_tags
from local.comprehend.runtime import Runtime
from local.comprehend.state import Job, JobStatus, RegionState


class Jobs:
    def __init__(self, runtime: Runtime, kind: ModelKind) -> None:
        self._runtime = runtime
        self._kind = kind

    def start(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        operation = f"Start{self._kind.job_noun}"
        made = idempotency.already_made(region, operation=operation, request=request)
        if made:
            return _started(region.jobs[made])
        if "DocumentReaderConfig" in request["InputDataConfig"]:
            raise invalid_request("The local Comprehend service reads plain text only; leave out DocumentReaderConfig.")
        require_kind(region, request, self._kind)
        model = model_to_use(region, request, member=f"{self._kind.model_noun}Arn", built_in=self._kind.has_built_in)
        require_keys(request, scope)
        require_keys(request["OutputDataConfig"], scope, aliases=True)
        tags = checked_tags(request.get("Tags", []), present={})
        self._check_quota(region)
        id_ = self._runtime.new_id()
        job = Job(
            id=id_,
            arn=self._arn(scope, id_),
            request=request,
            model=model,
            # The AWS CLI's examples start a job without a format and describe it with this one.
            input_format=request["InputDataConfig"].get("InputFormat", ONE_DOC_PER_LINE),
            archive_uri=archive_uri(
                requested=request["OutputDataConfig"]["S3Uri"],
                account=scope.account,
                mark=self._kind.archive_mark,
                job_id=id_,
            ),
            created=self._runtime.now(),
            folder=self._runtime.new_folder(),
        )
        region.jobs[job.arn] = job
        region.tags[job.arn] = tags
        idempotency.remember(region, operation=operation, request=request, resource=job.arn)
        JobRun(runtime=self._runtime, scope=scope, job=job).start()
        return _started(job)

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        job = self._job(scope, request["JobId"])
        if not self._runtime.shows(job.created):
            raise self._not_found(job.id)
        return {f"{self._kind.job_noun}Properties": _properties(job)}

    def stop(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        job = self._job(scope, request["JobId"])
        if job.status in (JobStatus.COMPLETED, JobStatus.FAILED):
            raise invalid_request(f"The job is {job.status}; only one that runs can be stopped.")
        if job.running:
            job.status = JobStatus.STOP_REQUESTED
        return {"JobId": job.id, "JobStatus": job.status.value}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        require_one_filter(request)
        page, token = newest_first_page(
            (job for job in self._runtime.region(scope).jobs.values() if job.kind is self._kind),
            request,
            shown_by=self._runtime,
            facts=lambda job: {"JobStatus": job.status, "JobName": job.request.get("JobName")},
            time="SubmitTime",
        )
        return {f"{self._kind.job_noun}PropertiesList": [_properties(job) for job in page], **token}

    def _check_quota(self, region: RegionState) -> None:
        running = sum(job.running for job in region.jobs.values() if job.kind is self._kind)
        if running >= self._runtime.settings.maximum_jobs_of_a_type:
            # The operation models no ResourceLimitExceededException.
            raise service_error(
                "TooManyRequestsException",
                f"{running} {self._kind.job_words}s of the account run, the most at a time.",
            )

    def _job(self, scope: Scope, id_: str) -> Job:
        job = self._runtime.region(scope).jobs.get(self._arn(scope, id_))
        if job is None:
            raise self._not_found(id_)
        return job

    def _not_found(self, id_: str) -> ComprehendError:
        return service_error("JobNotFoundException", f"There is no {self._kind.job_words} {id_}.")

    def _arn(self, scope: Scope, id_: str) -> str:
        return scope.arn(resource=self._kind.job_resource, name=id_)


def _started(job: Job) -> dict[str, Any]:
    return {
        "JobId": job.id,
        "JobArn": job.arn,
        "JobStatus": job.status.value,
        f"{job.kind.model_noun}Arn": job.model.arn,
    }


def _properties(job: Job) -> dict[str, Any]:
    given = ("JobName", "LanguageCode", "DataAccessRoleArn", "VolumeKmsKeyId", "VpcConfig", "FlywheelArn")
    return {
        **_started(job),
        "SubmitTime": job.created,
        "InputDataConfig": {"S3Uri": job.input_uri, "InputFormat": job.input_format},
        "OutputDataConfig": {**job.request["OutputDataConfig"], "S3Uri": job.archive_uri},
        **{member: job.request.get(member) for member in given},
        "Message": job.message,
        "EndTime": job.ended,
    }
