"""Records of uploads and of what was made of them."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from enum import StrEnum

from flywheel.record import Record


class Split(StrEnum):
    """What a document is used for; the value is the prefix in the intake bucket."""

    TRAIN = "train"
    TEST = "test"

    @property
    def dataset_type(self) -> str:
        """Comprehend's DatasetType."""
        return self.value.upper()


class Upload(Record):
    """One version of a file that someone dropped."""

    key: str
    split: Split
    version_id: str
    etag: str
    size: int
    last_modified: datetime

    @property
    def name(self) -> str:
        return self.key.rsplit("/", 1)[-1]

    @property
    def id(self) -> str:
        """Readable, unique for each version of each key, safe in a key."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", self.name)[:60].strip("-.") or "upload"
        version = f"{self.key} {self.version_id}".encode()
        return f"{readable}-{hashlib.sha256(version).hexdigest()[:12]}"


class UploadOutcome(StrEnum):
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    """Its documents are already in a dataset, or already wait for one."""
    GONE = "gone"
    """Its version was deleted for good before it was read."""


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
    bad_lines: dict[str, int] = {}
    """How many lines broke each rule."""
    examples: tuple[BadLine, ...] = ()
    content_hash: str | None = None
    report_key: str | None = None


class UploadSource(Record):
    """Where a part came from."""

    key: str
    version_id: str
    last_modified: datetime


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
