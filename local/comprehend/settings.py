"""What can be set on the local service: durations, quotas, and the readings of what AWS does not document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

# StartFlywheelIteration models no other refusal than these.
IterationRefusal = Literal["ResourceInUseException", "TooManyRequestsException", "InvalidRequestException"]


class Settings(BaseModel):
    """Immutable; a change makes a new one (:meth:`merged`). Durations are seconds, all minimum times in a state: long
    enough that every status is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flywheel_creation_seconds: NonNegativeFloat = 0.1
    flywheel_deletion_delay_seconds: NonNegativeFloat = Field(
        default=0.0, description="How long a deleted flywheel still reads ACTIVE before DELETING."
    )
    flywheel_deletion_seconds: NonNegativeFloat = 0.1
    dataset_ingestion_seconds: NonNegativeFloat = 0.2
    iteration_evaluation_seconds: NonNegativeFloat = 0.1
    iteration_training_seconds: NonNegativeFloat = 0.2
    model_queue_seconds: NonNegativeFloat = Field(
        default=0.1, description="How long a model without a flywheel stays SUBMITTED before it is TRAINING."
    )
    model_training_seconds: NonNegativeFloat = 0.2
    model_import_seconds: NonNegativeFloat = Field(
        default=0.2, description="How long an imported model is TRAINING; before it is SUBMITTED like a new one."
    )
    model_deletion_seconds: NonNegativeFloat = 0.2
    job_queue_seconds: NonNegativeFloat = Field(
        default=0.1, description="How long a job stays SUBMITTED before it is IN_PROGRESS."
    )
    job_seconds: NonNegativeFloat = Field(default=0.2, description="How long a job is IN_PROGRESS.")
    endpoint_creation_seconds: NonNegativeFloat = 0.2
    endpoint_follow_delay_seconds: NonNegativeFloat = Field(
        default=0.0,
        description="How long an endpoint of a flywheel still reads IN_SERVICE with the former model before it is "
        "UPDATING, once another model has become active.",
    )
    endpoint_update_seconds: NonNegativeFloat = 0.2
    endpoint_deletion_seconds: NonNegativeFloat = 0.2

    created_things_found_after_seconds: NonNegativeFloat = Field(
        default=0.0,
        description="How long Describe and List do not find what was just created (flywheels, datasets, iterations, "
        "models, jobs, endpoints). Whether they find it at once is not documented.",
    )

    bad_value_error: Literal["InvalidRequestException", "ValidationException"] = Field(
        default="InvalidRequestException",
        description="What refuses a bad value. The reference names the first; others have recorded the second.",
    )
    endpoint_moves_by: Literal["either", "flywheel_alone", "flywheel_with_model"] = Field(
        default="either",
        description="Whether UpdateEndpoint takes a FlywheelArn without DesiredModelArn, with it, or both.",
    )
    only_regions_with_comprehend: bool = Field(
        default=False, description="Refuse requests in Regions in which AWS does not offer Comprehend."
    )

    minimum_per_label: Literal["per_dataset", "per_flywheel", "none"] = Field(
        default="per_dataset",
        description="Where the minimum of training documents for each label holds: in each TRAIN dataset (it becomes "
        "FAILED), over all of the flywheel (the iteration becomes FAILED), or nowhere.",
    )
    minimum_documents_multi_class: PositiveInt = 50
    minimum_documents_multi_label: PositiveInt = Field(
        default=50, description="50 by the flywheel quotas, 10 by the training quotas; AWS's pages disagree."
    )
    minimum_total_documents_multi_label: PositiveInt = 50
    minimum_documents_of_training: PositiveInt = Field(
        default=10,
        description="Of each label for a multi-label classifier without a flywheel, or one from augmented manifests.",
    )
    minimum_annotations: PositiveInt = Field(default=25, description="Of each entity type that occurs in TRAIN data.")
    minimum_matches: PositiveInt = Field(
        default=200, description="Of each entity type of an entity list, in the documents that came with it."
    )
    recognizer_iteration_scale: Literal[1, 100] = Field(
        default=1,
        description="What a perfect recognizer scores in an iteration's metrics. AWS shows classifiers only, with 1; a "
        "recognizer's own description always has 100.",
    )
    recognizer_averages: Literal["micro", "macro"] = Field(
        default="micro",
        description="Whether a recognizer's overall scores count all entities together or are means over their types.",
    )
    recognizer_accuracy: Literal["documents", "absent"] = Field(
        default="documents",
        description="AverageAccuracy of a recognizer: the share of documents whose entities are all right, or no such "
        "member, as in a recognizer's own description.",
    )
    first_model_becomes_active: bool = Field(
        default=False, description="Whether the first model an iteration trains becomes active by itself."
    )
    evaluate_active_without_test_data: bool = Field(
        default=True,
        description="Whether an iteration with new TRAIN but no new TEST data scores the active model too.",
    )
    test_datasets_scored: Literal["all", "new"] = Field(
        default="all",
        description="Score on every TEST dataset of the flywheel, or only on those since the last completed iteration; "
        "without any, one document in ten of the TRAIN data is held out.",
    )
    second_iteration_error: IterationRefusal = "ResourceInUseException"
    iteration_during_ingestion: Literal["allow"] | IterationRefusal = "ResourceInUseException"
    concurrent_iterations_error: IterationRefusal = "TooManyRequestsException"
    update_during_iteration: Literal["allow", "InvalidRequestException", "TooManyRequestsException"] = "allow"
    start_without_data: Literal["fail_iteration", "InvalidRequestException"] = "fail_iteration"
    first_model_name: Literal["generated", "flywheel"] = Field(
        default="generated",
        description="Name of a new-model flywheel's first model: Comprehend-Generated-<8 hex digits>, so that no "
        "client comes to depend on finding the flywheel's name in it, or the flywheel's name.",
    )

    classes_in_output: PositiveInt = Field(
        default=3,
        description="How many classes of a document a job's output names at most, the best first; AWS's samples show "
        "three of five. Multi-label output names every label.",
    )

    classes_in_answer: PositiveInt = Field(
        default=3, description="The same of ClassifyDocument, whose number of classes AWS does not document."
    )

    flywheel_deletion_with_endpoints: Literal["allow", "ResourceInUseException"] = Field(
        default="ResourceInUseException", description="DeleteFlywheel while endpoints are bound to the flywheel."
    )
    endpoint_deletion_during_change: Literal["allow", "ResourceInUseException"] = Field(
        default="ResourceInUseException", description="DeleteEndpoint of an endpoint that is CREATING or UPDATING."
    )
    encrypted_model_needs_role: bool = Field(
        default=True,
        description="Whether an endpoint or an import without a DataAccessRoleArn is refused for a model that a "
        "customer managed key encrypts (InvalidRequestException).",
    )
    classification_throttle_error: Literal["ThrottlingException", "TooManyRequestsException"] = Field(
        default="ThrottlingException", description="ClassifyDocument and DetectEntities model no throttling error."
    )
    documents_per_inference_unit: PositiveFloat = Field(default=2.0, description="A second.")
    characters_per_inference_unit: PositiveFloat = Field(default=100.0, description="A second.")
    inference_burst: PositiveFloat = Field(
        default=1.0, description="How many seconds' worth of its throughput an idle endpoint saves up."
    )

    lake_uri_ends_with_slash: bool = Field(
        default=True, description="How DataLakeS3Uri reads in answers; AWS's samples show both."
    )

    maximum_flywheels: PositiveInt = Field(default=20, description="20 by Service Quotas, 50 by the guide.")
    maximum_creating_flywheels: PositiveInt = 10
    maximum_datasets_of_a_type: PositiveInt = 50
    maximum_creating_datasets: PositiveInt = 10
    maximum_concurrent_iterations: PositiveInt = 10
    maximum_trainings_of_a_type: PositiveInt = Field(
        default=10, description="Of models without a flywheel. Imports count here too; AWS names no quota for them."
    )
    maximum_jobs_of_a_type: PositiveInt = Field(default=10, description="SUBMITTED and IN_PROGRESS together.")
    maximum_job_documents: PositiveInt = Field(default=1_000_000, description="Files, or lines of them all.")
    maximum_job_bytes: PositiveInt = 5 * 1024**3
    maximum_job_file_bytes: PositiveInt = Field(default=10 * 1024**2, description="Of a file with one document.")
    maximum_endpoints: PositiveInt = Field(default=20, description="All but FAILED ones.")
    maximum_units_of_endpoint: PositiveInt = 50
    maximum_inference_units: PositiveInt = Field(default=200, description="Of all endpoints together.")
    maximum_text_bytes: PositiveInt = Field(default=10 * 1024, description="Of ClassifyDocument, in UTF-8.")
    maximum_entities_text_bytes: PositiveInt = Field(
        default=5_000,
        description="Of DetectEntities, in UTF-8. AWS says 5 KB here and 5,000 bytes of training documents.",
    )
    minimum_dataset_bytes: PositiveInt = 500
    maximum_dataset_bytes: PositiveInt = 5 * 1024**3
    maximum_dataset_documents: PositiveInt = 1_000_000
    maximum_document_bytes: PositiveInt = 10 * 1024**2
    minimum_entities_documents: PositiveInt = Field(default=3, description="Of a recognizer's dataset.")
    maximum_entities_documents: PositiveInt = 200_000
    minimum_entities_training_bytes: PositiveInt = Field(
        default=5_000, description="Of the texts of a recognizer without a flywheel."
    )
    maximum_entities_bytes: PositiveInt = 200 * 1024**2
    maximum_entities_document_bytes: PositiveInt = 5_000

    def merged(self, changes: dict[str, Any]) -> Settings:
        """A copy with ``changes`` (field name to value); pydantic.ValidationError names what is wrong with them."""
        return Settings.model_validate({**self.model_dump(), **changes})

    def minimum_documents(self, *, multi_label: bool) -> int:
        return self.minimum_documents_multi_label if multi_label else self.minimum_documents_multi_class
