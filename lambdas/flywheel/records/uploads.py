"""Records of uploads and of what was made of them."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from enum import StrEnum

from flywheel.store.record import Record

_STORED_NAME_BYTES = 200
"""Of 1,024 in a key of S3, and of 255 in a file's name."""
_SUFFIX_BYTES = 20


class Split(StrEnum):
    """What a document is used for; the value is the prefix in the intake bucket."""

    TRAIN = "train"
    TEST = "test"

    @property
    def dataset_type(self) -> str:
        """Comprehend's DatasetType."""
        return self.value.upper()


class UploadSource(Record):
    """A version of an upload, where only its identity matters."""

    key: str
    version_id: str
    last_modified: datetime


class Upload(Record):
    """One version of a file that someone dropped."""

    key: str
    split: Split
    version_id: str
    etag: str
    size: int
    last_modified: datetime
    replaced_by: UploadSource | None = None
    """Of a version that no turn took in: the next one of its key."""

    @property
    def name(self) -> str:
        return self.key.rsplit("/", 1)[-1]

    @property
    def id(self) -> str:
        """Readable, unique for each version of each key, safe in a key."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", self.name)[:60].strip("-.") or "upload"
        version = f"{self.key} {self.version_id}".encode()
        return f"{readable}-{hashlib.sha256(version).hexdigest()[:12]}"

    @property
    def stored_name(self) -> str:
        """`name`, if it is a file name everywhere: at most 200 bytes, as a name of 1,000 would make a key too long."""
        name = self.name if self.name not in {"", ".", ".."} else "upload"
        if len(name.encode()) <= _STORED_NAME_BYTES:
            return name
        stem, dot, suffix = name.rpartition(".")
        ending = f"{dot}{suffix}" if stem and len(suffix.encode()) <= _SUFFIX_BYTES else ""
        room = _STORED_NAME_BYTES - len(ending.encode())
        return name.encode()[:room].decode(errors="ignore") + ending


class UploadOutcome(StrEnum):
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    """Its documents are already in a dataset, or already wait for one."""
    GONE = "gone"
    """Its version was deleted for good before it was read."""
    UNREADABLE = "unreadable"
    """S3 does not hand it out: it stays where it is, and only an operator's turn tries it again."""


class BadLine(Record):
    """One spelled-out problem; `line` is 1-based, None when it is about the whole file."""

    rule: str
    message: str
    fix: str
    line: int | None = None
    excerpt: str | None = None


class UploadResult(Record):
    upload: Upload
    outcome: UploadOutcome
    reason: str
    """One sentence for people."""
    documents: int = 0
    labels: dict[str, int] = {}
    """Documents by label combination, joined with LABEL_SEPARATOR_IN_RECORDS."""
    duplicates: int = 0
    conflicts: int = 0
    """Documents whose text came before in the file with other labels: kept, or among the bad lines."""
    conflict_examples: tuple[BadLine, ...] = ()
    """Of those that were kept."""
    bad_lines: dict[str, int] = {}
    """How many lines broke each rule."""
    examples: tuple[BadLine, ...] = ()
    content_hash: str | None = None
    report_key: str | None = None


class Part(Record):
    """Valid documents with one content hash, waiting for a dataset: `facts.json`."""

    content_hash: str
    split: Split
    documents: int
    bytes: int
    labels: dict[str, int]
    delimiter: str
    """What joins the labels of a document in the CSV; empty in MULTI_CLASS mode, where a document has one."""
    sources: tuple[UploadSource, ...]
    prepared_at: datetime


def rejected_folder(upload: Upload) -> str:
    return f"rejected/{upload.id}/"


def original_key(upload: Upload) -> str:
    """Where a file that is rejected whole lies. Not under its name: with it the key could be longer than S3 takes."""
    return f"{rejected_folder(upload)}original/{upload.stored_name}"


def report_key(upload: Upload) -> str:
    return f"{rejected_folder(upload)}report.json"
