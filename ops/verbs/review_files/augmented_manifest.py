"""Augmented manifests, as SageMaker Ground Truth and tools that follow it take and write them: a document a line.

On the way out a line has the document as its `source`, and what the model suggested as `suggested`, which is no
attribute of a labeling job. On the way in the attribute of the labeling job is read as that of an upload is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flywheel.records.review import ReviewItem
from ops.deployment.errors import FileError
from ops.verbs.review_files.returned import Returned

_METADATA = "-metadata"


def line_of(item: ReviewItem, suggested: Mapping[str, Any] | None) -> str:
    line: dict[str, Any] = {"source": item.text, "item": item.id}
    if suggested is not None:
        line["suggested"] = {name: value for name, value in suggested.items() if name != "text"}
    return json.dumps(line, ensure_ascii=False) + "\n"


def returned(content: bytes, *, path: str) -> list[Returned]:
    """What people answered, line by line. Raises FileError."""
    lines = content.decode("utf-8-sig", errors="replace").splitlines()
    return [_returned(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]


def _returned(line: str, where: str) -> Returned:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise FileError(f"{where} is not JSON: {error}.") from error
    if not isinstance(value, dict) or not all(isinstance(value.get(name), str) for name in ("item", "source")):
        raise FileError(f"{where} has no item and source, as the lines of `flywheel review export` have.")
    answered = any(name.endswith(_METADATA) for name in value)
    return Returned(item=value["item"], text=value["source"], where=where, line=line if answered else None)
