"""Deletes old models that are no longer needed: Comprehend bills the storage of each model version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.faults.service_faults import error_code
from flywheel.promotions import requests
from flywheel.records.turns import DeletedModels

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import Model
    from flywheel.pipeline import Pipeline

_IN_USE = {"ResourceInUseException", "ResourceUnavailableException"}


def delete_old_models(*, keep: int, pipeline: Pipeline, key: str, require_current: Callable[[], None]) -> DeletedModels:
    """Delete all but the `keep` newest models that the deployment made, and none that is needed.

    `require_current` raises the caller's NotCurrent. The record of what was deleted has this `key`. Comprehend refuses
    to delete a model that an endpoint or a job uses; the next turn, or the next promotion, tries again.
    """
    require_current()
    desired = pipeline.published.desired()
    needed = {
        pipeline.service.describe().active_model_arn,
        pipeline.published.active(),
        pipeline.published.previous(),
        desired.arn if desired else None,
        *requests.requested_models(pipeline.intake),
        *requests.models_to_put_back(pipeline.intake),
    }
    models = pipeline.service.own_models()
    there = {model.arn for model in models if model.trained}
    before = pipeline.intake.read(key, DeletedModels) or DeletedModels()
    deleted = [arn for arn in before.deleted if arn not in there]
    in_use: list[str] = []
    for model in superfluous(models, keep=keep):
        if model.arn in needed:
            continue
        require_current()
        # The record comes first, so that a deletion is on record even if the function is killed after it.
        pipeline.intake.write(key, DeletedModels(deleted=(*deleted, model.arn), in_use=tuple(in_use)))
        try:
            pipeline.service.models.delete(model.arn)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                # Somebody else deleted it just now.
                continue
            if error_code(error) not in _IN_USE:
                raise
            in_use.append(model.arn)
        else:
            deleted.append(model.arn)
    found = DeletedModels(deleted=tuple(deleted), in_use=tuple(in_use))
    if found != (pipeline.intake.read(key, DeletedModels) or DeletedModels()):
        pipeline.intake.write(key, found)
    return found


def superfluous(models: Sequence[Model], *, keep: int) -> list[Model]:
    """All trained models but the `keep` newest. `models` are in the order of their training."""
    done = [model for model in models if model.trained]
    return done[: max(0, len(done) - keep)]
