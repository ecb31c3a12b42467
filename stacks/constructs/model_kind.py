"""What templates spell differently for each of Comprehend's kinds of custom models: only this module spells it.

The functions' side of it is `lambdas/flywheel/comprehend/model_kind.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aws_cdk import aws_comprehend as comprehend

from flywheel.comprehend.model_kind import ModelType
from stacks.settings import FlywheelSettings


@dataclass(frozen=True, kw_only=True)
class ModelKind:
    """Actions are Comprehend's, as IAM writes them after "comprehend:"; resources are words of ARNs."""

    model: str
    """A resource, as are `endpoint` and `job`."""
    endpoint: str
    job: str
    describe_model: str
    """An action, as are all that follow, down to `detect`."""
    list_models: str
    delete_model: str
    start_job: str
    describe_job: str
    detect: str
    job_properties: str
    """The member of describe_job's answer that holds what is known of the job."""
    task: Callable[[FlywheelSettings], comprehend.CfnFlywheel.TaskConfigProperty]
    """What a flywheel's models are trained to do."""
    minimum_per_label: int
    """What Comprehend documents: training documents of a label, or annotations of an entity type."""
    counted: str
    """What is counted by label: documents, or annotations."""
    label_word: str
    folders: bool
    """Whether files that are uploaded into a folder belong together."""
    route: str
    """Of the real-time API, as are all that follow."""
    api_name: str
    """Ends it."""
    api_description: str
    callers_description: str


def _classify_documents(settings: FlywheelSettings) -> comprehend.CfnFlywheel.TaskConfigProperty:
    return comprehend.CfnFlywheel.TaskConfigProperty(
        language_code=settings.language,
        document_classification_config=comprehend.CfnFlywheel.DocumentClassificationConfigProperty(
            mode=settings.mode, labels=list(settings.labels)
        ),
    )


def _recognize_entities(settings: FlywheelSettings) -> comprehend.CfnFlywheel.TaskConfigProperty:
    return comprehend.CfnFlywheel.TaskConfigProperty(
        language_code=settings.language,
        entity_recognition_config=comprehend.CfnFlywheel.EntityRecognitionConfigProperty(
            entity_types=[
                comprehend.CfnFlywheel.EntityTypesListItemProperty(type=name) for name in settings.entity_types
            ]
        ),
    )


DOCUMENT_CLASSIFICATION = ModelKind(
    model="document-classifier",
    endpoint="document-classifier-endpoint",
    job="document-classification-job",
    describe_model="DescribeDocumentClassifier",
    list_models="ListDocumentClassifiers",
    delete_model="DeleteDocumentClassifier",
    start_job="StartDocumentClassificationJob",
    describe_job="DescribeDocumentClassificationJob",
    detect="ClassifyDocument",
    job_properties="DocumentClassificationJobProperties",
    task=_classify_documents,
    minimum_per_label=50,
    counted="documents",
    label_word="label",
    route="/classify",
    folders=False,
    api_name="classification",
    api_description="Classifies texts with the active model of an Amazon Comprehend flywheel.",
    callers_description="Classify texts through the flywheel's real-time API.",
)
ENTITY_RECOGNITION = ModelKind(
    model="entity-recognizer",
    endpoint="entity-recognizer-endpoint",
    job="entities-detection-job",
    describe_model="DescribeEntityRecognizer",
    list_models="ListEntityRecognizers",
    delete_model="DeleteEntityRecognizer",
    start_job="StartEntitiesDetectionJob",
    describe_job="DescribeEntitiesDetectionJob",
    detect="DetectEntities",
    job_properties="EntitiesDetectionJobProperties",
    task=_recognize_entities,
    minimum_per_label=25,
    counted="annotations",
    label_word="entity type",
    route="/entities",
    folders=True,
    api_name="entity-recognition",
    api_description="Finds entities in texts with the active model of an Amazon Comprehend flywheel.",
    callers_description="Find entities in texts through the flywheel's real-time API.",
)
_KINDS = {ModelType.DOCUMENT_CLASSIFIER: DOCUMENT_CLASSIFICATION, ModelType.ENTITY_RECOGNIZER: ENTITY_RECOGNITION}


def model_kind(settings: FlywheelSettings) -> ModelKind:
    return _KINDS[settings.model_type]
