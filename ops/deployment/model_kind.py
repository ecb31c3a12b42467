"""The kind of model that the flywheels of this app train."""

from __future__ import annotations

from flywheel.document_classification import DOCUMENT_CLASSIFICATION as KIND

__all__ = ["KIND"]
