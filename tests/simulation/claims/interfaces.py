"""Claims about what others may rely on: docs/interfaces.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from pydantic import ValidationError

import flywheel.records
from flywheel.store.record import Record
from tests.documents import quoted, table
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.simulation import Situation


def records_are_what_the_documents_say(situation: Situation) -> None:
    """Each is read as the record that the document names, and written as it was: nothing in it goes lost when a step
    changes it."""
    for app in (situation.app, situation.importing):
        if app is not None:
            for key in situation.world.s3.keys(app.intake):
                found = next((record for pattern, record in _documented() if pattern.fullmatch(key)), None)
                written = situation.world.s3.object(app.intake, key)
                if found is None or written is None:
                    continue
                require(_again(found, written.body) == written.body, f"{key} is no {found.__name__}: {written.body!r}")


def _again(kind: type[Record], body: bytes) -> bytes | None:
    try:
        return kind.model_validate_json(body).to_json()
    except ValidationError:
        return None


@cache
def _documented() -> list[tuple[re.Pattern[str], type[Record]]]:
    """Of the rows whose object is one record. What people write is theirs."""
    for module in iter_modules(flywheel.records.__path__, "flywheel.records."):
        import_module(module.name)
    known = {kind.__name__: kind for kind in _kinds(Record)}
    found = []
    for row in table("docs/interfaces.md", "Intake bucket"):
        name = next(iter(quoted(row["record"])), "")
        is_one = name in known and row["record"].startswith(f"`{name}`")
        if is_one and not row["written by"].startswith("people"):
            found.append((_pattern(quoted(row["key"])[0]), known[name]))
    return found


def _pattern(key: str) -> re.Pattern[str]:
    """`turns/<turn>/begin.json` as an expression."""
    parts = re.split(r"(<[^>]+>|\.\.\.)", key)
    any_name = {"<": "[^/]+", ".": ".*"}
    of_part = (any_name[part[0]] if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile("".join(of_part))


def _kinds(of: type[Record]) -> Iterator[type[Record]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)
