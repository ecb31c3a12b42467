"""Comprehend's calls and names for document classifiers, and the pipeline's rules for them.

All functions import this module at their start, so modules that only few of them need are imported where they are used.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from flywheel.comprehend.answers import required
from flywheel.comprehend.model_kind import (
    Answer,
    DatasetLimits,
    Model,
    ModelKind,
    StartedJob,
    Task,
)
from flywheel.confidence import NO_THRESHOLDS
from flywheel.document_classification.answer import Classification
from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS
from flywheel.records.decisions import LEAST_SUPPORT, Metrics
from flywheel.records.uploads import DocumentForm

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.real_time import RealTime
    from flywheel.confidence import Thresholds
    from flywheel.evaluation import ChosenThresholds, DifferenceInterval, Evaluation, Metric, Predictions
    from flywheel.evaluation.predictions import Readable
    from flywheel.preparation import LabelledDocument, Preparation, Problem, SourceFile, UploadOptions


DATASET_LIMITS = DatasetLimits(
    documents=1_000_000,
    bytes=5 * 1024**3,
    minimum_bytes=500,
    # A label and a text of one character, the comma and the line end.
    document_bytes=4,
)
"""Reference 3.3."""
MOST_LABELS = {"MULTI_CLASS": 1000, "MULTI_LABEL": 100}
"""Of a flywheel, by its mode."""


class _DocumentClassification:
    words = "document classifier"
    job_words = "classification job"
    counted = "documents"
    label_word = "label"
    arn_resource = "document-classifier"
    scalable_dimension = "comprehend:document-classifier-endpoint:DesiredInferenceUnits"
    dataset_limits = DATASET_LIMITS
    stored_form = DocumentForm.CSV
    takes_folders = False
    has_thresholds = True

    def task(self, config: Any) -> Task:
        found = config.get("DocumentClassificationConfig", {})
        return Task(labels=tuple(found.get("Labels", ())), multi_label=found.get("Mode") == "MULTI_LABEL")

    def task_of_model(self, properties: Any) -> Task:
        return Task(multi_label=properties.get("Mode") == "MULTI_LABEL")

    def dataset_input(self, *, s3_uri: str, delimiter: str | None) -> Any:
        source = {"S3Uri": s3_uri} | ({"LabelDelimiter": delimiter} if delimiter else {})
        return {"DataFormat": "COMPREHEND_CSV", "DocumentClassifierInputDataConfig": source}

    def describe_model(self, comprehend: ComprehendClient, model_arn: str) -> Any:
        answer = comprehend.describe_document_classifier(DocumentClassifierArn=model_arn)
        return required(answer, "DocumentClassifierProperties", of=f"model {model_arn}")

    def list_models(self, comprehend: ComprehendClient) -> Iterator[Any]:
        for page in comprehend.get_paginator("list_document_classifiers").paginate():
            yield from page.get("DocumentClassifierPropertiesList", [])

    def delete_model(self, comprehend: ComprehendClient, model_arn: str) -> None:
        comprehend.delete_document_classifier(DocumentClassifierArn=model_arn)

    def model(self, properties: Any) -> Model:
        return Model.of(properties, arn=required(properties, "DocumentClassifierArn", of="a model"))

    def label_difference(self, properties: Any, labels: Sequence[str]) -> str | None:
        """Comprehend gives the number of a classifier's labels, not their names."""
        count = properties.get("ClassifierMetadata", {}).get("NumberOfLabels")
        if count in (None, len(labels)):
            return None
        return f"it has {count} labels, and the setting labels names {len(labels)}"

    def training_metrics(self, properties: Any) -> Metrics | None:
        found = properties.get("ClassifierMetadata", {}).get("EvaluationMetrics")
        return Metrics.model_validate(found) if found else None

    def iteration_metrics(self, block: Any) -> Metrics:
        return Metrics.model_validate({key.removeprefix("Average"): value for key, value in block.items()})

    def start_job(self, comprehend: ComprehendClient, *, model_arn: str | None, request: dict[str, Any]) -> StartedJob:
        if model_arn:
            request = request | {"DocumentClassifierArn": model_arn}
        answer = comprehend.start_document_classification_job(**request)
        return StartedJob(
            id=required(answer, "JobId", of=f"job {request['JobName']}"),
            model_arn=answer.get("DocumentClassifierArn", model_arn),
        )

    def describe_job(self, comprehend: ComprehendClient, job_id: str) -> Any:
        answer = comprehend.describe_document_classification_job(JobId=job_id)
        return required(answer, "DocumentClassificationJobProperties", of=f"job {job_id}")

    def missing_parts(self, files: Sequence[SourceFile]) -> str | None:  # noqa: ARG002 - folders are none here
        return None

    def prepare(
        self,
        *,
        files: Sequence[SourceFile],
        name: str,
        sink: BinaryIO,
        hashes: BinaryIO,
        label_hashes: BinaryIO,
        bad_lines: BinaryIO,
        task: Task,
        delimiter: str,
        options: UploadOptions,
        combination_hashes: BinaryIO | None = None,  # noqa: ARG002 - the digest of the labels tells their combination
    ) -> Preparation:
        from flywheel.preparation import LabelRules, Limits, prepare

        found = prepare(
            source=files[0].open(),
            sink=sink,
            hashes=hashes,
            rules=LabelRules(labels=task.labels, multi_label=task.multi_label, delimiter=delimiter),
            limits=Limits.of(options),
            name=name,
            bad_lines=bad_lines,
            label_hashes=label_hashes,
        )
        if not task.multi_label:
            return found
        labels = {key.replace(delimiter, LABEL_SEPARATOR_IN_RECORDS): count for key, count in found.labels.items()}
        return replace(found, labels=labels)

    def read_documents(self, content: bytes, *, task: Task, delimiter: str) -> list[LabelledDocument] | Problem:
        from flywheel.preparation import AnyLabel, LabelRules, Limits, read_documents

        rules: LabelRules | AnyLabel = AnyLabel(multi_label=task.multi_label, delimiter=delimiter)
        if task.labels:
            rules = LabelRules(labels=task.labels, multi_label=task.multi_label, delimiter=delimiter)
        return read_documents(content, rules=rules, limits=Limits())

    def upload_line(self, text: str, labels: Sequence[str], members: Mapping[str, Any]) -> str:
        # In a list a label is taken as it stands, whatever characters it has.
        return json.dumps({"text": text, "labels": list(labels), **members}, ensure_ascii=False) + "\n"

    def labels_in(self, text: str, labels: Sequence[str], *, read_as: str) -> tuple[str, ...]:  # noqa: ARG002 - the labels are the whole text's
        return tuple(labels)

    def read_answers(
        self, archive: Readable, *, documents: int, task: Task, thresholds: Thresholds = NO_THRESHOLDS
    ) -> Predictions:
        from flywheel.evaluation import read_predictions

        return read_predictions(
            archive, documents=documents, labels=task.labels, multi_label=task.multi_label, thresholds=thresholds
        )

    def fit(
        self, truths: Sequence[tuple[str, ...]], answers: Predictions, *, task: Task
    ) -> tuple[Predictions, ChosenThresholds | None]:
        from flywheel.evaluation import fit_thresholds

        if not task.multi_label:
            return answers, None
        sets = [frozenset(true) for true in truths]
        return fit_thresholds(sets, answers, labels=task.labels, least_support=LEAST_SUPPORT)

    def evaluate(self, truths: Sequence[tuple[str, ...]], answers: Predictions, *, task: Task) -> Evaluation:
        from flywheel.evaluation import Tally

        tally = Tally(labels=task.labels, multi_label=task.multi_label)
        for true, predicted in zip(truths, answers.by_line, strict=True):
            tally.add(true=frozenset(true), predicted=predicted)
        return tally.evaluation()

    def gain(
        self,
        truths: Sequence[tuple[str, ...]],
        *,
        candidate: Predictions,
        active: Predictions,
        task: Task,
        metric: Metric,
        confidence_level: float,
    ) -> DifferenceInterval:
        from flywheel.evaluation import Outcome, difference_interval

        outcomes = Counter(
            Outcome(true=frozenset(true), candidate=mine, active=theirs)
            for true, mine, theirs in zip(truths, candidate.by_line, active.by_line, strict=True)
        )
        return difference_interval(
            outcomes,
            labels=task.labels,
            multi_label=task.multi_label,
            metric=metric,
            confidence_level=confidence_level,
        )

    def label_of(self, answered: str) -> str:
        return answered

    def answer(self, where: str, line: Any, *, low_confidence: float, thresholds: Thresholds) -> Answer:
        from flywheel.document_classification.answer import ClassifiedDocument
        from flywheel.evaluation.predictions import read_scores

        member = "Labels" if "Labels" in line else "Classes"
        return ClassifiedDocument(
            read_scores(where, member, line.get(member)),
            multi_label=member == "Labels",
            low_confidence=low_confidence,
            thresholds=thresholds,
        )

    def detect(self, comprehend: ComprehendClient, *, endpoint_arn: str, text: str) -> Classification:
        answer: Any = comprehend.classify_document(EndpointArn=endpoint_arn, Text=text)
        multi_label = "Labels" in answer
        found = answer["Labels"] if multi_label else answer.get("Classes", [])
        # Comprehend does not document the order of the scores.
        scores = ((item["Name"], item["Score"]) for item in found if "Name" in item and "Score" in item)
        return Classification.of(tuple(sorted(scores, key=lambda item: -item[1])), multi_label=multi_label)

    @property
    def real_time(self) -> RealTime:
        from flywheel.document_classification.real_time import REAL_TIME

        return REAL_TIME


DOCUMENT_CLASSIFICATION: ModelKind = _DocumentClassification()
