"""What must be true of the pipeline, whatever happens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.claims import documents, functions, models, status, turns

if TYPE_CHECKING:
    from tests.simulation.simulation import Claim

ALWAYS: dict[Claim, str] = {
    turns.never_two_iterations_at_once: "comprehend",
    turns.one_turn_and_one_promotion_at_a_time: "stepfunctions",
    turns.numbers_never_go_back: "s3",
    turns.each_iteration_is_decided_once: "s3",
    models.never_active_without_a_reason: "comprehend",
    functions.errors_have_names: "functions",
}
"""With the service that each is about."""
AT_REST = (
    turns.nothing_runs_that_nobody_waits_for,
    turns.each_completed_iteration_is_decided,
    turns.each_turn_has_a_cause,
    documents.each_document_is_in_one_place,
    documents.what_was_rejected_has_its_report,
    models.all_say_the_same_model_is_active,
    status.the_status_says_what_the_pipeline_does,
)
