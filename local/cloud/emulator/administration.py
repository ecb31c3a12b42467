"""The switches of the local services below `/_local/`, for tests and demonstrations. Unsigned JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from local.cloud.emulator.ministack import app, concurrency

Answer = tuple[int, dict[str, str], bytes]


def answer_below(prefix: str, answer: Callable[[str, str, bytes], Answer]) -> None:
    """`answer` is called with method, path (its query included) and body of each request below `prefix`."""
    original = app._handle_post_body_shortcuts

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], request_id: str
    ) -> Any:
        if path.startswith(prefix):
            asked = f"{path}?{urlencode(query, doseq=True)}"
            return await concurrency.run_reentrant(answer, method, asked, body)
        return await original(method, path, headers, body, query, request_id)

    app._handle_post_body_shortcuts = handle
