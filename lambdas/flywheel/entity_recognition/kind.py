"""Comprehend's calls and names for entity recognizers, and the pipeline's rules for them.

All functions import this module at their start, so modules that only few of them need are imported where they are used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO

from flywheel.comprehend.answers import required
from flywheel.comprehend.model_kind import Answer, DatasetLimits, Model, ModelKind, StartedJob, Task
from flywheel.confidence import NO_THRESHOLDS
from flywheel.entity_recognition.answer import AnnotatedDocument, RecognizedEntities
from flywheel.records.decisions import Metrics
from flywheel.records.uploads import DocumentForm
from flywheel.spans import Span, labels_of_spans

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.real_time import RealTime
    from flywheel.confidence import Thresholds
    from flywheel.evaluation import DifferenceInterval, Evaluation, Metric, Predictions
    from flywheel.evaluation.predictions import Readable
    from flywheel.preparation import LabelledDocument, Preparation, Problem, SourceFile, UploadOptions


DATASET_LIMITS = DatasetLimits(
    documents=200_000,
    bytes=200_000_000,
    minimum_bytes=5_000,
    # A text of one character, and the line end.
    document_bytes=2,
    minimum_documents=3,
    counted="annotations",
)
"""Reference 3.2 and 3.3, in decimal units."""
MOST_FILES_LOOKED_INTO = 200
"""Of a folder, to see whether it is complete."""
ATTRIBUTE = "entities"
"""Of the augmented manifests that Comprehend gets."""


class _EntityRecognition:
    words = "entity recognizer"
    job_words = "entities detection job"
    counted = "annotations"
    label_word = "entity type"
    arn_resource = "entity-recognizer"
    scalable_dimension = "comprehend:entity-recognizer-endpoint:DesiredInferenceUnits"
    dataset_limits = DATASET_LIMITS
    stored_form = DocumentForm.JSON_LINES
    takes_folders = True
    has_thresholds = False

    def task(self, config: Any) -> Task:
        types = config.get("EntityRecognitionConfig", {}).get("EntityTypes", ())
        return Task(labels=tuple(found["Type"] for found in types if "Type" in found))

    def task_of_model(self, properties: Any) -> Task:
        types = properties.get("RecognizerMetadata", {}).get("EntityTypes", ())
        return Task(labels=tuple(found["Type"] for found in types if "Type" in found))

    def dataset_input(self, *, s3_uri: str, delimiter: str | None) -> Any:
        manifest = {"S3Uri": s3_uri, "AttributeNames": [ATTRIBUTE], "DocumentType": "PLAIN_TEXT_DOCUMENT"}
        return {"DataFormat": "AUGMENTED_MANIFEST", "AugmentedManifests": [manifest]}

    def describe_model(self, comprehend: ComprehendClient, model_arn: str) -> Any:
        answer = comprehend.describe_entity_recognizer(EntityRecognizerArn=model_arn)
        return required(answer, "EntityRecognizerProperties", of=f"model {model_arn}")

    def list_models(self, comprehend: ComprehendClient) -> Iterator[Any]:
        for page in comprehend.get_paginator("list_entity_recognizers").paginate():
            yield from page.get("EntityRecognizerPropertiesList", [])

    def delete_model(self, comprehend: ComprehendClient, model_arn: str) -> None:
        comprehend.delete_entity_recognizer(EntityRecognizerArn=model_arn)

    def model(self, properties: Any) -> Model:
        return Model.of(properties, arn=required(properties, "EntityRecognizerArn", of="a model"))

    def label_difference(self, properties: Any, labels: Sequence[str]) -> str | None:
        types = properties.get("RecognizerMetadata", {}).get("EntityTypes")
        found = {each["Type"] for each in types or () if "Type" in each}
        if not types or found == set(labels):
            return None
        return (
            f"it recognizes {', '.join(sorted(found))}, and the setting entity_types names {', '.join(sorted(labels))}"
        )

    def training_metrics(self, properties: Any) -> Metrics | None:
        """Plain-text recognizers are scored from 0 to 100 (reference 2.11)."""
        found = properties.get("RecognizerMetadata", {}).get("EvaluationMetrics")
        return Metrics.model_validate({name: value / 100 for name, value in found.items()}) if found else None

    def iteration_metrics(self, block: Any) -> Metrics:
        """Which scale recognizers have here is not documented (reference 14.16): a score above 1 shows that it is 0 to
        100."""
        found = {key.removeprefix("Average"): value for key, value in block.items()}
        most = max(found.values(), default=0)
        return Metrics.model_validate({name: value / 100 if most > 1 else value for name, value in found.items()})

    def start_job(self, comprehend: ComprehendClient, *, model_arn: str | None, request: dict[str, Any]) -> StartedJob:
        if model_arn:
            request = request | {"EntityRecognizerArn": model_arn}
        # Required, and ignored with a custom model (reference 2.10).
        answer = comprehend.start_entities_detection_job(**request, LanguageCode="en")
        return StartedJob(
            id=required(answer, "JobId", of=f"job {request['JobName']}"),
            model_arn=answer.get("EntityRecognizerArn", model_arn),
        )

    def describe_job(self, comprehend: ComprehendClient, job_id: str) -> Any:
        answer = comprehend.describe_entities_detection_job(JobId=job_id)
        return required(answer, "EntitiesDetectionJobProperties", of=f"job {job_id}")

    def missing_parts(self, files: Sequence[SourceFile]) -> str | None:
        from flywheel.preparation.entities import GZIP_ENDING, HEAD_BYTES, missing_parts
        from flywheel.preparation.unpacking import Unpacked, UnusableGzipError

        def heads() -> Iterator[tuple[str, bytes]]:
            for file in largest[:MOST_FILES_LOOKED_INTO]:
                with closing(file.open()) as stream:
                    yield file.name, Unpacked(stream, limit=DATASET_LIMITS.bytes).read(HEAD_BYTES)

        # Annotations are larger than documents that are files of their own, which have 5,000 bytes at most; how large
        # they are in gzip, nobody knows.
        largest = sorted(files, key=lambda file: (not file.name.endswith(GZIP_ENDING), -file.size, file.name))
        try:
            return missing_parts(heads(), others=[file.name for file in largest[MOST_FILES_LOOKED_INTO:]])
        except UnusableGzipError:
            # To read the folder says what is wrong with it.
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
        combination_hashes: BinaryIO | None = None,
    ) -> Preparation:
        from flywheel.preparation.entities import EntityLimits, EntityRules, prepare_entities

        return prepare_entities(
            files=files,
            sink=sink,
            hashes=hashes,
            label_hashes=label_hashes,
            combination_hashes=combination_hashes,
            rules=EntityRules(types=task.labels),
            limits=EntityLimits.of(options),
            name=name,
            bad_lines=bad_lines,
        )

    def read_documents(self, content: bytes, *, task: Task, delimiter: str) -> list[LabelledDocument] | Problem:
        from flywheel.preparation import LabelledDocument, Problem
        from flywheel.preparation.entities import AnyType, EntityLimits, EntityRules, read_entity_documents

        rules = EntityRules(types=task.labels) if task.labels else AnyType()
        found = read_entity_documents(content, rules=rules, limits=EntityLimits())
        if isinstance(found, Problem):
            return found
        return [
            LabelledDocument(line=one.line, labels=tuple(span.label for span in one.spans), text=one.text)
            for one in found
        ]

    def upload_line(self, text: str, labels: Sequence[str], members: Mapping[str, Any]) -> str:
        try:
            spans = sorted(map(Span.of_label, labels))
        except ValueError as error:
            raise ValueError("An entity is written as begin, end and type, such as 0:5:PERSON.") from error
        entities = []
        for span in spans:
            entity: dict[str, Any] = {"begin": span.begin, "end": span.end, "type": span.type}
            if 0 <= span.begin < span.end <= len(text):
                # It proves the offsets.
                entity["text"] = text[span.begin : span.end]
                if entity["text"].isspace():
                    where = f'The entity "{span.type}" at {span.begin} to {span.end}'
                    raise ValueError(f"{where} has nothing but white space.")
            entities.append(entity)
        return json.dumps({"text": text, "entities": entities, **members}, ensure_ascii=False) + "\n"

    def labels_in(self, text: str, labels: Sequence[str], *, read_as: str) -> tuple[str, ...]:
        if text == read_as:
            return tuple(labels)
        from flywheel.entity_recognition.offsets import place_of

        spans = map(Span.of_label, labels)
        places = (
            (*place_of(text, begin=span.begin, end=span.end, found=read_as[span.begin : span.end]), span.type)
            for span in spans
        )
        return labels_of_spans(Span(*place) for place in places)

    def read_answers(
        self, archive: Readable, *, documents: int, task: Task, thresholds: Thresholds = NO_THRESHOLDS
    ) -> Predictions:
        from flywheel.evaluation import read_found_entities

        return read_found_entities(archive, documents=documents)

    def fit(self, truths: Sequence[tuple[str, ...]], answers: Predictions, *, task: Task) -> tuple[Predictions, None]:
        return answers, None

    def evaluate(self, truths: Sequence[tuple[str, ...]], answers: Predictions, *, task: Task) -> Evaluation:
        from flywheel.evaluation import evaluate_entities

        return evaluate_entities([frozenset(true) for true in truths], answers.by_line, types=task.labels)

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
        from flywheel.evaluation import pooled_interval

        return pooled_interval(
            [frozenset(true) for true in truths],
            candidate=candidate.by_line,
            active=active.by_line,
            metric=metric,
            confidence_level=confidence_level,
        )

    def label_of(self, answered: str) -> str:
        from flywheel.evaluation import type_of

        return type_of(answered)

    def answer(self, where: str, line: Any, *, low_confidence: float, thresholds: Thresholds) -> Answer:
        from flywheel.evaluation.predictions import entities_of

        found = entities_of(where, line)
        texts = _quoted(line)
        return AnnotatedDocument(
            [(span, score, texts[span.begin, span.end]) for span, score in found], low_confidence=low_confidence
        )

    def detect(self, comprehend: ComprehendClient, *, endpoint_arn: str, text: str) -> RecognizedEntities:
        from flywheel.entity_recognition.offsets import place_of
        from flywheel.evaluation.predictions import entities_of

        # The endpoint's language counts, and LanguageCode is ignored (reference 2.9).
        answer: Any = comprehend.detect_entities(EndpointArn=endpoint_arn, Text=text)
        found = entities_of("the endpoint's answer", answer)
        texts = _quoted(answer)
        placed = []
        for span, score in found:
            begin, end = place_of(text, begin=span.begin, end=span.end, found=texts[span.begin, span.end])
            placed.append((Span(begin, end, span.type), score))
        return RecognizedEntities.of(text, sorted(placed))

    @property
    def real_time(self) -> RealTime:
        from flywheel.entity_recognition.real_time import REAL_TIME

        return REAL_TIME


def _quoted(answer: Any) -> dict[tuple[int, int], str | None]:
    """The text of each entity as Comprehend quotes it, by its offsets."""
    return {(entry["BeginOffset"], entry["EndOffset"]): entry.get("Text") for entry in answer["Entities"]}


ENTITY_RECOGNITION: ModelKind = _EntityRecognition()
