"""What must be true of the pipeline, whatever happens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.claims import (
    analyses,
    documents,
    executions,
    functions,
    imports,
    interfaces,
    models,
    review,
    serving,
    status,
    turns,
)

if TYPE_CHECKING:
    from tests.simulation.simulation import Claim

ALWAYS: dict[Claim, str] = {
    turns.never_two_iterations_at_once: "comprehend",
    turns.one_turn_and_one_promotion_at_a_time: "stepfunctions",
    turns.numbers_never_go_back: "s3",
    turns.they_do_not_follow_each_other_forever: "s3",
    turns.each_iteration_is_decided_once: "s3",
    models.never_active_without_a_reason: "comprehend",
    imports.an_imported_model_serves_with_a_reason: "s3",
    functions.errors_have_names: "functions",
}
"""With the service that each is about."""
AT_THE_END: tuple[Claim, ...] = (
    turns.each_turn_has_a_cause,
    documents.each_document_is_in_one_place,
    documents.nothing_is_judged_by_what_it_was_trained_on,
    documents.what_was_rejected_has_its_report,
    review.nobody_answers_an_item_twice,
    review.no_answer_is_lost,
    review.no_proposal_is_lost,
    review.no_item_is_lost_between_lanes,
    serving.the_answer_names_the_model_that_answered,
    serving.what_is_kept_names_the_model_that_answered,
    executions.no_state_gives_up_at_once,
    interfaces.records_are_what_the_documents_say,
)
"""In both modes, whatever is under way then: they hold at every moment, but cost too much to be checked at each."""
AT_REST: tuple[Claim, ...] = (
    turns.nothing_runs_that_nobody_waits_for,
    turns.each_completed_iteration_is_decided,
    turns.no_turn_fails_in_calm_weather,
    turns.each_dataset_is_trained_on,
    documents.each_dataset_is_accepted,
    documents.nothing_waits_that_a_dataset_has,
    models.all_say_the_same_model_is_active,
    models.each_edit_is_answered,
    imports.all_say_the_same_imported_model_is_active,
    imports.only_who_is_trusted_may_import,
    imports.what_was_withdrawn_cannot_be_imported,
    review.what_was_agreed_on_is_published_once,
    review.what_is_forgotten_is_gone,
    serving.what_failed_its_smoke_test_is_not_published,
    serving.no_model_stays_active_that_failed_its_smoke_test,
    analyses.each_job_ends_with_one_output_or_a_reason,
    analyses.each_job_is_accounted_for,
    status.the_status_says_what_the_pipeline_does,
)
