"""Finding resources: one by its ARN, or pages of many."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from local.comprehend.errors import invalid_request, not_found, service_error

if TYPE_CHECKING:
    from local.comprehend.runtime import Runtime

DEFAULT_PAGE = 100


class Listed(Protocol):
    created: float

    @property
    def position(self) -> tuple[float, str]:
        """What lists are ordered by: when it was created, and what tells it from others of that moment."""


Item = TypeVar("Item", bound=Listed)


def find(known: Mapping[str, Item], arn: str, *, what: str, shown_by: Runtime | None = None) -> Item:
    """The resource with this ARN, if Describe finds it already (with ``shown_by``).

    Raises ResourceNotFoundException; ``what`` it is stands in its message.
    """
    found = known.get(arn)
    if found is None or (shown_by is not None and not shown_by.shows(found.created)):
        raise not_found(f"There is no {what} {arn}.")
    return found


def newest_first_page(
    items: Iterable[Item],
    request: dict[str, Any],
    *,
    shown_by: Runtime,
    facts: Callable[[Item], dict[str, object]] = lambda _: {},
    time: str = "CreationTime",
) -> tuple[list[Item], dict[str, str]]:
    """The page the request asks for, newest first, and ``{"NextToken": ...}`` if there are more.

    The request's Filter compares the ``facts`` of an item, and its moment with the members that begin with ``time``. A
    token says after which item to go on, so that items made in between are neither missed nor repeated; it is good only
    for the same query. Raises InvalidRequestException for any other.
    """
    filter_ = request.get("Filter", {})
    earliest: float = filter_.get(f"{time}After", float("-inf"))
    latest: float = filter_.get(f"{time}Before", float("inf"))
    matching = (
        item
        for item in items
        if shown_by.shows(item.created)
        and all(filter_.get(name, fact) == fact for name, fact in facts(item).items())
        and earliest < item.created < latest
    )
    query = _digest({name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")})
    ordered = sorted(matching, key=lambda item: item.position, reverse=True)
    if "NextToken" in request:
        position = _position(request["NextToken"], query)
        ordered = [item for item in ordered if item.position < position]
    page = ordered[: request.get("MaxResults", DEFAULT_PAGE)]
    if len(page) == len(ordered):
        return page, {}
    token = json.dumps([query, *page[-1].position]).encode()
    return page, {"NextToken": base64.urlsafe_b64encode(token).decode()}


def require_one_filter(request: dict[str, Any], *, error: str = "InvalidFilterException") -> None:
    """Raise ``error`` if more than one member of the Filter is set."""
    given = request.get("Filter", {})
    if len(given) > 1:
        raise service_error(error, f"Only one filter can be set at a time, not {' and '.join(sorted(given))}.")


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
