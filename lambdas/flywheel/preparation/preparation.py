"""What became of an upload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .file_format import FileFormat
from .problems import Problem


@dataclass(frozen=True)
class Preparation:
    """The outcome of preparing one file.

    When it is not ``accepted``, ``file_problem`` says why, and what was written is to be thrown away.
    """

    name: str
    accepted: bool
    file_problem: Problem | None
    format: FileFormat | None
    """How the file is written; None if it is empty or of an unsupported type."""
    lines: int
    """Lines read, blank ones and the header included."""
    documents: int
    """Documents written."""
    bytes: int
    """Size of what was written."""
    content_hash: str
    """32 hex digits that are equal exactly when the written documents and their order are."""
    labels: dict[str, int]
    """Written documents by label combination as written, several labels in the order of the settings."""
    duplicates: int
    """Documents dropped because an earlier one has the same labels and the same text."""
    conflicts: int
    """Documents with the text of an earlier one and other labels: written, or among the bad lines."""
    conflict_examples: tuple[Problem, ...]
    """The first of those that were written, spelled out."""
    bad_lines: dict[str, int]
    """How many records broke each rule, by the rule's id."""
    examples: tuple[Problem, ...]
    """The first bad records, spelled out."""

    @property
    def bad_lines_total(self) -> int:
        return sum(self.bad_lines.values())

    def to_json(self) -> dict[str, Any]:
        """Everything, as what ``json.dumps`` takes."""
        return {
            "name": self.name,
            "accepted": self.accepted,
            "file_problem": None if self.file_problem is None else self.file_problem.to_json(),
            "format": None if self.format is None else self.format.to_json(),
            "lines": self.lines,
            "documents": self.documents,
            "bytes": self.bytes,
            "content_hash": self.content_hash,
            "labels": self.labels,
            "duplicates": self.duplicates,
            "conflicts": self.conflicts,
            "conflict_examples": [problem.to_json() for problem in self.conflict_examples],
            "bad_lines": self.bad_lines,
            "examples": [problem.to_json() for problem in self.examples],
        }
