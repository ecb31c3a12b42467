"""The sections of a turn's page about uploads: the outcome of each, and what was rejected and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flywheel.records.turns import TurnRecord
from flywheel.records.uploads import BadLine, Upload, UploadOutcome, UploadResult
from flywheel.report.markup import Markup, element
from flywheel.report.reviewed import reviewed_sentence
from flywheel.report.tables import number, table
from flywheel.uploads import replaced

_EXAMPLES = 10
_UPLOADS = 500
_REJECTED = 100
_KINDS = {
    UploadOutcome.ACCEPTED: "good",
    UploadOutcome.PARTLY_ACCEPTED: "mild",
    UploadOutcome.REJECTED: "bad",
}
_ORDER = [UploadOutcome.REJECTED, UploadOutcome.PARTLY_ACCEPTED]


def upload_sections(record: TurnRecord) -> Iterator[Markup]:
    """Empty without uploads."""
    results = sorted(record.uploads, key=_worst_first)
    rows = [
        *(_row(result) for result in results[:_UPLOADS]),
        *(
            _other(upload, "not prepared", "Its preparation failed; it stays where it is.")
            for upload in record.unprepared
        ),
        *(_other(folder.upload, "incomplete", f"It waits for {folder.missing}.") for folder in record.incomplete),
        *(_other(upload, "replaced", replaced.words(upload)) for upload in record.replaced),
    ]
    if not rows:
        return
    yield element(
        "section",
        element("h2", "Uploads"),
        table(
            "Uploads",
            ("File", "Outcome", number("Documents"), number("Bad lines"), number("Duplicates"), "Why"),
            rows,
            caption=_left_out(record.counts.uploads - len(results[:_UPLOADS]), "uploads", record.uploads_folder),
        ),
        *([element("p", element("bdi", reviewed_sentence(record.reviewed)))] if record.reviewed else []),
    )
    rejected = [result for result in results if result.examples]
    if rejected:
        some_rejected = (UploadOutcome.REJECTED, UploadOutcome.PARTLY_ACCEPTED)
        total = sum(record.counts.outcomes.get(outcome, 0) for outcome in some_rejected)
        left_out = _left_out(total - len(rejected[:_REJECTED]), "uploads", record.uploads_folder)
        yield element(
            "section",
            element("h2", "What was rejected, and why"),
            *(part for result in rejected[:_REJECTED] for part in _rejection(result)),
            *([element("p", left_out)] if left_out else []),
        )
    remarked = [result for result in results if result.remark_examples]
    if remarked:
        yield element(
            "section",
            element("h2", "What was accepted, and is worth knowing"),
            *(part for result in remarked[:_REJECTED] for part in _remarks(result)),
        )


def _worst_first(result: UploadResult) -> tuple[int, str, str]:
    place = _ORDER.index(result.outcome) if result.outcome in _ORDER else len(_ORDER)
    return place, result.upload.key, result.upload.version_id


def _row(result: UploadResult) -> Markup:
    kind = _KINDS.get(result.outcome, "")
    return element(
        "tr",
        element("th", element("bdi", result.upload.key), scope="row", class_="words"),
        element("td", element("span", result.outcome, class_=f"badge {kind}".strip())),
        element("td", f"{result.documents:,}", class_="number"),
        element("td", f"{sum(result.bad_lines.values()):,}", class_="number"),
        element("td", f"{result.duplicates:,}", class_="number"),
        element("td", result.reason, class_="words"),
    )


def _other(upload: Upload, outcome: str, reason: str) -> Markup:
    return element(
        "tr",
        element("th", element("bdi", upload.key), scope="row", class_="words"),
        element("td", element("span", outcome, class_="badge mild")),
        *(element("td", "\u2013", class_="number") for _ in range(3)),
        element("td", reason, class_="words"),
    )


def _rejection(result: UploadResult) -> Iterator[Markup]:
    yield element("h3", element("bdi", result.upload.key))
    counts = sorted(result.bad_lines.items(), key=lambda item: (-item[1], item[0]))
    if counts:
        yield element("p", "; ".join(f"{rule}: {_lines(lines)}" for rule, lines in counts))
    if result.examples:
        yield _problems(f"What was rejected of {result.upload.key}", result.examples)
    yield element("p", f"The whole report: flywheel rejected {result.upload.id}", class_="soft")


def _remarks(result: UploadResult) -> Iterator[Markup]:
    yield element("h3", element("bdi", result.upload.key))
    yield element("p", "; ".join(f"{rule}: {count:,}" for rule, count in result.remarks.items()))
    yield _problems(f"Remarks on {result.upload.key}", result.remark_examples)


def _problems(title: str, problems: Sequence[BadLine]) -> Markup:
    return table(
        title,
        (number("Line"), "Rule", "What is wrong", "How to mend it", "What it says"),
        [_example(problem) for problem in problems[:_EXAMPLES]],
        caption=f"The first {_EXAMPLES}; more are in the report." if len(problems) > _EXAMPLES else "",
    )


def _place(example: BadLine) -> str:
    if example.line is None:
        return example.file or "whole file"
    return f"{example.line:,}" + (f" of {example.file}" if example.file else "")


def _example(example: BadLine) -> Markup:
    return element(
        "tr",
        element("td", _place(example), class_="number"),
        element("td", example.rule),
        element("td", example.message, class_="words"),
        element("td", example.fix, class_="words"),
        element("td", *([element("bdi", example.excerpt)] if example.excerpt else []), class_="excerpt"),
    )


def _lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"


def _left_out(count: int, what: str, folder: str | None) -> str:
    return f"{count:,} more {what} are in {folder or 'turn.json'}." if count > 0 else ""
