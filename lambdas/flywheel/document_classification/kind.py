"""Comprehend's calls and names for document classifiers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flywheel.comprehend.model_kind import Model, ModelKind, Prediction, StartedJob, Task
from flywheel.comprehend.required import required
from flywheel.records.decisions import Metrics

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient


class _DocumentClassification:
    words = "document classifier"
    job_words = "classification job"
    arn_resource = "document-classifier"
    endpoint_resource = "document-classifier-endpoint"
    scalable_dimension = "comprehend:document-classifier-endpoint:DesiredInferenceUnits"

    def task(self, config: Any) -> Task:
        found = config.get("DocumentClassificationConfig", {})
        return Task(labels=tuple(found.get("Labels", ())), multi_label=found.get("Mode") == "MULTI_LABEL")

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
        arn = required(properties, "DocumentClassifierArn", of="a model")
        status = required(properties, "Status", of=f"model {arn}")
        return Model(
            arn=arn,
            status=status,
            flywheel_arn=properties.get("FlywheelArn"),
            mode=properties.get("Mode"),
            language=properties.get("LanguageCode"),
            submitted_at=required(properties, "SubmitTime", of=f"model {arn}"),
            warning=properties.get("Message") if status == "TRAINED_WITH_WARNING" else None,
        )

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

    def detect(self, comprehend: ComprehendClient, *, endpoint_arn: str, text: str) -> Prediction:
        answer: Any = comprehend.classify_document(EndpointArn=endpoint_arn, Text=text)
        multi_label = "Labels" in answer
        found = answer["Labels"] if multi_label else answer.get("Classes", [])
        # The order is not documented.
        scores = ((item["Name"], item["Score"]) for item in found if "Name" in item and "Score" in item)
        return Prediction(scores=tuple(sorted(scores, key=lambda item: -item[1])), multi_label=multi_label)


DOCUMENT_CLASSIFICATION: ModelKind = _DocumentClassification()
