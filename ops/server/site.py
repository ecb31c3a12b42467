"""The pages, and what they ask for, as one ASGI application behind the guard."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from ops.server.answers import refusal
from ops.server.security import Door, Guard

if TYPE_CHECKING:
    from starlette.types import ASGIApp

PAGES = Path(__file__).resolve().parents[1] / "pages"
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class _Pages(StaticFiles):
    """Only what a page is made of, with types that no setting of the machine changes."""

    def file_response(self, full_path: object, *args: object, **options: object) -> Response:
        media_type = _MEDIA_TYPES.get(Path(str(full_path)).suffix)
        if media_type is None:
            raise HTTPException(404)
        answer = super().file_response(full_path, *args, **options)  # type: ignore[arg-type]  # passed through as they came
        answer.headers["Content-Type"] = f"{media_type}; charset=utf-8"
        return answer


def site(door: Door, routes: Iterable[BaseRoute]) -> ASGIApp:
    """`routes` answer below `/api/`; everything else is a file of the pages."""
    pages = Mount("/", app=_Pages(directory=PAGES, html=True))
    app = Starlette(routes=[*routes, pages], exception_handlers={HTTPException: _http_error, Exception: _defect})
    return Guard(app, door=door)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this class
    words = {404: ("NOT_FOUND", "There is no such page."), 405: ("WRONG_METHOD", "This cannot be asked that way.")}
    return refusal(error.status_code, *words.get(error.status_code, ("FAILED", str(error.detail))))


async def _defect(_: Request, __: Exception) -> Response:
    """The server prints its trace, which names no text of a person's."""
    return refusal(500, "DEFECT", "The host has a defect: the terminal in which it runs shows where.")
