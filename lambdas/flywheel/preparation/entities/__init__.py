"""Uploads of an entity recognizer become documents that carry their annotations.

Files in, files out: no service, no events.
"""

from .annotation_rows import GZIP_ENDING
from .limits import AnyType, EntityLimits, EntityRules
from .parts import HEAD_BYTES, missing_parts
from .prepare import prepare_entities
from .prepared_line import ATTRIBUTE, from_line, to_line
from .read_documents import EntityDocument, read_entity_documents
from .spans import Span, annotations_hash, combination

__all__ = [
    "ATTRIBUTE",
    "GZIP_ENDING",
    "HEAD_BYTES",
    "AnyType",
    "EntityDocument",
    "EntityLimits",
    "EntityRules",
    "Span",
    "annotations_hash",
    "combination",
    "from_line",
    "missing_parts",
    "prepare_entities",
    "read_entity_documents",
    "to_line",
]
