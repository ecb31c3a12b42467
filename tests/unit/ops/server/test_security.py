"""Who is answered by the local host, and what its answers tell the browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route

from ops.server.answers import Call, json_route
from ops.server.security import MOST_BODY_BYTES, Door, new_token
from ops.server.site import site
from tests.local_host import DOOR, Answered, Asked


def _said(call: Call) -> object:
    return {"bytes": len(call.body)}


def _defect(_: Call) -> object:
    raise ZeroDivisionError


@pytest.fixture
def host() -> Asked:
    return Asked(
        [
            Route("/api/thing", json_route(_said, policy="APolicyArn"), methods=["GET", "PUT", "POST", "DELETE"]),
            Route("/api/read", json_route(_said, policy="APolicyArn"), methods=["GET"]),
            Route("/api/defect", json_route(_defect, policy="APolicyArn"), methods=["GET"]),
        ]
    )


def test_its_own_page_is_answered(host: Asked) -> None:
    assert host.get("/api/thing").json == {"bytes": 0}
    assert host.ask("PUT", "/api/thing", {"a": 1}).json == {"bytes": 8}


@pytest.mark.parametrize("token", [None, "", "wrong", "a-secre", "a-secret ", "A-SECRET", "ä"])
def test_nothing_is_told_without_the_secret(host: Asked, token: str | None) -> None:
    answered = host.get("/api/thing", headers={"x-flywheel-token": token})
    assert (answered.status, answered.code) == (401, "WRONG_TOKEN")


def test_the_secret_counts_in_the_header_alone(host: Asked) -> None:
    cookie = host.get("/api/thing", headers={"x-flywheel-token": None, "cookie": "token=a-secret"})
    assert cookie.status == 401


@pytest.mark.parametrize(
    "name", ["evil.example:8765", "localhost:8765", "127.0.0.1", "127.0.0.1:8766", "[::1]:8765", "", None]
)
@pytest.mark.parametrize("path", ["/api/thing", "/review/"])
def test_a_name_that_was_bound_to_this_machine_is_not_its_own(host: Asked, name: str | None, path: str) -> None:
    answered = host.get(path, headers={"host": name})
    assert (answered.status, answered.code) == (421, "WRONG_HOST")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:8765"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "OPTIONS"])
def test_no_other_origin_is_answered(host: Asked, origin: str, method: str) -> None:
    answered = host.ask(method, "/api/thing", headers={"origin": origin})
    assert (answered.status, answered.code) == (403, "WRONG_ORIGIN")
    assert "access-control-allow-origin" not in answered.headers


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_change_says_where_it_comes_from(host: Asked, method: str) -> None:
    assert host.ask(method, "/api/thing", headers={"origin": None}).code == "WRONG_ORIGIN"


@pytest.mark.parametrize("site_", ["cross-site", "same-site"])
def test_a_link_or_an_image_of_another_site_gets_nothing(host: Asked, site_: str) -> None:
    assert host.get("/review/", headers={"sec-fetch-site": site_}).code == "WRONG_ORIGIN"


def test_a_link_in_a_terminal_that_is_a_web_page_opens_a_page_and_nothing_else(host: Asked) -> None:
    follows = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert host.get("/console/", headers=follows).status == 200
    assert host.get("/api/thing", headers=follows).code == "WRONG_ORIGIN"
    assert host.get("/console/", headers={**follows, "sec-fetch-dest": "iframe"}).code == "WRONG_ORIGIN"


def test_an_address_that_is_typed_opens_a_page(host: Asked) -> None:
    headers = {"sec-fetch-site": "none", "x-flywheel-token": None}
    assert host.get("/console/index.html", headers=headers).status == 200


def test_a_body_is_no_longer_than_an_answer_can_be(host: Asked) -> None:
    assert host.ask("PUT", "/api/thing", raw=[b"x" * MOST_BODY_BYTES]).json == {"bytes": MOST_BODY_BYTES}
    pieces = [b"x" * 1024] * (MOST_BODY_BYTES // 1024) + [b"x"]
    answered = host.ask("PUT", "/api/thing", raw=pieces, headers={"content-length": "1"})
    assert (answered.status, answered.code) == (413, "BODY_TOO_LONG")


def test_what_cannot_be_asked_that_way_says_so(host: Asked) -> None:
    assert (host.ask("PUT", "/api/read", {}).status, host.ask("PUT", "/api/read", {}).code) == (405, "WRONG_METHOD")
    assert host.ask("PUT", "/review/", {}).code == "WRONG_METHOD"
    assert (host.get("/api/other").status, host.get("/api/other").code) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/../server/security.py",
        "/console/../../server/security.py",
        "/%2e%2e/server/security.py",
        "/console/..%2f..%2fserver/security.py",
        "//etc/passwd",
        "/console/\0",
        "/vendor/htm-preact-3.1.1.LICENSE",
        "/review.py",
    ],
)
def test_no_file_but_a_page_is_served(host: Asked, path: str) -> None:
    answered = host.get(path)
    assert (answered.status, answered.code) == (404, "NOT_FOUND")


def test_pages_and_modules_have_their_types(host: Asked) -> None:
    assert host.get("/console/").headers["content-type"] == "text/html; charset=utf-8"
    assert host.get("/token.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert host.get("/icon.svg").headers["content-type"] == "image/svg+xml; charset=utf-8"


def _all_kinds(host: Asked) -> Iterator[Answered]:
    yield host.get("/api/thing")
    yield host.get("/console/")
    yield host.get("/token.js")
    yield host.get("/nowhere")
    yield host.get("/api/thing", headers={"host": "evil.example"})
    yield host.get("/api/thing", headers={"x-flywheel-token": None})
    yield host.ask("PUT", "/api/thing", {}, headers={"origin": "null"})
    yield host.ask("PUT", "/api/thing", raw=[b"x" * (MOST_BODY_BYTES + 1)])
    yield host.ask("PUT", "/api/read", {})


def test_every_answer_tells_the_browser_what_a_page_may_do(host: Asked) -> None:
    for answered in _all_kinds(host):
        policy = dict(part.split(" ", 1) for part in answered.headers["content-security-policy"].split("; "))
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "connect-src": "'self'",
            "img-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        assert answered.headers["x-content-type-options"] == "nosniff"
        assert answered.headers["referrer-policy"] == "no-referrer"
        assert answered.headers["cross-origin-resource-policy"] == "same-origin"
        assert answered.headers["cache-control"] == "no-store"
        assert not [name for name in answered.headers if name.startswith("access-control")]


def test_a_defect_is_told_without_its_trace(host: Asked) -> None:
    with pytest.raises(ZeroDivisionError):
        # The server prints it; the client has had its answer before.
        host.get("/api/defect")


def test_no_web_socket_is_opened() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def opened() -> None:
        await site(DOOR, [])({"type": "websocket", "path": "/", "headers": []}, receive, send)

    asyncio.run(opened())
    assert sent == [{"type": "websocket.close"}]


def test_each_start_has_a_secret_that_nobody_guesses() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43
    assert Door(port=1).token != Door(port=1).token
    assert Door(port=1).token not in repr(Door(port=1))


def test_the_address_has_the_secret_where_no_request_has_it() -> None:
    assert DOOR.address("console") == "http://127.0.0.1:8765/console/#token=a-secret"
