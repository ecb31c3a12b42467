"""The output of a classification job: a line for each document.

Sources: "Outputs for asynchronous analysis jobs" of the developer guide, and the AWS CLI's example of
start-document-classification-job, both with scores of four decimals.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.comprehend.jobs.archive import packed
from local.comprehend.jobs.job_input import InputDocument, JobInput

MEMBER = "predictions.jsonl"


def classify_documents(input_: JobInput, path: Path, archive: Path, *, classes: int) -> None:
    """Predict with the model at ``path``, chunk by chunk, and write ``archive``; raises InvalidJobInputError.

    A multi-class model names at most ``classes`` classes of a document, a multi-label one every label.
    """
    # Only worker processes pay for loading scikit-learn.
    from local.comprehend.document_classification.classifier import Classifier

    model = Classifier.load(path)
    kept = None if model.multi_label else classes
    with packed(archive, member=MEMBER) as lines:
        for chunk in input_.chunks():
            for document, scored in zip(chunk, model.scored([one.text for one in chunk]), strict=True):
                record = _record(document, scored[:kept], member="Labels" if model.multi_label else "Classes")
                lines.write(f"{json.dumps(record)}\n")


def _record(document: InputDocument, scored: Sequence[tuple[str, float]], *, member: str) -> dict[str, Any]:
    # Classification writes the line as a string, entity recognition as a number.
    line = {} if document.line is None else {"Line": str(document.line)}
    return {
        "File": document.file,
        **line,
        member: [{"Name": label, "Score": round(score, 4)} for label, score in scored],
    }
