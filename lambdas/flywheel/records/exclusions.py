"""Records of what people excluded from datasets: uploads, and single documents; and their keys.

That the object is there excludes; its content is for people. So whoever composes only lists keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.records.uploads import UploadSource
from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.records.uploads import Part
    from flywheel.store.bucket import IntakeBucket

EXCLUSIONS = "exclusions/"
EXCLUDED_UPLOADS = f"{EXCLUSIONS}uploads/"
EXCLUDED_DOCUMENTS = f"{EXCLUSIONS}documents/"
_DIGITS = 16
_ENDING = ".json"

DocumentId = tuple[int, int]
"""The digests of a document's text and of its labels, as in `hashes.bin` and `labels.bin`."""


class Exclusion(Record):
    """Why, by whom and when an upload or a document was excluded."""

    reason: str
    by: str
    at: datetime
    upload: UploadSource | None = None
    """None of a document."""


@dataclass(frozen=True, kw_only=True)
class Exclusions:
    """What is excluded at one moment."""

    uploads: frozenset[str] = frozenset()
    """Ids as of `Upload.id`."""
    documents: frozenset[DocumentId] = frozenset()

    def covers(self, part: Part) -> bool:
        """Whether every upload that the part came from is excluded."""
        return bool(part.sources) and all(source.id in self.uploads for source in part.sources)


def excluded_upload_key(upload_id: str) -> str:
    return f"{EXCLUDED_UPLOADS}{upload_id}{_ENDING}"


def excluded_document_key(document: DocumentId) -> str:
    text, labels = document
    return f"{EXCLUDED_DOCUMENTS}{text:0{_DIGITS}x}{labels:0{_DIGITS}x}{_ENDING}"


def read_exclusions(intake: IntakeBucket) -> Exclusions:
    uploads, documents = (_names(intake.keys(folder), folder) for folder in (EXCLUDED_UPLOADS, EXCLUDED_DOCUMENTS))
    return Exclusions(
        uploads=frozenset(uploads),
        documents=frozenset((int(name[:_DIGITS], 16), int(name[_DIGITS:], 16)) for name in documents),
    )


def _names(keys: Iterable[str], folder: str) -> Iterable[str]:
    return (key.removeprefix(folder).removesuffix(_ENDING) for key in keys)
