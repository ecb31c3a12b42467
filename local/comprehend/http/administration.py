"""``/_local/comprehend/...``: switches for tests and demonstrations in another process. Unsigned JSON.

| method and path | body, answer |
|---|---|
| GET settings | the settings in force (:class:`~local.comprehend.settings.Settings`) |
| PUT settings | members to change; answers all |
| GET faults | the faults switched on, each with how often it ``struck`` |
| POST faults | a :class:`~local.comprehend.faults.Fault` |
| DELETE faults | switches all off |
| GET calls | the calls answered, oldest first; ``?operation=Name`` for one operation |
| DELETE calls | empties that log |
| GET debug | for each dataset with unknown labels, what was silently left out |
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from local.comprehend.faults import Fault
from local.comprehend.service import Comprehend

PATH_PREFIX = "/_local/comprehend/"

Content = dict[str, Any]


def handle_administration(
    service: Comprehend, method: str, path: str, body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Answer one request below :data:`PATH_PREFIX` (``path`` with its query): ``(status, headers, body)``.

    400 with ``{"error": ...}`` for content that cannot be used, 404 for a method and path not in the table above.
    """
    parts = urlsplit(path)
    resource = parts.path.removeprefix(PATH_PREFIX)
    actions: dict[tuple[str, str], Callable[[], Content]] = {
        ("GET", "settings"): lambda: service.settings.model_dump(),
        ("PUT", "settings"): lambda: _change_settings(service, body),
        ("GET", "faults"): lambda: _faults(service),
        ("POST", "faults"): lambda: _add_fault(service, body),
        ("DELETE", "faults"): lambda: _cleared(service.faults.clear),
        ("GET", "calls"): lambda: _calls(service, parse_qs(parts.query)),
        ("DELETE", "calls"): lambda: _cleared(service.calls.clear),
        ("GET", "debug"): lambda: {"dropped": [vars(dropped) for dropped in service.dropped_documents()]},
    }
    action = actions.get((method, resource))
    if action is None:
        return _answer(404, {"error": f"There is no {method} {resource} here."})
    try:
        return _answer(200, action())
    except (ValidationError, ValueError) as error:
        return _answer(400, {"error": str(error)})


def _change_settings(service: Comprehend, body: bytes) -> Content:
    service.settings = service.settings.merged(json.loads(body))
    return service.settings.model_dump()


def _add_fault(service: Comprehend, body: bytes) -> Content:
    service.faults.add(Fault.model_validate_json(body))
    return _faults(service)


def _faults(service: Comprehend) -> Content:
    return {"faults": [{**fault.model_dump(), "struck": struck} for fault, struck in service.faults.listed()]}


def _calls(service: Comprehend, query: dict[str, list[str]]) -> Content:
    operation = query["operation"][0] if "operation" in query else None
    return {"calls": [call.model_dump() for call in service.calls.listed(operation=operation)]}


def _cleared(clear: Callable[[], None]) -> Content:
    clear()
    return {}


def _answer(status: int, content: Content) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
