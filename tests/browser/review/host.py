"""The review page's JSON contract (docs/review-api.md) in memory, with switches for what a real host is rarely in.

Playwright answers the browser's requests from here: no port, no network, and an answer can wait until a test lets it
go.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import BrowserContext, Route

ORIGIN = "http://127.0.0.1"
PAGE = f"{ORIGIN}/review/#token=secret"
PAGES = Path(__file__).parents[3] / "ops" / "pages"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Body = dict[str, Any]


@dataclass
class Failure(Exception):
    status: int
    code: str
    message: str


@dataclass
class Host:
    """One reviewer's view of a queue. `items` wait in this order."""

    items: list[Body]
    labels: Sequence[str] = ("BUSINESS", "SCI_TECH", "SPORTS", "WORLD")
    model_type: str = "DOCUMENT_CLASSIFIER"
    multi_label: bool = False
    label_word: str = "label"
    guidelines: str | None = "<h2>What is news</h2><p>Choose the <em>first</em> topic.</p>"
    batch: int = 10
    more: bool = False
    answered_before: int = 0
    claim_seconds: int = 900
    offline: bool = False
    """Nothing of the contract answers; the page's files do."""
    refusals: dict[str, Failure] = field(default_factory=dict)
    """By item, or "session", "claims", "guidelines"."""
    answers: dict[str, Body] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    """Every request of the contract, in order: method, path, body."""
    _held: list[Callable[[], None]] | None = None
    _given: list[str] = field(default_factory=list)

    def attach(self, context: BrowserContext) -> None:
        context.route("**/*", self._route)

    def hold(self) -> None:
        """From now on answers wait for `release`."""
        self._held = []

    def release(self) -> None:
        held, self._held = self._held or [], None
        for answer in held:
            answer()

    def lose(self, item: str) -> None:
        """A claim that somebody else has now."""
        self._given.remove(item)
        self.items = [other for other in self.items if other["id"] != item]

    def sent(self, method: str) -> list[tuple[str, Any]]:
        return [(path, body) for called, path, body in self.calls if called == method]

    def _route(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if not route.request.url.startswith(f"{ORIGIN}/"):
            route.abort()
        elif not url.path.startswith("/api/review/"):
            self._serve(route, url.path)
        elif self.offline:
            route.abort("internetdisconnected")
        elif self._held is not None:
            self._held.append(lambda: self._answer(route, url.path))
        else:
            self._answer(route, url.path)

    def _serve(self, route: Route, path: str) -> None:
        file = PAGES / (path.lstrip("/") + ("index.html" if path.endswith("/") else ""))
        if not file.is_file():
            route.fulfill(status=404, headers=HEADERS)
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        route.fulfill(body=file.read_bytes(), headers={**HEADERS, "Content-Type": kind})

    def _answer(self, route: Route, path: str) -> None:
        path = unquote(path.removeprefix("/api/review/"))
        posted = route.request.post_data
        body = json.loads(posted) if posted else None
        self.calls.append((route.request.method, path, body))
        try:
            self._fail_if_told(path)
            status, answer = 200, self._call(route.request.method, path, body)
        except Failure as failure:
            status, answer = failure.status, {"code": failure.code, "message": failure.message}
        route.fulfill(status=status, headers={**HEADERS, "Content-Type": "application/json"}, body=json.dumps(answer))

    def _fail_if_told(self, path: str) -> None:
        if failure := self.refusals.get(path.removeprefix("answers/")):
            raise failure

    def _call(self, method: str, path: str, body: Any) -> Body:
        match method, path.split("/", 1):
            case "GET", ["session"]:
                return self._session()
            case "GET", ["guidelines"]:
                return {"html": self.guidelines}
            case "POST", ["claims"]:
                return self._claim(body["count"])
            case "PUT", ["answers", item]:
                self._check(item, body)
                self.answers[item] = body
                return {"state": "ANSWERED"}
            case "DELETE", ["answers", item]:
                self.answers.pop(item, None)
                return {"item": self._item(item), "until": "2026-11-29T08:00:00Z"}
        raise Failure(404, "NOT_FOUND", f"{method} {path}")

    def _session(self) -> Body:
        return {
            "flywheel": "news-flywheel",
            "reviewer": {"id": "arn:aws:iam::111122223333:user/ada", "name": "ada"},
            "model_type": self.model_type,
            "multi_label": self.multi_label,
            "labels": [*self.labels],
            "label_word": self.label_word,
            "guidelines": self.guidelines is not None,
            "reviewers_per_item": 1,
            "claim_seconds": self.claim_seconds,
            "batch": self.batch,
        }

    def _claim(self, count: int) -> Body:
        open_items = [item for item in self.items if item["id"] not in self.answers]
        held = [item for item in open_items if item["id"] in self._given]
        fresh = [item for item in open_items if item["id"] not in self._given]
        given = [*held, *fresh][:count]
        self._given += [item["id"] for item in given if item["id"] not in self._given]
        waiting = {"count": len(open_items) - len(given), "more": self.more}
        done = self.answered_before + sum(body["verdict"] == "ANSWER" for body in self.answers.values())
        return {"items": given, "until": "2026-11-29T08:00:00Z", "waiting": waiting, "answered": done}

    def _item(self, item: str) -> Body:
        return next(other for other in self.items if other["id"] == item)

    def _check(self, item: str, body: Body) -> None:
        if not any(other["id"] == item for other in self.items):
            raise Failure(404, "ITEM_GONE", "The text is not in the queue any more.")
        unknown = {*body.get("labels", ()), *(entity["type"] for entity in body.get("entities", ()))} - {*self.labels}
        if unknown:
            raise Failure(400, "INVALID_ANSWER", f"The flywheel has no label {', '.join(sorted(unknown))}.")


def text_item(number: int, text: str, **more: Any) -> Body:
    """An item without a suggestion."""
    return {
        "id": f"{number:032x}",
        "text": text,
        "lane": "3-uncertain",
        "source": "API",
        "at": "2026-11-29T07:40:00Z",
        "model": None,
        "confidence": None,
        "note": None,
        "suggestion": None,
        "proposals": [],
        "answers": [],
        **more,
    }


def classified(number: int, text: str, scores: Mapping[str, float], *, above: float | None = None, **more: Any) -> Body:
    """An item with scores of labels: the best one is chosen or, of a multi-label model, those from `above` on."""
    best = max(scores.values())
    labels = [
        {"name": name, "score": score, "chosen": score == best if above is None else score >= above}
        for name, score in sorted(scores.items(), key=lambda pair: -pair[1])
    ]
    return text_item(number, text, suggestion={"labels": labels}, confidence=best, **more)


def recognized(number: int, text: str, *found: tuple[str, str, float], **more: Any) -> Body:
    """An item with entities: what of the text, as what type, with what score."""
    entities = [
        {"type": type_, "begin": text.index(words), "end": text.index(words) + len(words), "score": score}
        for words, type_, score in found
    ]
    least = min((score for *_, score in found), default=None)
    return text_item(number, text, suggestion={"entities": entities}, confidence=least, **more)
