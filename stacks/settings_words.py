"""What is wrong with settings, in words: for the person who wrote them, who need not know pydantic."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

LONGEST_SHOWN = 80
"""Characters of a value that is wrong."""
_CLOSE = 0.8
_SHORTEST_BEGINNING = 4


def sentences(error: ValidationError, *, model: type[BaseModel]) -> list[str]:
    """One for each wrong setting."""
    details = error.errors()
    # A wrong item makes pydantic call the whole list too short as well.
    wrong_lists = {detail["loc"][:-1] for detail in details}
    return [
        _sentence(detail, model=model)
        for detail in details
        if not (detail["type"] == "too_short" and detail["loc"] in wrong_lists)
    ]


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name that somebody may have meant."""
    plain = {_plain(other): other for other in known}
    written = _plain(name)
    close = difflib.get_close_matches(written, plain, n=1, cutoff=_CLOSE)
    begun = [other for other in plain if len(written) >= _SHORTEST_BEGINNING and other.startswith(written)]
    found = [*close, *begun]
    return plain[found[0]] if found else None


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _plain(name: str) -> str:
    return name.casefold().replace("-", "").replace("_", "")


def _sentence(detail: Any, *, model: type[BaseModel]) -> str:
    """`detail` is one of pydantic's error details."""
    kind, given, context, location = detail["type"], detail["input"], detail.get("ctx", {}), detail["loc"]
    name = ".".join(str(part) for part in location if part != "[key]")
    setting, words = _described(location, model)
    if kind == "missing":
        return f"{name} is missing: {words}."
    if kind == "extra_forbidden":
        known = list(_owner(location, model).model_fields)
        meant = near(str(location[-1]), known)
        hint = f"; did you mean {meant}?" if meant else ";"
        return f"{name} is not a setting{hint} The settings {'there ' if location[:-1] else ''}are {', '.join(known)}."
    if kind == "value_error" and not name:
        return f"{context['error']}."
    if kind == "value_error":
        return f"{name} is {shown(given)}: {context['error']}."
    if kind in {"literal_error", "enum"}:
        return f"{name} is {shown(given)}: allowed is {context['expected']}."
    length = f" ({len(given)} characters)" if kind == "string_too_long" else ""
    return f"{name} is {shown(given)}{length}: {'it' if name == setting else setting} must be {words}."


def _described(location: Sequence[str | int], model: type[BaseModel]) -> tuple[str, str]:
    """The setting that the location is in, and its description."""
    owner, found, setting, words = model, [], "", ""
    for part in location:
        field = owner.model_fields.get(str(part))
        if field is None:
            break
        found.append(str(part))
        if field.description:
            setting, words = ".".join(found), field.description
        owner = _section(field.annotation) or owner
    return setting, words


def _owner(location: Sequence[str | int], model: type[BaseModel]) -> type[BaseModel]:
    """The section that would hold the last part of the location."""
    for part in location[:-1]:
        model = _section(model.model_fields[str(part)].annotation) or model
    return model


def _section(annotation: Any) -> type[BaseModel] | None:
    """The section in `Section`, `Section | None`."""
    choices = getattr(annotation, "__args__", (annotation,))
    return next((choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel)), None)
