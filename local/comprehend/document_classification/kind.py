"""What is particular to document classifiers, for all that is for any kind of model."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from local.comprehend.document_classification import dataset_checks, model_tasks
from local.comprehend.document_classification.job_output import classify_documents
from local.comprehend.document_classification.metrics import TrainedModel
from local.comprehend.document_classification.sources import sources_of, training_sources_of
from local.comprehend.document_classification.task_config import TaskConfig
from local.comprehend.model_kind import ModelKind, Predict
from local.comprehend.settings import Settings
from local.comprehend.training_data import DataSource, data_format

if TYPE_CHECKING:
    from local.comprehend.state import Model


class _DocumentClassification:
    model_type = "DOCUMENT_CLASSIFIER"
    words = "document classifier"
    model_noun = "DocumentClassifier"
    name_member = "DocumentClassifierName"
    arn_resource = "document-classifier"
    endpoint_resource = "document-classifier-endpoint"
    detection = "ClassifyDocument"
    has_built_in = False
    job_noun = "DocumentClassificationJob"
    job_words = "document classification job"
    job_resource = "document-classification-job"
    archive_mark = "CLN"

    task = staticmethod(TaskConfig.of)
    sources = staticmethod(sources_of)
    training_sources = staticmethod(training_sources_of)
    checked_contents = staticmethod(dataset_checks.checked_contents)
    require_minimum = staticmethod(dataset_checks.require_minimum)
    train_model = staticmethod(model_tasks.train_model)
    evaluate_model = staticmethod(model_tasks.evaluate_model)
    load_model = staticmethod(model_tasks.load_model)
    detect = staticmethod(model_tasks.classify_text)

    def task_of_training(self, request: dict[str, Any]) -> TaskConfig:
        return TaskConfig(language=request["LanguageCode"], mode=request.get("Mode", "MULTI_CLASS"), labels=None)

    def learnt(self, task: TaskConfig, trained: TrainedModel) -> TaskConfig:
        return replace(task, labels=trained.labels)

    def input_of_flywheel(self, _task: TaskConfig, sources: tuple[DataSource, ...]) -> dict[str, Any]:
        return {"DataFormat": data_format(sources)}

    def maximum_dataset_bytes(self, settings: Settings) -> int:
        return settings.maximum_dataset_bytes

    def maximum_text_bytes(self, settings: Settings) -> int:
        return settings.maximum_text_bytes

    def predict(self, settings: Settings) -> Predict:
        return partial(classify_documents, classes=settings.classes_in_output)

    def answer(self, found: list[tuple[str, float]], task: TaskConfig, settings: Settings, /) -> dict[str, Any]:
        kept = found if task.multi_label else found[: settings.classes_in_answer]
        member = "Labels" if task.multi_label else "Classes"
        return {member: [{"Name": label, "Score": score} for label, score in kept]}

    def properties(self, model: Model, _settings: Settings) -> dict[str, Any]:
        evaluation, trained = model.evaluation, model.trained
        metadata = None
        if evaluation and trained:
            metadata = {
                "NumberOfLabels": len(trained.labels),
                "NumberOfTrainedDocuments": trained.documents,
                "NumberOfTestDocuments": evaluation.test_documents,
                "EvaluationMetrics": evaluation.classifier_metrics(),
            }
        return {
            "Mode": model.task.mode,
            "ClassifierMetadata": metadata,
        }


DOCUMENT_CLASSIFICATION: ModelKind = _DocumentClassification()
