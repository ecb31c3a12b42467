"""Uploads become documents: from what people really have to exactly what Comprehend wants.

Files in, files out: no service, no events.
"""

from .documents import text_hash
from .file_format import FileFormat, FileKind, LineEnds
from .labels import labels_hash
from .limits import AnyLabel, ConflictingLabels, LabelRules, Limits, RepeatedDocuments, UploadOptions
from .prepare import prepare
from .problems import Problem
from .read_documents import LabelledDocument, read_documents
from .report import Preparation
from .source_file import SourceFile

__all__ = [
    "AnyLabel",
    "ConflictingLabels",
    "FileFormat",
    "FileKind",
    "LabelRules",
    "LabelledDocument",
    "Limits",
    "LineEnds",
    "Preparation",
    "Problem",
    "RepeatedDocuments",
    "SourceFile",
    "UploadOptions",
    "labels_hash",
    "prepare",
    "read_documents",
    "text_hash",
]
