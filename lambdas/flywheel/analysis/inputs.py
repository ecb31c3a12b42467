"""What lies in a job's folder: its files by version, its options, and the name of the run that they make."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from flywheel.analysis.errors import InvalidOptions, NoInput
from flywheel.analysis.jobs import OPTIONS, InputFile, JobOptions, input_folder

if TYPE_CHECKING:
    from flywheel.analysis.jobs import AnalysisBeginning
    from flywheel.intake import IntakeBucket


@dataclass(frozen=True, kw_only=True)
class JobInput:
    job: str
    files: tuple[InputFile, ...]
    """In the order of their keys, without the options."""
    options: InputFile | None
    newest: datetime | None
    """When the last of them came; None if there is nothing."""

    @property
    def run(self) -> str:
        """Made of the versions: a file that is uploaded again, or job.json, makes another run."""
        digest = hashlib.sha256(self.job.encode())
        for file in (*self.files, *([self.options] if self.options else [])):
            digest.update(f"\n{file.key}\n{file.version_id}".encode())
        return digest.hexdigest()[:16]

    def read_options(self, intake: IntakeBucket) -> JobOptions:
        """Raises InvalidOptions, and NoInput if the options are all there is."""
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
        """Whether files came after a run began. Files that were only taken away since do not make it another job."""
        if self.newest is None or self.run == beginning.run:
            return False
        return self.newest > beginning.newest or len(self.files) >= beginning.files


def find_input(intake: IntakeBucket, job: str) -> JobInput:
    """The present versions. Objects of no size whose key ends in a slash are folder marks of consoles."""
    folder = input_folder(job)
    files: list[InputFile] = []
    options: InputFile | None = None
    newest: datetime | None = None
    for version, is_marker in intake.list_versions(folder):
        if is_marker or not version["IsLatest"]:
            continue
        file = InputFile(key=version["Key"], version_id=version["VersionId"], size=int(version["Size"]))
        if file.key.endswith("/") and not file.size:
            continue
        came = version["LastModified"]
        newest = came if newest is None else max(newest, came)
        if file.key == f"{folder}{OPTIONS}":
            options = file
        else:
            files.append(file)
    return JobInput(
        job=job, files=tuple(sorted(files, key=lambda file: file.key.encode())), options=options, newest=newest
    )
