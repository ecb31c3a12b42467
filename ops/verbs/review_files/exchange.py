"""Takes items of the review queue out into a file of another tool, and its answers in.

Who takes them out holds them for EXPORT_LASTS, under their name with the tool's, so that the review page does not show
them the same items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from flywheel.preparation import Problem
from flywheel.records.review import ReviewItem
from flywheel.review.answer_item import answer
from flywheel.review.claim_items import claim
from flywheel.review.errors import ReviewError
from flywheel.review.queue import ReviewQueue
from flywheel.store.record import Record
from ops.deployment.errors import FileError
from ops.verbs.review_files import augmented_manifest, label_studio
from ops.verbs.review_files.returned import Returned

EXPORT_LASTS = timedelta(days=14)
MOST_ITEMS = 1_000
_DELIMITER = "\x1f"
"""In the files labels stand in lists."""


class Tool(StrEnum):
    LABEL_STUDIO = "label-studio"
    AUGMENTED_MANIFEST = "augmented-manifest"


class Exported(Record):
    items: int
    until: datetime
    """Then they go back into the queue, unless they are answered."""
    path: str


class Refusal(Record):
    where: str
    message: str


class Imported(Record):
    answered: int
    """Items that got this answer now, or had it already."""
    unanswered: int
    """Items of the file that nobody answered."""
    states: dict[str, int] = {}
    """What became of those answered: items by state."""
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Format:
    content: Callable[[Sequence[tuple[ReviewItem, dict[str, Any] | None]]], str]
    returned: Callable[..., list[Returned]]


def export_items(
    queue: ReviewQueue,
    path: Path,
    *,
    tool: Tool,
    by: str,
    count: int,
    now: datetime,
    interface: Path | None = None,
) -> Exported:
    """Until the exporter holds `count` items: those taken out before and not answered are in the file again.

    `interface` is where the labeling interface of a project in Label Studio is written. Raises FileError.
    """
    # Before anything is claimed: what is claimed and in no file waits for EXPORT_LASTS.
    _write(path, "")
    if interface is not None:
        # What the kind of model writes of a document without labels shows whether they stand in the text.
        spans = "entities" in json.loads(queue.kind.upload_line("", (), {}))
        several = queue.task.multi_label
        _write(interface, label_studio.labeling_interface(queue.task.labels, spans=spans, several=several))
    claimed = claim(queue, by=_name(by, tool), count=count, now=now, lasts=EXPORT_LASTS)
    _write(path, _FORMATS[tool].content([(item, _suggested(item, queue)) for item in claimed.items]))
    return Exported(items=len(claimed.items), until=claimed.until, path=str(path))


def import_answers(queue: ReviewQueue, path: Path, *, tool: Tool, by: str, now: datetime) -> Imported:
    """All of the file is read before the first answer is given. Raises FileError; an answer that the queue refuses
    does not stop the others."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from error
    returned = _FORMATS[tool].returned(content, path=str(path))
    given = [each for each in returned if each.line is not None]
    states: dict[str, int] = {}
    refused: list[Refusal] = []
    for each, labels in zip(given, _labels(given, queue), strict=True):
        try:
            item = queue.read(each.item)
            if item.text != each.text:
                raise FileError("The text is not the item's: the tool, or somebody, has changed it.")
            state = answer(queue, item=each.item, by=_name(by, tool), now=now, labels=labels).state
        except (ReviewError, FileError) as error:
            refused.append(Refusal(where=each.where, message=str(error)))
        else:
            states[state] = states.get(state, 0) + 1
    return Imported(
        answered=sum(states.values()),
        unanswered=len(returned) - len(given),
        states=dict(sorted(states.items())),
        refused=tuple(refused),
    )


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8", errors="surrogatepass", newline="")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.") from error


def _labels(given: Sequence[Returned], queue: ReviewQueue) -> list[tuple[str, ...]]:
    """What each document has, read as an upload is. Raises FileError for the first that cannot be."""
    found = []
    for each in given:
        read = queue.kind.read_documents(
            f"{(each.line or '').strip()}\n".encode(errors="surrogatepass"), task=queue.task, delimiter=_DELIMITER
        )
        if isinstance(read, Problem):
            raise FileError(f"{each.where}: {read.message} {read.fix}")
        if len(read) != 1:
            raise FileError(f"{each.where} has no document.")
        found.append(queue.kind.labels_in(each.text, read[0].labels, read_as=read[0].text))
    return found


def _suggested(item: ReviewItem, queue: ReviewQueue) -> dict[str, Any] | None:
    if item.suggestion is None:
        return None
    suggested: dict[str, Any] = json.loads(queue.kind.upload_line(item.text, item.suggestion.labels, {}))
    return suggested


def _name(by: str, tool: Tool) -> str:
    return f"{by} with {tool}"


_FORMATS = {
    Tool.LABEL_STUDIO: _Format(
        content=lambda items: json.dumps([label_studio.task_of(*each) for each in items], ensure_ascii=False, indent=1),
        returned=label_studio.returned,
    ),
    Tool.AUGMENTED_MANIFEST: _Format(
        content=lambda items: "".join(augmented_manifest.line_of(*each) for each in items),
        returned=augmented_manifest.returned,
    ),
}
