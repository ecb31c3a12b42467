"""Starts an iteration if there are new datasets, or finds the unfinished one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.comprehend.flywheel import Dataset, DatasetStatus, Iteration, IterationStatus
from flywheel.faults.errors import ServiceBusy
from flywheel.faults.fault_names import INVALID, THROTTLES
from flywheel.faults.service_faults import error_code, error_message
from flywheel.records.decisions import decision_key
from flywheel.records.turns import IterationStart, iteration_key, require_current
from flywheel.turn.unfinished import unfinished_iteration

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket

_REFUSALS = INVALID | THROTTLES | {"ResourceInUseException", "ResourceLimitExceededException"}
"""Errors that may mean that an iteration runs. Comprehend's documentation does not say which one it is (reference 14,
question 6)."""


def run_iteration(*, turn: str, intake: IntakeBucket, service: FlywheelService) -> IterationStart:
    """The iteration to wait for; without an id if there is none. Raises NotCurrentTurn and ServiceBusy."""
    require_current(intake, turn)
    noted = intake.read(iteration_key(turn), IterationStart)
    if noted is not None and noted.iteration_id and intake.exists(decision_key(noted.iteration_id)):
        # The step is repeated after this turn's decision: because of its own iteration no dataset is new any more.
        return noted
    start = _find_or_start(turn, intake, service)
    intake.write(iteration_key(turn), start)
    return start


def _find_or_start(turn: str, intake: IntakeBucket, service: FlywheelService) -> IterationStart:
    def found(iteration_id: str | None, reason: str) -> IterationStart:
        return IterationStart(turn=turn, iteration_id=iteration_id, reason=reason)

    unfinished = unfinished_iteration(intake, service)
    if unfinished:
        return found(unfinished, "It was under way, or not decided yet.")
    datasets = service.datasets()
    newest, last_completed = _newest(service)
    new = [dataset for dataset in datasets if _is_new(dataset, last_completed)]
    if not new:
        return found(None, _nothing_new(datasets, last_completed))
    if not any(dataset.type == "TRAIN" and dataset.status is DatasetStatus.COMPLETED for dataset in datasets):
        return found(None, "There is no training data yet.")
    only_test = all(dataset.type == "TEST" for dataset in new)
    if only_test and service.describe().active_model_arn is None:
        return found(None, "Only test data are new, and there is no active model to score on them.")
    token = _token(service.arn, new, newest)
    # If the next turn has begun meanwhile, it may have registered more datasets, and would start with another token.
    require_current(intake, turn)
    try:
        return found(service.start_iteration(token=token), _sentence(new, first=last_completed is None))
    except ClientError as error:
        if error_code(error) not in _REFUSALS:
            raise
        return found(_running_or_busy(service, error), "It was started elsewhere at the same moment.")


def _newest(service: FlywheelService) -> tuple[Iteration | None, Iteration | None]:
    """The newest iteration and the newest completed one. Datasets of a failed iteration are still new."""
    newest = None
    for iteration in service.iterations():
        newest = newest or iteration
        if iteration.status is IterationStatus.COMPLETED:
            return newest, iteration
    return newest, None


def _is_new(dataset: Dataset, last: Iteration | None) -> bool:
    if dataset.status is not DatasetStatus.COMPLETED or dataset.came_with_model:
        # The active model has learnt from the latter: without others there is nothing to train.
        return False
    # EndTime is when the data became available (reference 2.6).
    return last is None or dataset.available_at is None or dataset.available_at > last.created_at


def _nothing_new(datasets: list[Dataset], last_completed: Iteration | None) -> str:
    if last_completed is not None:
        return "No dataset is new since the last iteration."
    return "No dataset is ready yet." if datasets else "There is no dataset yet."


def _token(flywheel_arn: str, new: list[Dataset], newest: Iteration | None) -> str:
    """ClientRequestToken: the same for the same datasets after the same newest iteration. After a failed iteration it
    differs, so that another one can start."""
    content = [flywheel_arn, newest.id if newest else "", *sorted(dataset.name for dataset in new)]
    return hashlib.sha256("\n".join(content).encode()).hexdigest()


def _running_or_busy(service: FlywheelService, error: ClientError) -> str:
    newest = next(service.iterations(), None)
    if newest is not None and newest.status.running:
        return newest.id
    busy = any(dataset.status is DatasetStatus.CREATING for dataset in service.datasets())
    if busy or error_code(error) not in INVALID:
        raise ServiceBusy(f"Comprehend starts no iteration now: {error_message(error)}") from error
    raise error


def _sentence(new: list[Dataset], *, first: bool) -> str:
    names = ", ".join(sorted(dataset.name for dataset in new))
    return f"The first iteration uses {names}." if first else f"New since the last iteration: {names}."
