"""Jobs that have a model answer documents in the intake bucket: at most one for each attempt, and none paid twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from botocore.exceptions import ClientError

from flywheel.comprehend.model_kind import Job, StartedJob
from flywheel.comprehend.required import required
from flywheel.errors import ModelNotUsable, ServiceBusy
from flywheel.fault_names import THROTTLES
from flywheel.records.job_attempts import JobAttempt
from flywheel.service_faults import error_code, error_message

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.model_kind import ModelKind
    from flywheel.store.bucket import IntakeBucket

A = TypeVar("A", bound=JobAttempt)

BUSY = THROTTLES | {"ResourceInUseException", "ResourceLimitExceededException"}
"""Of a request to make or start something: later there may be room for it."""
UNKNOWN_JOB = "Comprehend does not know it"
"""Not for good: a job does not have to show at once. To start it again under the same token is the same job, if there
is one, and else another."""


@dataclass(frozen=True, kw_only=True)
class JobSecurity:
    """How a flywheel's training is protected, and so the jobs that its models do."""

    output_key: str | None = None
    volume_key: str | None = None
    vpc: dict[str, Any] | None = None


class JobService:
    """The jobs of one kind of model in the account and Region."""

    def __init__(self, *, comprehend: ComprehendClient, kind: ModelKind) -> None:
        self._comprehend = comprehend
        self._kind = kind

    def start(
        self,
        *,
        model_arn: str | None = None,
        flywheel_arn: str | None = None,
        documents_uri: str,
        output_uri: str,
        role_arn: str,
        security: JobSecurity,
        name: str,
        token: str,
    ) -> StartedJob:
        """A job over files with one document a line, by a model or by the active model of a flywheel.

        Comprehend reads and writes as `role_arn`. The token makes a repeated call return the same job. Raises
        ModelNotUsable if the model is gone or not trained, ServiceBusy if too many jobs run.
        """
        optional = {"FlywheelArn": flywheel_arn, "VolumeKmsKeyId": security.volume_key, "VpcConfig": security.vpc}
        request = {
            "JobName": name,
            "InputDataConfig": {"S3Uri": documents_uri, "InputFormat": "ONE_DOC_PER_LINE"},
            "OutputDataConfig": {"S3Uri": output_uri}
            | ({"KmsKeyId": security.output_key} if security.output_key else {}),
            "DataAccessRoleArn": role_arn,
            "ClientRequestToken": token,
            **{member: value for member, value in optional.items() if value},
        }
        try:
            return self._kind.start_job(self._comprehend, model_arn=model_arn, request=request)
        except ClientError as error:
            if error_code(error) in {"ResourceNotFoundException", "ResourceUnavailableException"}:
                raise ModelNotUsable(model_arn or flywheel_arn or "the model", error_message(error)) from error
            if error_code(error) in BUSY:
                raise ServiceBusy(f"Comprehend starts no {self._kind.job_words} now: {error_message(error)}") from error
            raise

    def find(self, job_id: str) -> Job | None:
        """None if Comprehend does not know it (any more)."""
        try:
            properties = self._kind.describe_job(self._comprehend, job_id)
        except self._comprehend.exceptions.JobNotFoundException:
            return None
        status = required(properties, "JobStatus", of=f"job {job_id}")
        return Job(
            id=job_id,
            running=status not in {"COMPLETED", "FAILED", "STOPPED"},
            completed=status == "COMPLETED",
            message=properties.get("Message"),
            archive_uri=properties.get("OutputDataConfig", {}).get("S3Uri", ""),
        )


@dataclass(frozen=True, kw_only=True)
class Attempts(Generic[A]):
    """The attempts to have a model answer the same documents; the record under `key` is the last one.

    It is written after its job was started. A job that was started just before a kill is found again by its token,
    which is made of the attempt's number.
    """

    intake: IntakeBucket
    jobs: JobService
    key: str
    record: type[A]

    def last(self) -> A | None:
        """What has become of its job since is noted."""
        known = self.intake.read(self.key, self.record)
        if known is None or known.failure or not known.job_id:
            return known
        if known.archive:
            if self.intake.exists(known.archive):
                return known
            return self.note(known, archive=None, failure="its output is no longer in the intake bucket")
        job = self.jobs.find(known.job_id)
        if job is None:
            return known.model_copy(update={"failure": UNKNOWN_JOB})
        if job.running:
            return known
        if not job.completed:
            return self.note(known, failure=job.message or "Comprehend gave no reason")
        archive = job.archive_uri.removeprefix(f"s3://{self.intake.name}/")
        if not self.intake.exists(archive):
            return self.note(known, failure=f"its output is not at {job.archive_uri}")
        return self.note(known, archive=archive)

    def note(self, known: A, **found: str | None) -> A:
        noted = known.model_copy(update=found)
        self.intake.write(self.key, noted)
        return noted


def next_attempt(known: JobAttempt | None) -> int:
    """Its number. Where no job was started, or Comprehend does not know the job, the same attempt is made again."""
    if known is None:
        return 1
    return known.attempt + (known.job_id is not None and known.failure != UNKNOWN_JOB)
