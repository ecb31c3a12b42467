"""`python -m local suspect-labels`: labels of training documents that a model, which has not seen them, contradicts.

The documents are split into folds; each is answered by a model of the others, trained on this machine. The most certain
contradictions enter the review queue: a person says who is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.console import Console

from flywheel.comprehend.model_kind import ModelType, Prediction, Task
from flywheel.preparation import LabelledDocument, Problem
from flywheel.records.predictions import text_digest
from flywheel.records.review import ItemSource, Lane, Proposal, WaitingItem, rank_of_margin
from flywheel.review.add_item import add
from ops.deployment.clients import Clients
from ops.deployment.errors import FileError, OperatorError
from ops.deployment.published import Deployment, find_deployment

FOLDS = 5
_LEAST_DOCUMENTS = 20

Answer: TypeAlias = Callable[[str], Prediction]
Filed: TypeAlias = tuple[str, LabelledDocument]
"""A document, and the name of its file."""


@dataclass(frozen=True, kw_only=True)
class Suspect:
    document: LabelledDocument
    file: str
    prediction: Prediction

    @property
    def item(self) -> WaitingItem:
        now = datetime.now(UTC)
        return WaitingItem(
            text=self.document.text,
            source=ItemSource.TRAINING_DATA,
            suggestion=self.prediction.suggestion(model_arn=None),
            proposals=(Proposal(by=f"{self.file}, line {self.document.line}", at=now, labels=self.document.labels),),
            at=now,
        )

    @property
    def rank(self) -> int:
        """The most certain contradiction first."""
        return rank_of_margin(1 - self.prediction.margin)


def register(app: typer.Typer) -> None:
    app.command()(suspect_labels)


def suspect_labels(
    files: Annotated[list[Path], typer.Argument(help="Training files, as they were uploaded.", show_default=False)],
    name: Annotated[str | None, typer.Option(help="Which flywheel. Default: as for `flywheel`.")] = None,
    most: Annotated[int, typer.Option(min=1, help="So many documents at most enter the review queue.")] = 100,
) -> None:
    """Put training documents before reviewers whose labels look wrong to models trained on the others."""
    console = Console()
    try:
        deployment = find_deployment(Clients.connect(), name=name)
        with console.status(f"Training {FOLDS} models on this machine"):
            task = Task(labels=deployment.labels, multi_label=deployment.multi_label)
            documents = [each for path in files for each in _read(deployment, path, task)]
            found = find_suspects(documents, model_type=deployment.published.model_type, multi_label=task.multi_label)
        for suspect in found[:most]:
            add(suspect.item, lane=Lane.CONTRADICTED, rank=suspect.rank, intake=deployment.intake)
    except OperatorError as error:
        raise typer.BadParameter(str(error)) from error
    console.print(f"{min(most, len(found))} of {len(found)} doubtful documents wait for `flywheel review`.")


def find_suspects(documents: Sequence[Filed], *, model_type: ModelType, multi_label: bool) -> list[Suspect]:
    """The most certain contradiction first. Raises FileError for too few documents."""
    if len(documents) < _LEAST_DOCUMENTS:
        raise FileError(f"The files have {len(documents)} documents; {_LEAST_DOCUMENTS} are needed to train on.")
    # By the text, so that no model is asked about a text that it has seen.
    folds: list[list[Filed]] = [[] for _ in range(FOLDS)]
    for file, document in documents:
        folds[int(text_digest(document.text), 16) % FOLDS].append((file, document))
    answered = [_ask(others, texts, model_type=model_type, multi_label=multi_label) for others, texts in _rounds(folds)]
    found = [
        Suspect(document=document, file=file, prediction=prediction)
        for fold, predictions in zip(folds, answered, strict=True)
        for (file, document), prediction in zip(fold, predictions, strict=True)
        if frozenset(prediction.labels) != frozenset(document.labels)
    ]
    return sorted(found, key=lambda suspect: -suspect.prediction.margin)


def _read(deployment: Deployment, path: Path, task: Task) -> Iterator[Filed]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from error
    read = deployment.kind.read_documents(content, task=task, delimiter=deployment.published.label_delimiter)
    if isinstance(read, Problem):
        where = f"{path}, line {read.line}" if read.line else str(path)
        raise FileError(f"{where}: {read.message} {read.fix}")
    return ((path.name, document) for document in read)


def _rounds(folds: Sequence[Sequence[Filed]]) -> Iterator[tuple[list[LabelledDocument], list[str]]]:
    """What a model is trained on, and the texts that it is asked about."""
    for number, asked in enumerate(folds):
        others = [document for place, fold in enumerate(folds) if place != number for _, document in fold]
        yield others, [document.text for _, document in asked]


def _ask(
    documents: Sequence[LabelledDocument], texts: Sequence[str], *, model_type: ModelType, multi_label: bool
) -> list[Prediction]:
    train = _recognizer if model_type is ModelType.ENTITY_RECOGNIZER else partial(_classifier, multi_label=multi_label)
    answer = train(documents)
    return [answer(text) for text in texts]


def _classifier(documents: Sequence[LabelledDocument], *, multi_label: bool) -> Answer:
    from flywheel.document_classification.answer import Classification
    from local.comprehend.document_classification.classifier import train
    from local.comprehend.document_classification.training_data import Document

    model = train([Document(labels=each.labels, text=each.text) for each in documents], multi_label=multi_label)
    return lambda text: Classification.of(model.scored([text])[0], multi_label=multi_label)


def _recognizer(documents: Sequence[LabelledDocument]) -> Answer:
    from flywheel.entity_recognition.answer import RecognizedEntities
    from flywheel.spans import Span
    from local.comprehend.entity_recognition.entities import Entity
    from local.comprehend.entity_recognition.recognizer import train
    from local.comprehend.entity_recognition.training_data import Document

    def annotated(each: LabelledDocument) -> Document:
        spans = sorted(map(Span.of_label, each.labels))
        return Document(
            text=each.text,
            entities=tuple(Entity(begin=span.begin, end=span.end, type=span.type) for span in spans),
        )

    model = train([annotated(each) for each in documents])

    def answer(text: str) -> Prediction:
        found = model.find(text)
        return RecognizedEntities.of(
            text, [(Span(each.entity.begin, each.entity.end, each.entity.type), each.score) for each in found]
        )

    return answer
