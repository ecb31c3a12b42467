"""Records of uploads and of their preparation; and their keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from flywheel.store.record import Record

_STORED_NAME_BYTES = 200
"""An S3 key may have 1,024 bytes, a file name 255."""
_SUFFIX_BYTES = 20


class Split(StrEnum):
    """What a document is used for; the value is the prefix in the intake bucket."""

    TRAIN = "train"
    TEST = "test"

    @property
    def dataset_type(self) -> str:
        """Comprehend's DatasetType."""
        return self.value.upper()


class DocumentForm(StrEnum):
    """How prepared documents are stored, one a line; the value ends the names of their files."""

    CSV = "csv"
    """Labels and text, as Comprehend takes them."""
    JSON_LINES = "jsonl"
    """Text and annotations, as in an augmented manifest."""


class UploadSource(Record):
    """Identifies a version of an upload."""

    key: str
    version_id: str
    last_modified: datetime


class UploadedFile(Record):
    """One version of a file in a folder whose files belong together."""

    key: str
    version_id: str
    etag: str
    size: int
    last_modified: datetime


class Upload(Record):
    """One version of an uploaded file; or of a folder, whose key ends in a slash, with the versions of its files."""

    key: str
    split: Split
    version_id: str
    """A folder's is made of those of its files."""
    etag: str
    size: int
    last_modified: datetime
    """A folder's newest."""
    folder: tuple[UploadedFile, ...] = ()
    """The files of a folder; empty of a single file."""
    replaced_by: UploadSource | None = None
    """The next version of the same key, if it came before a turn collected this one."""

    @classmethod
    def of_folder(cls, key: str, files: Sequence[Upload]) -> Upload:
        """`files` are at least one, and of one split."""
        ordered = sorted(files, key=lambda file: file.key)
        versions = "\n".join(f"{file.key} {file.version_id}" for file in ordered)
        return cls(
            key=key,
            split=ordered[0].split,
            version_id=hashlib.sha256(versions.encode()).hexdigest(),
            etag="",
            size=sum(file.size for file in ordered),
            last_modified=max(file.last_modified for file in ordered),
            folder=tuple(file.files[0] for file in ordered),
        )

    @property
    def without_files(self) -> Upload:
        """For messages and records that have no room for the files of a folder."""
        return self.model_copy(update={"folder": ()})

    @property
    def files(self) -> tuple[UploadedFile, ...]:
        """Those of a folder, or the one."""
        alone = UploadedFile(
            key=self.key,
            version_id=self.version_id,
            etag=self.etag,
            size=self.size,
            last_modified=self.last_modified,
        )
        return self.folder or (alone,)

    def name_of(self, file: UploadedFile) -> str:
        """As reports call it: relative to the folder."""
        return file.key.removeprefix(self.key) if self.folder else self.name

    @property
    def name(self) -> str:
        return self.key.rstrip("/").rsplit("/", 1)[-1]

    @property
    def id(self) -> str:
        """Readable, different for each version of each key, and safe in an S3 key."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", self.name)[:60].strip("-.") or "upload"
        version = f"{self.key} {self.version_id}".encode()
        return f"{readable}-{hashlib.sha256(version).hexdigest()[:12]}"


def stored_name(name: str) -> str:
    """`name` as every file system takes it: at most 200 bytes, so that no key made of it is too long."""
    name = name if name not in {"", ".", ".."} else "upload"
    if len(name.encode()) <= _STORED_NAME_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    ending = f"{dot}{suffix}" if stem and len(suffix.encode()) <= _SUFFIX_BYTES else ""
    room = _STORED_NAME_BYTES - len(ending.encode())
    return name.encode()[:room].decode(errors="ignore") + ending


class IncompleteFolder(Record):
    """A folder that waits for some of its files."""

    upload: Upload
    missing: str
    """What is missing, in words."""


class UploadOutcome(StrEnum):
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    """Its documents are already in a dataset, or already wait for one."""
    GONE = "gone"
    """Its version was permanently deleted before it was read."""
    UNREADABLE = "unreadable"
    """S3 refuses to return it. It stays where it is, and only a turn that an operator requests tries it again."""


class BadLine(Record):
    """One problem in words. `line` is 1-based; None if the problem concerns the whole file."""

    rule: str
    message: str
    fix: str
    line: int | None = None
    excerpt: str | None = None
    file: str | None = None
    """That the line is of, in a folder."""


MOST_COMBINATIONS = 1_000
"""Of labels, in the result of an upload. Each of a million documents may have one of its own; the Part has all."""


class UploadResult(Record):
    upload: Upload
    outcome: UploadOutcome
    reason: str
    """One sentence for people."""
    documents: int = 0
    labels: dict[str, int] = {}
    """Documents by label combination, joined with LABEL_SEPARATOR_IN_RECORDS; empty if there are more than
    MOST_COMBINATIONS of them."""
    duplicates: int = 0
    conflicts: int = 0
    """Documents whose text came earlier in the file with other labels: accepted, or among the bad lines."""
    conflict_examples: tuple[BadLine, ...] = ()
    """Examples of the accepted ones."""
    bad_lines: dict[str, int] = {}
    """How many lines broke each rule."""
    examples: tuple[BadLine, ...] = ()
    remarks: dict[str, int] = {}
    """How many things were taken and are worth knowing, by rule."""
    remark_examples: tuple[BadLine, ...] = ()
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
    """Joins the labels of a document in the CSV. Empty in MULTI_CLASS mode, where a document has one label."""
    form: DocumentForm = DocumentForm.CSV
    sources: tuple[UploadSource, ...]
    prepared_at: datetime


REJECTED = "rejected/"


def rejected_folder(upload: Upload) -> str:
    return f"{REJECTED}{upload.id}/"


def original_keys(upload: Upload) -> list[tuple[UploadedFile, str]]:
    """The files of a rejected upload with the keys of their copies. These end in `stored_name`, because a key with the
    full name could be too long for S3; a number keeps apart files of a folder that differ in what is cut off."""
    folder = f"{rejected_folder(upload)}original/"
    names = [stored_name(upload.name_of(file).replace("/", "-")) for file in upload.files]
    return [
        (file, f"{folder}{name}" if names.count(name) == 1 else f"{folder}{number}-{name}")
        for number, (file, name) in enumerate(zip(upload.files, names, strict=True))
    ]


def report_key(upload: Upload) -> str:
    return f"{rejected_folder(upload)}report.json"
