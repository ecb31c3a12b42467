"""Document classification: all that the pipeline has to know about this kind of model (`comprehend.model_kind`)."""

from flywheel.document_classification.kind import DOCUMENT_CLASSIFICATION

__all__ = ["DOCUMENT_CLASSIFICATION"]
