"""The output of an entities detection job: a line for each document, also for one without entities.

Source: "Outputs for asynchronous analysis jobs" of the developer guide. That the file is named ``output`` is commonly
seen, but not documented.
"""

from __future__ import annotations

import json
from pathlib import Path

from local.comprehend.entity_recognition.answers import entities_of
from local.comprehend.jobs.archive import packed
from local.comprehend.jobs.job_input import JobInput

MEMBER = "output"


def recognize_documents(input_: JobInput, path: Path, archive: Path) -> None:
    """Find entities with the model at ``path`` and write ``archive``; raises InvalidJobInputError."""
    # Only worker processes pay for loading the library.
    from local.comprehend.entity_recognition.recognizer import Recognizer

    model = Recognizer.load(path)
    with packed(archive, member=MEMBER) as lines:
        for chunk in input_.chunks():
            for document in chunk:
                # Entity recognition writes the line as a number, classification as a string.
                line = {} if document.line is None else {"Line": document.line}
                entities = entities_of(model.find(document.text), text=document.text)
                lines.write(f"{json.dumps({'File': document.file, **line, 'Entities': entities})}\n")
