"""Uploads become documents: from what people really have to exactly what Comprehend wants.

Files in, files out: no service, no events.
"""

from .documents import TEXT_HASH_BYTES, text_hash
from .file_format import FileFormat, FileKind, LineEnds
from .labels import labels_hash
from .limits import AnyLabel, ConflictingLabels, LabelRules, Limits
from .preparation import Preparation
from .prepare import prepare
from .problems import Problem, Rule
from .rules import RULES

__all__ = [
    "RULES",
    "TEXT_HASH_BYTES",
    "AnyLabel",
    "ConflictingLabels",
    "FileFormat",
    "FileKind",
    "LabelRules",
    "Limits",
    "LineEnds",
    "Preparation",
    "Problem",
    "Rule",
    "labels_hash",
    "prepare",
    "text_hash",
]
