"""How many documents of a turn's uploads came from people's review, and by whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flywheel.records.review import Batch, batch_key, batch_of_upload
from flywheel.records.turns import ReviewedDocuments

if TYPE_CHECKING:
    from flywheel.records.uploads import Upload
    from flywheel.store.bucket import IntakeBucket

_NAMED = 5


def reviewed_documents(uploads: Iterable[Upload], *, intake: IntakeBucket) -> ReviewedDocuments | None:
    """As they were published: some may have been copies, or may wait for a dataset. None if none came from review."""
    files = {
        (upload.split, batch)
        for upload in uploads
        for file in upload.files
        if (batch := batch_of_upload(file.key)) is not None
    }
    items = [
        item
        for split, batch in sorted(files)
        if (found := intake.read(batch_key(batch), Batch)) is not None
        for item in found.items
        if item.split is split
    ]
    if not items:
        return None
    reviewers = Counter(by for item in items for by in item.by)
    return ReviewedDocuments(documents=len(items), reviewers=dict(reviewers.most_common()))


def reviewed_sentence(reviewed: ReviewedDocuments) -> str:
    named = [f"{by.rsplit('/', 1)[-1]} ({count:,})" for by, count in list(reviewed.reviewers.items())[:_NAMED]]
    more = f" and {len(reviewed.reviewers) - _NAMED} more" if len(reviewed.reviewers) > _NAMED else ""
    documents = "1 document" if reviewed.documents == 1 else f"{reviewed.documents:,} documents"
    return f"{documents} came from review, by {', '.join(named)}{more}."
