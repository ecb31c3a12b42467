"""Deletes the models that nobody needs any more: Comprehend bills each version that it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.promotions import requests
from flywheel.records import turns
from flywheel.records.turns import DeletedModels, deleted_key
from flywheel.service_faults import error_code

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import Model
    from flywheel.pipeline import Pipeline

_IN_USE = {"ResourceInUseException", "ResourceUnavailableException"}


def delete_old_models(*, turn: str, keep: int, pipeline: Pipeline) -> DeletedModels:
    """Delete all but the `keep` newest models of this flywheel, and none that is needed. Raises NotCurrentTurn.

    What an endpoint or a job uses is known to Comprehend alone, which refuses then; the next turn tries again.
    """
    turns.require_current(pipeline.intake, turn)
    desired = pipeline.published.desired()
    needed = {
        pipeline.service.describe().active_model_arn,
        pipeline.published.active(),
        pipeline.published.previous(),
        desired.arn if desired else None,
        *requests.models_under_way(pipeline.intake),
    }
    models = pipeline.service.models.trained_by(pipeline.service.arn)
    there = {model.arn for model in models if model.trained}
    before = pipeline.intake.read(deleted_key(turn), DeletedModels) or DeletedModels()
    deleted = [arn for arn in before.deleted if arn not in there]
    in_use: list[str] = []
    for model in superfluous(models, keep=keep):
        if model.arn in needed:
            continue
        turns.require_current(pipeline.intake, turn)
        # First the note: killed after the deletion, nobody would know of it.
        pipeline.intake.write(deleted_key(turn), DeletedModels(deleted=(*deleted, model.arn), in_use=tuple(in_use)))
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
    if found != (pipeline.intake.read(deleted_key(turn), DeletedModels) or DeletedModels()):
        pipeline.intake.write(deleted_key(turn), found)
    return found


def superfluous(models: Sequence[Model], *, keep: int) -> list[Model]:
    """Those beyond the newest; `models` are in the order of their training. A model in training is never among them."""
    done = [model for model in models if model.trained]
    return done[: max(0, len(done) - keep)]
