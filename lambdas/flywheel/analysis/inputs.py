"""Lists a job's folder: the versions of its files, its options, and the run that they identify."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from flywheel.analysis.errors import InvalidOptions, NoInput
from flywheel.records.analyses import OPTIONS, InputFile, JobOptions, input_folder

if TYPE_CHECKING:
    from flywheel.records.analyses import AnalysisBeginning
    from flywheel.store.bucket import IntakeBucket


@dataclass(frozen=True, kw_only=True)
class JobInput:
    job: str
    run: str
    """A hash of the versions: uploading a file, or job.json, again makes another run."""
    files: int
    """Without job.json."""
    options: InputFile | None
    newest: datetime | None
    """When the newest object was written; None if the folder is empty."""

    @property
    def objects(self) -> int:
        return self.files + (self.options is not None)

    def read_options(self, intake: IntakeBucket) -> JobOptions:
        """Raises InvalidOptions, and NoInput if there are no other files."""
        if not self.files:
            raise NoInput(input_folder(self.job))
        if self.options is None:
            return JobOptions()
        with intake.open(self.options.key, version_id=self.options.version_id) as stream:
            content = stream.read()
        try:
            return JobOptions.model_validate_json(content.strip() or b"{}")
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidOptions(self.options.key, f"{where}: {first['msg']}" if where else first["msg"]) from error

    def supersedes(self, beginning: AnalysisBeginning) -> bool:
        """Whether files came after a run began. If objects were only deleted since, the run stays valid."""
        if self.newest is None or self.run == beginning.run:
            return False
        return self.newest > beginning.newest or self.objects >= beginning.objects


def find_input(intake: IntakeBucket, job: str, *, into: list[InputFile] | None = None) -> JobInput:
    """List the current versions, in the order of their keys. The files are appended to `into`; without it memory does
    not grow with the job.

    Empty objects whose key ends in a slash are left out: consoles create them to show folders.
    """
    folder = input_folder(job)
    digest = hashlib.sha256(job.encode())
    files = 0
    options: InputFile | None = None
    newest: datetime | None = None
    for version, is_marker in intake.list_versions(folder):
        if is_marker or not version["IsLatest"]:
            continue
        key, version_id, size = version["Key"], version["VersionId"], int(version["Size"])
        if key.endswith("/") and not size:
            continue
        came = version["LastModified"]
        newest = came if newest is None else max(newest, came)
        digest.update(f"\n{key}\n{version_id}".encode())
        file = InputFile(key=key, version_id=version_id, size=size)
        if key == f"{folder}{OPTIONS}":
            options = file
            continue
        files += 1
        if into is not None:
            into.append(file)
    return JobInput(job=job, run=digest.hexdigest()[:16], files=files, options=options, newest=newest)
