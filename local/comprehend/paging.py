"""Pages and filters of the List operations."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from local.comprehend.errors import invalid_request, service_error

Item = TypeVar("Item")

DEFAULT_PAGE = 100


def newest_first_page(
    items: Iterable[Item], *, key: Callable[[Item], tuple[float, str]], request: dict[str, Any]
) -> tuple[list[Item], dict[str, str]]:
    """The page the request asks for, newest first, and ``{"NextToken": ...}`` if there are more.

    ``key`` gives creation time and ARN. A token says after which item to go on, so that items made in between are
    neither missed nor repeated; it is good only for the same query. Raises InvalidRequestException for any other.
    """
    query = _digest({name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")})
    ordered = sorted(items, key=key, reverse=True)
    if "NextToken" in request:
        position = _position(request["NextToken"], query)
        ordered = [item for item in ordered if key(item) < position]
    page = ordered[: request.get("MaxResults", DEFAULT_PAGE)]
    if len(page) == len(ordered):
        return page, {}
    token = json.dumps([query, *key(page[-1])]).encode()
    return page, {"NextToken": base64.urlsafe_b64encode(token).decode()}


def require_one_filter(request: dict[str, Any], *, error: str = "InvalidFilterException") -> None:
    """Raise ``error`` if more than one member of the Filter is set."""
    given = request.get("Filter", {})
    if len(given) > 1:
        raise service_error(error, f"Only one filter can be set at a time, not {' and '.join(sorted(given))}.")


def in_time(moment: float, filter_: dict[str, Any], *, after: str, before: str) -> bool:
    """Whether the moment is after and before the filter's members of these names, where set."""
    earliest: float = filter_.get(after, float("-inf"))
    latest: float = filter_.get(before, float("inf"))
    return earliest < moment < latest


def _position(token: str, query: str) -> tuple[float, str]:
    try:
        decoded = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _invalid_token() from error
    match decoded:
        case [str(digest), int() | float() as created, str(arn)] if digest == query:
            return float(created), arn
        case _:
            raise _invalid_token()


def _invalid_token() -> Exception:
    return invalid_request("The NextToken is not valid for this request. Use the one of the answer before.")


def _digest(query: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()[:16]
