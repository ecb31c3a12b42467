"""The background work of a job of any kind: from SUBMITTED over IN_PROGRESS to COMPLETED, FAILED or STOPPED."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.comprehend.identifiers import Scope
from local.comprehend.jobs.job_input import ONE_DOC_PER_FILE, InputFile, InvalidJobInputError, JobInput
from local.comprehend.runtime import Runtime
from local.comprehend.state import Job, JobStatus
from local.comprehend.storage import S3Object, bucket_and_key, encrypted_with, name_below, objects
from local.comprehend.workers.worker_processes import WorkerDiedError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class JobRun:
    """One job. It reads and writes S3 in the name of the role given with it, not of the model's or flywheel's."""

    def __init__(self, *, runtime: Runtime, scope: Scope, job: Job) -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._scope = scope
        self._job = job

    def start(self) -> None:
        """Run in the background."""
        self._runtime.start(self._run, fail=self._end)

    def _run(self) -> None:
        job, settings = self._job, self._settings
        started = job.created + settings.job_queue_seconds
        self._runtime.wait_until(started)
        with self._runtime.lock:
            if job.status is JobStatus.SUBMITTED:
                job.status = JobStatus.IN_PROGRESS
        fault = self._runtime.faults.for_resource("job")
        problem = fault.message if fault else self._problem()
        self._runtime.wait_until(started + settings.job_seconds)
        with self._runtime.lock:
            self._end(problem)

    def _problem(self) -> str | None:
        """Do the work; the Message of a FAILED job if it cannot be done."""
        job = self._job
        self._doing = "NO_READ_ACCESS_TO_INPUT: The role {role} cannot read the input: {error}"
        try:
            self._carry_out(self._runtime.s3(self._scope, role_arn=job.role_arn, source_arn=job.arn))
        except (ClientError, BotoCoreError) as error:
            return self._doing.format(role=job.role_arn, error=error)
        except InvalidJobInputError as error:
            return str(error)
        except WorkerDiedError as error:
            return f"An internal error occurred: {error}"
        finally:
            if job.folder.exists():
                shutil.rmtree(job.folder)
        return None

    def _carry_out(self, client: S3Client) -> None:
        job, settings = self._job, self._settings
        job.folder.mkdir(parents=True)
        input_ = JobInput(
            files=tuple(self._downloaded(client)),
            format=job.input_format,
            maximum_documents=settings.maximum_job_documents,
        )
        archive = job.folder / "output.tar.gz"
        self._runtime.workers.run(job.kind.predict(settings), input_, job.model.path, archive)
        self._doing = "NO_WRITE_ACCESS_TO_OUTPUT: The role {role} cannot write the output: {error}"
        bucket, key = bucket_and_key(job.archive_uri)
        encryption = encrypted_with(job.request["OutputDataConfig"].get("KmsKeyId"))
        with archive.open("rb") as body:
            client.put_object(Bucket=bucket, Key=key, Body=body, **encryption)

    def _downloaded(self, client: S3Client) -> Iterator[InputFile]:
        for number, object_ in enumerate(self._checked_objects(client)):
            path = self._job.folder / f"{number}.txt"
            object_.download(client, path)
            yield InputFile(path=path, name=name_below(object_, self._job.input_uri))

    def _checked_objects(self, client: S3Client) -> list[S3Object]:
        """The input's objects, held against the quotas before any is read."""
        settings, found = self._settings, list[S3Object]()
        total = 0
        for object_ in objects(client, self._job.input_uri):
            total += object_.size
            if total > settings.maximum_job_bytes:
                raise InvalidJobInputError(f"The input is larger than the limit of {settings.maximum_job_bytes} bytes.")
            if self._job.input_format == ONE_DOC_PER_FILE and object_.size > settings.maximum_job_file_bytes:
                raise InvalidJobInputError(
                    f"{object_.key} is larger than {settings.maximum_job_file_bytes} bytes, the limit of a file "
                    f"with {ONE_DOC_PER_FILE}."
                )
            found.append(object_)
            if len(found) > settings.maximum_job_documents:
                raise InvalidJobInputError(f"The input has more than {settings.maximum_job_documents} files.")
        if not found:
            raise InvalidJobInputError(f"No object begins with {self._job.input_uri}.")
        return found

    def _end(self, problem: str | None) -> None:
        job = self._job
        job.ended, job.message = self._runtime.now(), problem
        if job.status is JobStatus.STOP_REQUESTED:
            job.status = JobStatus.STOPPED
        else:
            job.status = JobStatus.FAILED if problem else JobStatus.COMPLETED
