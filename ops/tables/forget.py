"""The answer of `flywheel forget`."""

from __future__ import annotations

from ops.tables.exclude import stays_words
from ops.tables.figures import count
from ops.verbs.forget import Forgotten


def forgotten_sentence(forgotten: Forgotten) -> str:
    """What was deleted, and what cannot be taken back."""
    where = [
        *([count(forgotten.deleted, "object") + " of the review queue"] if forgotten.deleted else []),
        *([count(forgotten.predictions, "kept prediction")] if forgotten.predictions else []),
    ]
    sentences = [f"Deleted for good: {' and '.join(where) or 'nothing, the text was not there'}."]
    if forgotten.excluded:
        with_it = count(forgotten.excluded, "document with the text is", "documents with the text are")
        sentences.append(f"{with_it} left out of the next datasets and of the next generation.")
    if forgotten.in_datasets:
        sentences.append(stays_words(forgotten.in_datasets))
        sentences.append("Models that were trained on them stay as they are until they are deleted.")
    if forgotten.excluded:
        sentences.append(
            "Files that it was uploaded in, and what was prepared of them, are not changed: delete those from the "
            "bucket, with their versions."
        )
    if not forgotten.text_known:
        sentences.append("Its text is not known any more: to find it in uploads, give the text.")
    return " ".join(sentences)
