# mypy: allow-untyped-calls
"""The API's contract: botocore's own model of the service, enforced as a server must.

The SDK checks required members, types and minima before it sends; patterns, enums and maxima are left to the service.
"""

from __future__ import annotations

import base64
import binascii
from functools import cache, lru_cache
from typing import Any, cast

import regex
from botocore.loaders import Loader
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

from local.comprehend.errors import invalid_request, service_error

TARGET_PREFIX = "Comprehend_20171127"
# The model lists the types of AWS's own recognizer; a custom one answers its own.
_OPEN_ENUMS = frozenset({"EntityType"})


@cache
def service_model() -> ServiceModel:
    """botocore's model of Amazon Comprehend."""
    return ServiceModel(Loader().load_service_model("comprehend", "service-2"), "comprehend")


@cache
def modelled_errors(operation: str) -> frozenset[str]:
    """The error codes the model lists for the operation."""
    return frozenset(shape.name for shape in _operation(operation).error_shapes)


def require_known(operation: str) -> None:
    """Raise UnknownOperationException when the API has no such operation."""
    if operation not in service_model().operation_names:
        raise service_error("UnknownOperationException", f"Amazon Comprehend has no operation {operation!r}.")


def validated(*, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """The request without null members (JSON null means absent) and without members that the model does not know (a
    newer SDK may send them), checked against the operation's input shape.

    Raises InvalidRequestException naming every constraint that fails, in the wording AWS services use.
    """
    cleaned = cast("dict[str, Any]", _known(without_nulls(request), _operation(operation).input_shape))
    problems = _problems(cleaned, _operation(operation).input_shape, "")
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise invalid_request(f"{len(problems)} validation {noun} detected: {'; '.join(problems)}")
    return cleaned


def without_nulls(value: Any) -> Any:
    """JSON in which each member of an object has a value."""
    # Most of what is within is text: to ask again for each piece of it takes twice as long.
    if isinstance(value, dict):
        return {
            name: without_nulls(member) if isinstance(member, (dict, list)) else member
            for name, member in value.items()
            if member is not None
        }
    if isinstance(value, list):
        return [without_nulls(item) if isinstance(item, (dict, list)) else item for item in value]
    return value


def response_problems(*, operation: str, response: dict[str, Any]) -> list[str]:
    """What in the response the operation's output shape does not allow; empty when it conforms."""
    return _problems(response, _operation(operation).output_shape, "")


def redacted(*, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """The request without what the model calls sensitive, such as a caller's text, and without documents: for logs."""
    if operation not in service_model().operation_names:
        return request
    hidden = _hidden(operation)
    return {name: "***" if name in hidden else value for name, value in request.items()}


@cache
def _hidden(operation: str) -> frozenset[str]:
    members = cast("StructureShape", _operation(operation).input_shape).members
    return frozenset(
        name for name, shape in members.items() if shape.metadata.get("sensitive") or shape.type_name == "blob"
    )


@cache
def _operation(operation: str) -> OperationModel:
    return service_model().operation_model(operation)


@cache
def _pattern(pattern: str) -> Any:
    # The model's patterns are Java's, where \s is ASCII only; it stands nowhere but inside brackets.
    return regex.compile(pattern.replace("\\s", " \\t\\n\\x0B\\f\\r"))


@lru_cache(maxsize=4096)
def _matches(pattern: str, value: str) -> bool:
    """Whoever polls sends the same ARN again and again."""
    return _pattern(pattern).fullmatch(value) is not None


def _known(value: object, shape: Shape | None) -> object:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {name: _known(value[name], shape.members[name]) for name in value if name in shape.members}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_known(item, shape.member) for item in value]
    return value


def _problems(value: object, shape: Shape | None, path: str) -> list[str]:
    if shape is None:
        return []
    if isinstance(shape, StructureShape):
        return _structure_problems(value, shape, path)
    if isinstance(shape, ListShape):
        return _list_problems(value, shape, path)
    if isinstance(shape, StringShape):
        return _string_problems(value, shape, path)
    if shape.type_name == "blob":
        return _blob_problems(value, shape, path)
    return _number_problems(value, shape, path)


def _structure_problems(value: object, shape: StructureShape, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [_wrong_type(value, path, "a structure")]
    problems = [
        f"Value at '{_child(path, name)}' failed to satisfy constraint: Member must not be null"
        for name in shape.required_members
        if name not in value
    ]
    for name, member in value.items():
        if name in shape.members:
            problems += _problems(member, shape.members[name], _child(path, name))
        else:
            problems.append(f"'{_child(path, name)}' is not a member of {shape.name}")
    return problems


def _list_problems(value: object, shape: ListShape, path: str) -> list[str]:
    if not isinstance(value, list):
        return [_wrong_type(value, path, "a list")]
    problems = _range_problems(len(value), shape, path, "Member must have length")
    for index, item in enumerate(value, start=1):
        problems += _problems(item, shape.member, f"{path}.{index}.member")
    return problems


def _string_problems(value: object, shape: StringShape, path: str) -> list[str]:
    if not isinstance(value, str):
        return [_wrong_type(value, path, "a string")]
    problems = _range_problems(len(value), shape, path, "Member must have length")
    constraint = "failed to satisfy constraint: Member must satisfy"
    if shape.enum and value not in shape.enum and shape.name not in _OPEN_ENUMS:
        problems.append(f"Value '{value}' at '{path}' {constraint} enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        problems.append(f"Value '{value}' at '{path}' {constraint} regular expression pattern: {pattern}")
    return problems


def _blob_problems(value: object, shape: Shape, path: str) -> list[str]:
    try:
        content = base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        content = None
    if content is None:
        return [_wrong_type(value, path, "base64 text")]
    return _range_problems(len(content), shape, path, "Member must have length")


def _number_problems(value: object, shape: Shape, path: str) -> list[str]:
    if shape.type_name == "boolean":
        return [] if isinstance(value, bool) else [_wrong_type(value, path, "a boolean")]
    whole = shape.type_name in ("integer", "long")
    accepted: tuple[type, ...] = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted):
        return [_wrong_type(value, path, "an integer" if whole else "a number")]
    return _range_problems(cast("float", value), shape, path, "Member must have value")


def _range_problems(size: float, shape: Shape, path: str, constraint: str) -> list[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    problems = []
    if minimum is not None and size < minimum:
        problems.append(f"Value at '{path}' failed to satisfy constraint: {constraint} >= {minimum}")
    if maximum is not None and size > maximum:
        problems.append(f"Value at '{path}' failed to satisfy constraint: {constraint} <= {maximum}")
    return problems


def _wrong_type(value: object, path: str, expected: str) -> str:
    return f"Value at '{path}' must be {expected}, not {type(value).__name__}"


def _child(path: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member
