"""What became of an upload, and the report on it for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import groupby
from textwrap import TextWrapper

from .file_format import FileFormat, FileKind, LineEnds
from .label_advice import delimiter_name
from .label_forms import printable
from .problems import Problem

_LINE_ENDS = {
    LineEnds.LF: "LF line ends",
    LineEnds.CRLF: "CRLF line ends",
    LineEnds.CR: "CR line ends",
    LineEnds.MIXED: "mixed line ends",
}
_KINDS = {
    FileKind.CSV: "CSV",
    FileKind.JSON_LINES: "JSON Lines",
    FileKind.MANIFEST: "Augmented manifest",
    FileKind.CONLL: "CoNLL",
    FileKind.ANNOTATIONS: "Documents, and annotations in CSV",
    FileKind.ENTITY_LIST: "Documents, and an entity list in CSV",
}
_WIDTH = 100
_MOST_ROWS = 1_000


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
    annotations: dict[str, int] | None = None
    """Annotations written, by their type; None if the documents are labelled as a whole."""
    remarks: dict[str, int] = field(default_factory=dict)
    """What to know of things that were taken: how many of each rule, by the rule's id."""
    remark_examples: tuple[Problem, ...] = ()
    """The first of them, spelled out."""

    @property
    def bad_lines_total(self) -> int:
        return sum(self.bad_lines.values())


def render_text(preparation: Preparation) -> str:
    """Plain text of at most 100 columns (but for names, labels and excerpts), with a newline at the end."""
    return "\n".join(_sections(preparation)) + "\n"


def _sections(preparation: Preparation) -> Iterator[str]:
    yield f"{preparation.name}: {_verdict(preparation)}"
    if preparation.file_problem is not None:
        yield from _problem(preparation.file_problem)
    if preparation.format is not None:
        yield ""
        yield from _format_lines(preparation)
        yield _counts(preparation)
    if preparation.accepted and preparation.annotations:
        yield from _table("Annotations by type", preparation.annotations)
    if preparation.accepted and preparation.annotations is None and preparation.labels:
        yield from _table("Documents by label", preparation.labels)
    if preparation.conflict_examples:
        yield ""
        yield f"Same text, other labels: {_number(preparation.conflicts, 'document')}, kept. The first:"
        for problem in preparation.conflict_examples:
            yield from _problem(problem)
    if preparation.bad_lines:
        yield from _table("Bad lines by rule", preparation.bad_lines)
    yield from _examples("Bad lines", preparation.examples)
    if preparation.remarks:
        yield from _table("Remarks by rule", preparation.remarks)
    yield from _examples("Remarks on what was taken", preparation.remark_examples)


def _examples(title: str, problems: Sequence[Problem]) -> Iterator[str]:
    if problems:
        yield ""
        yield title
        for _, alike in groupby(problems, key=lambda problem: (problem.rule, problem.fix, problem.alike)):
            yield ""
            yield from _problem(*alike)


def _verdict(preparation: Preparation) -> str:
    if not preparation.accepted:
        return "rejected"
    return "accepted, without its bad lines" if preparation.bad_lines else "accepted"


def _format_lines(preparation: Preparation) -> Iterator[str]:
    if preparation.format is None:
        return
    line = _format(preparation.format)
    yield from [line] if preparation.annotations is None else TextWrapper(width=_WIDTH).wrap(line)


def _format(file_format: FileFormat) -> str:
    parts = [_KINDS[file_format.kind]]
    if file_format.delimiter is not None:
        parts = [f"{parts[0]} with {delimiter_name(file_format.delimiter)} between the columns", _header(file_format)]
        if file_format.separator_line is not None:
            parts.append(f'a first line "{file_format.separator_line}"')
    if file_format.gzip:
        parts.insert(1, "gzip")
    if file_format.byte_order_mark:
        parts.append("byte order mark")
    parts.append(_LINE_ENDS[file_format.line_ends])
    return ", ".join(parts) + "."


def _header(file_format: FileFormat) -> str:
    if file_format.header is None:
        return "no header row"
    columns = (", " if len(file_format.header) > 2 else " and ").join(
        f'"{printable(name)}"' for name in file_format.header
    )
    return f"header row {columns}" + (" (text first)" if file_format.text_first else "")


def _counts(preparation: Preparation) -> str:
    return (
        f"{_number(preparation.lines, 'line')} read: {_number(preparation.documents, 'document')}, "
        f"{_number(preparation.duplicates, 'duplicate')} dropped, {_number(preparation.bad_lines_total, 'bad line')}."
    )


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _table(title: str, counts: dict[str, int]) -> Iterator[str]:
    yield ""
    yield title
    shown = nsmallest(_MOST_ROWS, counts.items(), key=lambda entry: (-entry[1], entry[0]))
    width = max(len(name) for name, _ in shown)
    digits = max(len(f"{count:,}") for _, count in shown)
    for name, count in shown:
        yield f"  {name:<{width}}  {count:>{digits},}"
    if len(counts) > len(shown):
        yield f"  and {len(counts) - len(shown):,} more"


def _problem(problem: Problem, *others: Problem) -> Iterator[str]:
    """One of the file as a whole, or lines that are bad in the same way."""
    wrapper = TextWrapper(
        width=_WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    yield from wrapper.wrap(f"{_place(problem)}{problem.message} [{problem.rule}]")
    wrapper.initial_indent = wrapper.subsequent_indent = "    "
    yield from wrapper.wrap(problem.fix)
    if problem.excerpt:
        yield f"    > {problem.excerpt}"
    for other in others:
        where = "" if other.line is None else f" ({_line(other)})"
        yield f"    > {other.excerpt or ''}{where}"


def _place(problem: Problem) -> str:
    if problem.line is None:
        file = "" if problem.file is None else f"{printable(problem.file)}: "
        return file + (f"{problem.alike:,} documents: " if problem.alike > 1 else "")
    more = f" and {problem.alike - 1:,} more" if problem.alike > 1 else ""
    return f"{_line(problem)}{more}: "


def _line(problem: Problem) -> str:
    return f"line {problem.line:,}" + ("" if problem.file is None else f" of {printable(problem.file)}")
