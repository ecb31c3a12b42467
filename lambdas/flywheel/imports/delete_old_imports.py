"""Deletes imported versions that are no longer needed, after a promotion."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flywheel.promotions.delete_old_models import delete_old_models
from flywheel.records.promotions import deleted_key, require_current

if TYPE_CHECKING:
    from flywheel.pipeline import Pipeline
    from flywheel.records.turns import DeletedModels


def delete_old_imports(*, promotion: str, keep: int, pipeline: Pipeline) -> DeletedModels:
    """As `delete_old_models`, which see. Raises NotCurrentPromotion."""
    return delete_old_models(
        keep=keep,
        pipeline=pipeline,
        key=deleted_key(promotion),
        require_current=partial(require_current, pipeline.intake, promotion),
    )
