"""One JSON object on each line, read strictly: what has two meanings is no object."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from .label_advice import shortened
from .problems import Violation
from .rules import INVALID_JSON, REPEATED_JSON_KEY, check_utf8

_KEYS_SHOWN = 5
# White space, and a byte order mark where files were put together.
_AROUND = " \t\r\n\ufeff"
# Decoded, every value takes tens of bytes.
_LINE_OF_MANY_VALUES = 1 << 20
_MOST_VALUES = 2_000_000
_OBJECTS_LOOKED_AT = 100


class _RepeatedKeyError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _NotJsonError(Exception):
    """NaN and the like, which Python's decoder takes."""


def read_object(raw: bytes, *, utf8: bool, example: str) -> dict[str, Any] | Violation:
    """The object on a line. ``utf8`` says that the line is known to be UTF-8; ``example`` is a line as it should be."""
    violation = None if utf8 else check_utf8(raw)
    if violation is not None:
        return violation
    if len(raw) > _LINE_OF_MANY_VALUES and sum(map(raw.count, (b",", b'"', b"[", b"{"))) > _MOST_VALUES:
        return _invalid("it holds too many values", example)
    try:
        value = _decode(raw.decode().strip(_AROUND))
    except _RepeatedKeyError as error:
        return Violation(REPEATED_JSON_KEY, {"key": shortened(error.key)})
    except json.JSONDecodeError as error:
        return _invalid(_reason(error), example)
    except _NotJsonError as error:
        return _invalid(f"{error} is no JSON value", example)
    except (ValueError, RecursionError):
        return _invalid("it is nested too deeply or holds too long a number", example)
    return value if isinstance(value, dict) else _invalid("it is some other JSON value", example)


def lines_of(raw: bytes) -> Iterator[bytes]:
    """Lines with their newlines, empty ones without; bytes.splitlines() would also break at a lone carriage return."""
    lines = raw.split(b"\n")
    last = lines.pop()
    for line in lines:
        yield line + b"\n" if line else line
    if last:
        yield last


def first_objects(sample: bytes) -> list[dict[str, Any]]:
    """The first lines that are JSON objects; none if the first line looks like something else."""
    objects: list[dict[str, Any]] = []
    for raw in lines_of(sample) if sample.lstrip().startswith(b"{") else ():
        value = read_object(raw, utf8=False, example="")
        if isinstance(value, dict):
            objects.append(value)
            if len(objects) == _OBJECTS_LOOKED_AT:
                break
    return objects


def keys_shown(value: Mapping[str, Any]) -> str:
    names = [f'"{shortened(key)}"' for key in islice(value, _KEYS_SHOWN)]
    return ("only " if len(value) <= _KEYS_SHOWN else "") + ", ".join(names) if names else "none at all"


def _invalid(reason: str, example: str) -> Violation:
    return Violation(INVALID_JSON, {"reason": reason, "example": example})


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        raise _RepeatedKeyError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]  # None is meant
    return value


def _no_json(name: str) -> None:
    raise _NotJsonError(name)


_decode = json.JSONDecoder(object_pairs_hook=_without_repeated_keys, parse_constant=_no_json).decode


def _reason(error: json.JSONDecodeError) -> str:
    """What is wrong in words of its own for what people do: objects side by side, and an array's commas."""
    rest = error.doc[error.pos : error.pos + 1]
    if error.msg == "Extra data" and rest == "{":
        return f"another object begins at character {error.pos + 1} of the same line"
    if error.msg == "Extra data" and rest == ",":
        return "a comma follows it, as in a JSON array"
    return f"{error.msg} at character {error.pos + 1}"
