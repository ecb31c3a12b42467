"""How the training of a model ends, whatever trained it."""

from __future__ import annotations

from local.comprehend.runtime import Runtime
from local.comprehend.state import Model, ModelStatus


def complete(runtime: Runtime, model: Model) -> None:
    """The model is trained and evaluated, perhaps with a warning. The caller holds the lock."""
    warning = runtime.faults.for_resource("model")
    model.status = ModelStatus.TRAINED_WITH_WARNING if warning else ModelStatus.TRAINED
    model.message, model.ended = warning.message if warning else None, runtime.now()


def fail(runtime: Runtime, model: Model, message: str) -> None:
    """The caller holds the lock."""
    model.status, model.message, model.ended = ModelStatus.IN_ERROR, message, runtime.now()
