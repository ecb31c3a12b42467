"""The output of a job of any kind: ``output.tar.gz`` with one file of JSON lines."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from local.comprehend.storage import bucket_and_key


def archive_uri(*, requested: str, account: str, mark: str, job_id: str) -> str:
    """Where the archive of a job comes to lie, below the place it was asked for. ``mark`` stands for the job's kind."""
    bucket, prefix = bucket_and_key(requested)
    folder = "/".join(filter(None, [bucket, prefix.rstrip("/")]))
    return f"s3://{folder}/{account}-{mark}-{job_id}/output/output.tar.gz"


@contextmanager
def packed(archive: Path, *, member: str) -> Iterator[TextIO]:
    """A file to write lines to; afterwards the archive holds it under the name ``member``."""
    path = archive.with_name(member)
    with path.open("w", encoding="utf-8") as lines:
        yield lines
    with tarfile.open(archive, "w:gz") as archived:
        archived.add(path, arcname=member)
