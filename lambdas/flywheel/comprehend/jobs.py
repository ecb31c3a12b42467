"""Asynchronous jobs in which a model predicts documents of the intake bucket. No job is paid for twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from botocore.exceptions import ClientError

from flywheel.comprehend.answers import required
from flywheel.comprehend.model_kind import Job, StartedJob
from flywheel.faults.errors import ModelNotUsable, ServiceBusy
from flywheel.faults.fault_names import THROTTLES
from flywheel.faults.service_faults import error_code, error_message
from flywheel.records.job_attempts import JobAttempt

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.model_kind import ModelKind
    from flywheel.store.bucket import IntakeBucket

A = TypeVar("A", bound=JobAttempt)

BUSY = THROTTLES | {"ResourceInUseException", "ResourceLimitExceededException"}
"""Errors of a request to create or start something that may succeed later."""
UNKNOWN_JOB = "Comprehend does not know it"
"""The failure of a job that is not found. It may be found later; starting it again with the same token returns the same
job if it exists, else starts a new one."""


@dataclass(frozen=True, kw_only=True)
class JobSecurity:
    """Encryption keys and VPC of a flywheel's training, which its jobs use too."""

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
        """Start a job over files with one document a line, for a model or for the active model of a flywheel.

        Comprehend reads and writes with the role `role_arn`. With the same token a repeated call returns the same job.
        Raises ModelNotUsable if the model does not exist or is not trained, ServiceBusy if too many jobs run.
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
        """None if Comprehend does not know the job, or does not any more."""
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
    """The attempts to have a model predict the same documents. The record at `key` is the last attempt.

    The record is written after the job was started. If the function is killed in between, the next one gets the same
    job, because the token is made of the attempt's number.
    """

    intake: IntakeBucket
    jobs: JobService
    key: str
    record: type[A]

    def last(self) -> A | None:
        """The last attempt, with the present state of its job, which is also written to the record."""
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
    """The number of the next attempt. If no job was started, or Comprehend does not know the job, the number stays."""
    if known is None:
        return 1
    return known.attempt + (known.job_id is not None and known.failure != UNKNOWN_JOB)
