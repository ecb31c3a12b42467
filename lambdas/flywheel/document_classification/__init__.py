"""Document classification: this kind of model's implementation of `comprehend.model_kind`."""

from flywheel.document_classification.kind import DOCUMENT_CLASSIFICATION

__all__ = ["DOCUMENT_CLASSIFICATION"]
