"""What is particular to entity recognizers, for all that is for any kind of model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.comprehend.entity_recognition import dataset_checks, model_tasks
from local.comprehend.entity_recognition.job_output import recognize_documents
from local.comprehend.entity_recognition.metrics import Counts, TrainedModel
from local.comprehend.entity_recognition.sources import sources_of, training_sources_of
from local.comprehend.entity_recognition.task_config import TaskConfig, types_of
from local.comprehend.model_kind import ModelKind, Predict
from local.comprehend.settings import Settings
from local.comprehend.training_data import DataSource, data_format

if TYPE_CHECKING:
    from local.comprehend.state import Model


class _EntityRecognition:
    model_type = "ENTITY_RECOGNIZER"
    words = "entity recognizer"
    model_noun = "EntityRecognizer"
    name_member = "RecognizerName"
    arn_resource = "entity-recognizer"
    endpoint_resource = "entity-recognizer-endpoint"
    detection = "DetectEntities"
    has_built_in = True
    job_noun = "EntitiesDetectionJob"
    job_words = "entities detection job"
    job_resource = "entities-detection-job"
    archive_mark = "NER"

    task = staticmethod(TaskConfig.of)
    sources = staticmethod(sources_of)
    training_sources = staticmethod(training_sources_of)
    checked_contents = staticmethod(dataset_checks.checked_contents)
    require_minimum = staticmethod(dataset_checks.require_minimum)
    train_model = staticmethod(model_tasks.train_model)
    evaluate_model = staticmethod(model_tasks.evaluate_model)
    load_model = staticmethod(model_tasks.load_model)
    detect = staticmethod(model_tasks.find_entities)

    def task_of_training(self, request: dict[str, Any]) -> TaskConfig:
        types = types_of(request["InputDataConfig"]["EntityTypes"])
        return TaskConfig(language=request["LanguageCode"], types=types)

    def learnt(self, task: TaskConfig, _trained: TrainedModel) -> TaskConfig:
        return task

    def input_of_flywheel(self, task: TaskConfig, sources: tuple[DataSource, ...]) -> dict[str, Any]:
        return {"DataFormat": data_format(sources), "EntityTypes": [{"Type": type_} for type_ in task.types]}

    def maximum_dataset_bytes(self, settings: Settings) -> int:
        return settings.maximum_entities_bytes

    def maximum_text_bytes(self, settings: Settings) -> int:
        return settings.maximum_entities_text_bytes

    def predict(self, _settings: Settings) -> Predict:
        return recognize_documents

    def answer(self, found: list[dict[str, Any]], _task: TaskConfig, _settings: Settings, /) -> dict[str, Any]:
        return {"Entities": found}

    def properties(self, model: Model, settings: Settings) -> dict[str, Any]:
        evaluation, trained = model.evaluation, model.trained
        metadata = None
        if evaluation and trained:
            metadata = {
                "NumberOfTrainedDocuments": trained.documents,
                "NumberOfTestDocuments": evaluation.test_documents,
                "EvaluationMetrics": evaluation.overall(settings).members(),
                "EntityTypes": [
                    {
                        "Type": type_,
                        "EvaluationMetrics": evaluation.per_type.get(type_, Counts()).scores().members(),
                        "NumberOfTrainMentions": mentions,
                    }
                    for type_, mentions in sorted(trained.mentions.items())
                ],
            }
        return {"RecognizerMetadata": metadata}


ENTITY_RECOGNITION: ModelKind = _EntityRecognition()
