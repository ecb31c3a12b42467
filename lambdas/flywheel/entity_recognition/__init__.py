"""Entity recognition: this kind of model's implementation of `comprehend.model_kind`."""

from flywheel.entity_recognition.kind import ENTITY_RECOGNITION

__all__ = ["ENTITY_RECOGNITION"]
