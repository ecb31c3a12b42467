"""Live answers and a job for documents of the user's own, after a walk."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from rich.console import Console

from flywheel.comprehend.model_kind import Task
from flywheel.model_kinds import kind_of
from flywheel.preparation import LabelledDocument, Problem, UploadOptions
from local import batch, live
from local.cloud import LocalCloud, LocalCloudError
from local.walk import Walk
from ops.tables.classify import answers_table
from ops.verbs.classify import ClassifiedText, RecognizedText
from ops.verbs.file_labels import FileLabels
from ops.verbs.validate import source_files

_BYTES_READ = 1_000_000
_JOB_DOCUMENTS = 200
_LIVE_TEXTS = 6
_SHORT_TEXT = 200
"""In characters: such texts fit a table, and the throughput of the endpoint."""
_LONGEST_TEXT = 5_000
"""In bytes: what an endpoint of either kind takes."""


class _Beginning(BytesIO):
    """Keeps the first so many bytes of what is written, up to a line's end."""

    def write(self, data: Any, /) -> int:
        if self.tell() < _BYTES_READ:
            super().write(data)
        return len(data)

    def lines(self) -> bytes:
        content = self.getvalue()[:_BYTES_READ]
        return content[: content.rfind(b"\n") + 1]


def read_documents(paths: Sequence[Path], settings: FileLabels, *, label_delimiter: str) -> list[LabelledDocument]:
    """The first documents of the files, as the pipeline prepares them: a megabyte of each file or folder."""
    kind = kind_of(settings.model_type)
    task = Task(labels=settings.labels, multi_label=settings.mode == "MULTI_LABEL")
    found: list[LabelledDocument] = []
    for path in paths:
        documents, nowhere = _Beginning(), [_Beginning() for _ in range(3)]
        kind.prepare(
            files=source_files(path),
            name=path.name,
            sink=documents,
            hashes=nowhere[0],
            label_hashes=nowhere[1],
            bad_lines=nowhere[2],
            task=task,
            delimiter=label_delimiter,
            options=UploadOptions(),
        )
        read = kind.read_documents(documents.lines(), task=task, delimiter=label_delimiter)
        if not isinstance(read, Problem):
            found += read
    return found


def answer_live(console: Console, cloud: LocalCloud, walk: Walk, documents: Sequence[LabelledDocument]) -> None:
    """Ask a new endpoint about a few of the documents, and show its answers. Raises LocalCloudError."""
    fitting = [document for document in documents if len(document.text.encode()) <= _LONGEST_TEXT]
    short = [document for document in fitting if document.labels and len(document.text) <= _SHORT_TEXT]
    chosen = (short or fitting)[:_LIVE_TEXTS]
    with console.status("The endpoint"):
        answers = live.classified(live.serve(cloud, walk.deployment), [document.text for document in chosen])
    console.print(answers_table(answers))
    right = sum(
        set(labels_of(answer)) == set(document.labels) for document, answer in zip(chosen, answers, strict=True)
    )
    console.print(f"{right} of {len(chosen)} live answers are all that the file says of the text.")
    failed = [answer for answer in answers if not answer.answered]
    if failed:
        raise LocalCloudError(f"The API did not answer {failed[0].text!r}: {failed[0].message}")


def labels_of(answer: ClassifiedText) -> tuple[str, ...]:
    """As a prepared document has them: a recognizer's are spans, such as ``0:5:PERSON``."""
    if isinstance(answer, RecognizedText):
        return tuple(f"{one.begin}:{one.end}:{one.type}" for one in answer.entities)
    return answer.labels


def answer_job(console: Console, walk: Walk, documents: Sequence[LabelledDocument]) -> None:
    """Give some of the documents to an analysis job, and show what came of it. Raises LocalCloudError."""
    texts = [" ".join(document.text.split()) for document in documents[:_JOB_DOCUMENTS]]
    with tempfile.TemporaryDirectory() as folder, console.status("The job"):
        finished = batch.analyse(walk.deployment, texts, path=Path(folder) / "documents.txt")
        batch.show(console, finished)
    wrong = batch.differences(finished, documents=len(texts))
    if wrong:
        raise LocalCloudError(" ".join(wrong))
