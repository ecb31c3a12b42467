"""The kind of model that the functions of this app train and serve."""

from __future__ import annotations

from flywheel.document_classification import DOCUMENT_CLASSIFICATION as KIND

__all__ = ["KIND"]
