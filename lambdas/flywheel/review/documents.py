"""Answers as documents of an upload: what is checked of an answer is what the preparation of uploads checks."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flywheel.preparation import RepeatedDocuments, SourceFile, UploadOptions
from flywheel.records.exclusions import DocumentId
from flywheel.records.parts import as_numbers
from flywheel.review.errors import InvalidAnswer

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind, Task

LABEL_DELIMITER = "\x1f"
"""Joins the labels of a document where nothing is stored."""
_NAME = "review.jsonl"
_OPTIONS = UploadOptions(repeated_documents=RepeatedDocuments.KEEP, maximum_bad_lines_percent=0)


def check_answer(text: str, labels: Sequence[str], *, kind: ModelKind, task: Task) -> None:
    """Raises InvalidAnswer, which says what is wrong."""
    try:
        line = kind.upload_line(text, labels, {})
    except ValueError as error:
        raise InvalidAnswer(str(error)) from error
    problem = _prepare([line], kind=kind, task=task)
    if isinstance(problem, str):
        raise InvalidAnswer(problem)


def document_ids(lines: Sequence[str], *, kind: ModelKind, task: Task) -> list[DocumentId | None]:
    """By which each line of an upload can be excluded; None of a line that its preparation would refuse."""
    together = _prepare(lines, kind=kind, task=task)
    if not isinstance(together, str):
        return list(together)
    each = [_prepare([line], kind=kind, task=task) for line in lines]
    return [None if isinstance(found, str) else found[0] for found in each]


def _prepare(lines: Sequence[str], *, kind: ModelKind, task: Task) -> list[DocumentId] | str:
    """The documents of an upload, one for each line, or the first problem."""
    content = "".join(lines).encode(errors="surrogatepass")
    texts, labels = io.BytesIO(), io.BytesIO()
    with Path(os.devnull).open("wb") as nowhere:
        found = kind.prepare(
            files=[SourceFile(_NAME, len(content), lambda: io.BytesIO(content))],
            name=_NAME,
            sink=nowhere,
            hashes=texts,
            label_hashes=labels,
            bad_lines=nowhere,
            task=task,
            delimiter=LABEL_DELIMITER,
            options=_OPTIONS,
        )
    if found.examples:
        return found.examples[0].message
    if found.file_problem is not None:
        return found.file_problem.message
    return list(zip(as_numbers(texts.getvalue()), as_numbers(labels.getvalue()), strict=True))
