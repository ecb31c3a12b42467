"""The review page's contract against the queue, for both kinds of model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flywheel.records.predictions import ScoredEntity, ScoredLabel, Suggestion, text_digest
from flywheel.records.review import GUIDELINES_KEY, ItemSource, Lane, Proposal, ReviewItem, WaitingItem, item_key
from flywheel.review.add_item import add
from ops.deployment.clients import Clients
from ops.server.review_routes import rendered, review_routes
from tests.local_host import Answered, Asked
from tests.pipeline.deployed import Deployment
from tests.pipeline.entities.documents import TYPES
from tests.pipeline.entities.test_turns import people as of_people
from tests.simulation.api import ApiError

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MODEL = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/news/version/1"
TEXT = "a late goal decided the final"


class _Person(Clients):
    def __init__(self, at: Deployment, name: str) -> None:
        super().__init__(at.operator.clients.session)
        self._name = name

    def caller(self) -> str:
        return f"arn:aws:iam::111122223333:user/team/{self._name}"


class World:
    """A flywheel's queue, and the hosts of two reviewers."""

    def __init__(self, at: Deployment) -> None:
        self.at = at
        self.now = NOW
        self.deployed = replace(at.operator, clients=_Person(at, "me"))
        self.ada, self.bob = (self.host(name) for name in ("ada", "bob"))

    def host(self, name: str) -> Asked:
        deployed = replace(self.deployed, clients=_Person(self.at, name))
        return Asked(review_routes(deployed, now=lambda: self.now))

    def add(self, text: str, suggestion: Suggestion | None = None, lane: Lane = Lane.UNCERTAIN, **more: Any) -> str:
        item = WaitingItem(text=text, source=ItemSource.API, suggestion=suggestion, at=NOW, **more)
        add(item, lane=lane, rank=1, intake=self.at.bucket)
        return item.id

    def claimed(self, host: Asked, count: int = 10) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = host.ask("POST", "/api/review/claims", {"count": count}).json["items"]
        return found

    def item(self, item: str) -> ReviewItem:
        return self.at.bucket.require(item_key(item), ReviewItem)


@pytest.fixture
def news() -> World:
    return World(Deployment())


@pytest.fixture
def people() -> World:
    return World(of_people())


def suggestion(labels: tuple[str, ...] = ("SPORTS",)) -> Suggestion:
    scores = (ScoredLabel(name="SPORTS", score=0.51), ScoredLabel(name="BUSINESS", score=0.49))
    return Suggestion(labels=labels, predictions=scores, confidence=0.51, margin=0.02, model_arn=MODEL)


def put(host: Asked, item: str, **body: Any) -> Answered:
    return host.ask("PUT", f"/api/review/answers/{item}", body)


def refused(answered: Answered, status: int, code: str) -> str:
    assert (answered.status, answered.code) == (status, code), answered.json
    message: str = answered.json["message"]
    return message


class TestSession:
    def test_it_says_who_reviews_what(self, news: World) -> None:
        assert news.ada.get("/api/review/session").json == {
            "flywheel": news.at.name,
            "reviewer": {"id": "arn:aws:iam::111122223333:user/team/ada", "name": "ada"},
            "model_type": "DOCUMENT_CLASSIFIER",
            "multi_label": False,
            "labels": ["BUSINESS", "SPORTS"],
            "label_word": "label",
            "guidelines": False,
            "reviewers_per_item": 1,
            "claim_seconds": 1800,
            "batch": 10,
        }

    def test_of_a_recognizer_its_types_are_the_labels(self, people: World) -> None:
        found = people.ada.get("/api/review/session").json
        assert (found["model_type"], found["labels"], found["label_word"]) == (
            "ENTITY_RECOGNIZER",
            list(TYPES),
            "entity type",
        )


class TestClaims:
    def test_an_empty_queue_has_nothing_to_review(self, news: World) -> None:
        assert news.ada.ask("POST", "/api/review/claims", {}).json == {
            "items": [],
            "until": "2026-03-02T09:30:00+00:00",
            "waiting": {"count": 0, "more": False},
            "answered": 0,
        }

    def test_an_item_comes_with_what_the_model_and_others_said(self, news: World) -> None:
        proposal = Proposal(by="arn:aws:iam::111122223333:user/eve", at=NOW, labels=("BUSINESS",))
        item = news.add(TEXT, suggestion(), Lane.FEEDBACK, proposals=(proposal,))
        assert news.claimed(news.ada) == [
            {
                "id": item,
                "text": TEXT,
                "lane": "2-feedback",
                "source": "API",
                "at": "2026-03-02T09:00:00+00:00",
                "model": MODEL,
                "confidence": 0.51,
                "note": None,
                "suggestion": {
                    "labels": [
                        {"name": "SPORTS", "score": 0.51, "chosen": True},
                        {"name": "BUSINESS", "score": 0.49, "chosen": False},
                    ]
                },
                "proposals": [{"by": "arn:aws:iam::111122223333:user/eve", "labels": ["BUSINESS"]}],
                "answers": [],
            }
        ]

    def test_a_recognizers_offsets_are_code_points(self, people: World) -> None:
        text = "🙂 Ada went home"
        found = ScoredEntity(type=TYPES[0], begin=2, end=5, score=0.6)
        given = Suggestion(labels=(f"2:5:{TYPES[0]}",), entities=(found,), confidence=0.6, margin=0.1)
        proposal = Proposal(by="eve", at=NOW, labels=(f"11:15:{TYPES[1]}", f"2:5:{TYPES[0]}"))
        people.add(text, given, proposals=(proposal,))
        (item,) = people.claimed(people.ada)
        assert item["suggestion"] == {"entities": [{"type": TYPES[0], "begin": 2, "end": 5, "score": 0.6}]}
        assert item["proposals"][0]["entities"] == [
            {"type": TYPES[0], "begin": 2, "end": 5},
            {"type": TYPES[1], "begin": 11, "end": 15},
        ]

    def test_two_reviewers_never_get_the_same_one_and_a_reload_gives_the_same_again(self, news: World) -> None:
        for number in range(3):
            news.add(f"{number} {TEXT * (number + 1)} {number}")
        mine, theirs = news.claimed(news.ada, 2), news.claimed(news.bob, 2)
        assert not {item["id"] for item in mine} & {item["id"] for item in theirs}
        assert {item["id"] for item in news.claimed(news.ada, 2)} >= {item["id"] for item in mine}

    @pytest.mark.parametrize("body", [{"count": 0}, {"count": 51}, {"count": "x"}, {"other": 1}, []])
    def test_a_wrong_request_says_what_is_wrong(self, news: World, body: object) -> None:
        refused(news.ada.ask("POST", "/api/review/claims", body), 400, "INVALID_REQUEST")

    def test_a_text_is_what_it_was_whatever_is_in_it(self, news: World) -> None:
        text = "<script>alert(1)</script>\0\ud800\u202e 🙂\r\n"
        news.add(text)
        (item,) = news.claimed(news.ada)
        assert item["text"].encode(errors="replace") == text.encode(errors="replace")


class TestAnswers:
    def test_an_answer_and_its_end(self, news: World) -> None:
        item = news.add(TEXT, suggestion())
        news.claimed(news.ada)
        assert put(news.ada, item, verdict="ANSWER", labels=["BUSINESS"]).json == {"state": "ANSWERED"}
        assert put(news.ada, item, verdict="ANSWER", labels=["BUSINESS"]).json == {"state": "ANSWERED"}
        assert news.item(item).labels == ("BUSINESS",)
        undone = news.ada.ask("DELETE", f"/api/review/answers/{item}").json
        assert (undone["item"]["id"], undone["until"][:16]) == (item, "2026-03-02T09:30")
        assert news.item(item).labels is None
        assert put(news.ada, item, verdict="NOT_SURE").json == {"state": "WAITING"}

    def test_entities_are_stored_as_spans(self, people: World) -> None:
        item = people.add("🙂 Ada went home")
        people.claimed(people.ada)
        entities = [{"type": TYPES[0], "begin": 2, "end": 5}]
        assert put(people.ada, item, verdict="ANSWER", entities=entities).json == {"state": "ANSWERED"}
        assert people.item(item).labels == (f"2:5:{TYPES[0]}",)

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            ({"verdict": "ANSWER", "labels": ["WEATHER"]}, "WEATHER"),
            ({"verdict": "ANSWER", "labels": ["BUSINESS", "SPORTS"]}, ""),
            ({"verdict": "ANSWER", "labels": []}, ""),
            ({"verdict": "ANSWER"}, "lacks labels"),
            ({"verdict": "ANSWER", "entities": []}, "take labels"),
            ({"verdict": "SKIP", "labels": ["SPORTS"]}, "SKIP"),
        ],
    )
    def test_what_the_flywheel_cannot_train_on_is_refused(self, news: World, body: Any, says: str) -> None:
        item = news.add(TEXT)
        news.claimed(news.ada)
        assert says in refused(put(news.ada, item, **body), 400, "INVALID_ANSWER")

    @pytest.mark.parametrize(
        "entities",
        [
            [{"type": TYPES[0], "begin": 2, "end": 500}],
            [{"type": TYPES[0], "begin": 2, "end": 5}, {"type": TYPES[1], "begin": 4, "end": 8}],
            [{"type": "WEATHER", "begin": 2, "end": 5}],
            [{"type": TYPES[0], "begin": 5, "end": 2}],
        ],
    )
    def test_entities_that_are_none_are_refused(self, people: World, entities: Any) -> None:
        item = people.add("🙂 Ada went home")
        people.claimed(people.ada)
        refused(put(people.ada, item, verdict="ANSWER", entities=entities), 400, "INVALID_ANSWER")

    def test_whatever_else_is_wrong_is_named(self, news: World) -> None:
        item = news.add(TEXT)
        said = refused(put(news.ada, item, verdict="MAYBE"), 400, "INVALID_REQUEST")
        assert "verdict" in said
        assert news.ada.ask("PUT", f"/api/review/answers/{item}", raw=[b"{"]).code == "INVALID_REQUEST"

    @pytest.mark.parametrize("item", [text_digest("another"), "..%2f..%2fx", "x", "A" * 32])
    def test_an_item_that_there_is_none_of_is_gone(self, news: World, item: str) -> None:
        refused(put(news.ada, item, verdict="SKIP"), 404, "ITEM_GONE")
        refused(news.ada.ask("DELETE", f"/api/review/answers/{item}"), 404, "ITEM_GONE")

    def test_a_claim_that_expired_and_went_to_another_is_lost(self, news: World) -> None:
        item = news.add(TEXT)
        news.claimed(news.ada)
        news.now += timedelta(hours=1)
        assert [found["id"] for found in news.claimed(news.bob)] == [item]
        refused(put(news.ada, item, verdict="ANSWER", labels=["SPORTS"]), 409, "CLAIM_LOST")
        refused(news.ada.ask("DELETE", f"/api/review/answers/{item}"), 409, "CLAIM_LOST")

    def test_what_was_published_cannot_be_changed(self, news: World) -> None:
        item = news.add(TEXT)
        news.claimed(news.ada)
        put(news.ada, item, verdict="ANSWER", labels=["SPORTS"])
        news.at.bucket.write(item_key(item), news.item(item).model_copy(update={"batch": "b"}))
        refused(put(news.ada, item, verdict="ANSWER", labels=["BUSINESS"]), 409, "PUBLISHED")
        refused(news.ada.ask("DELETE", f"/api/review/answers/{item}"), 409, "PUBLISHED")

    def test_only_who_decides_sees_what_the_others_said(self) -> None:
        world = World(Deployment(reviewers_per_item=2))
        item = world.add(TEXT)
        for host, label in ((world.ada, "SPORTS"), (world.bob, "BUSINESS")):
            (found,) = world.claimed(host)
            assert found["answers"] == []
            put(host, item, verdict="ANSWER", labels=[label])
        (found,) = world.claimed(world.host("cyd"))
        assert found["lane"] == "0-adjudicate"
        assert [(said["by"].rsplit("/", 1)[-1], said["labels"]) for said in found["answers"]] == [
            ("ada", ["SPORTS"]),
            ("bob", ["BUSINESS"]),
        ]


class TestGuidelines:
    def test_they_are_rendered_and_nothing_in_them_is_run_or_loaded(self, news: World) -> None:
        refused(news.ada.get("/api/review/guidelines"), 404, "GUIDELINES_MISSING")
        news.at.bucket.write_text(
            GUIDELINES_KEY, "# News\n\n<script>alert(1)</script>\n\n| a | b |\n|---|---|\n| 1 | 2 |"
        )
        html = news.ada.get("/api/review/guidelines").json["html"]
        assert "<h1>News</h1>" in html
        assert "<table>" in html
        assert "<script" not in html
        assert news.ada.get("/api/review/session").json["guidelines"] is True

    @pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "vbscript:x"])
    def test_no_link_runs_anything(self, link: str) -> None:
        assert "href" not in rendered(f"[a]({link})")

    def test_pictures_are_no_pictures(self) -> None:
        assert "<img" not in rendered("![a](https://example.org/a.png)")


def test_the_queue_is_counted_by_lane_and_state(news: World) -> None:
    for number in range(3):
        news.add(f"{number} {TEXT * (number + 1)} {number}")
    item = news.claimed(news.ada, 2)[0]["id"]
    put(news.ada, item, verdict="ANSWER", labels=["SPORTS"])
    found = news.ada.get("/api/review/queue").json
    assert found["waiting"]["3-uncertain"] == {"count": 1, "more": False}
    assert found["claimed"] == {"count": 1, "more": False}
    assert found["answered"] == {"count": 1, "more": False}
    assert found["oldest_answer"]


@contextmanager
def failing(world: World, code: str, status: int) -> Iterator[None]:
    """S3 answers every request with this error."""
    world.at.world.failing = {"s3": ApiError(code, "no", status=status)}
    try:
        yield
    finally:
        world.at.world.failing = {}


class TestFailures:
    def test_who_may_not_review_is_told_which_policy_allows_it(self, news: World) -> None:
        with failing(news, "AccessDenied", 403):
            for answered in (
                news.ada.get("/api/review/session"),
                news.ada.ask("POST", "/api/review/claims", {}),
                put(news.ada, text_digest(TEXT), verdict="SKIP"),
            ):
                assert "ReviewersPolicyArn" in refused(answered, 403, "NOT_ALLOWED")

    @pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("ThrottlingException", 400)])
    def test_what_passes_is_worth_another_try(self, news: World, code: str, status: int) -> None:
        with failing(news, code, status):
            refused(news.ada.ask("POST", "/api/review/claims", {}), 503, "UNAVAILABLE")

    def test_what_does_not_pass_says_what_happened(self, news: World) -> None:
        with failing(news, "NoSuchBucket", 404):
            assert "bucket" in refused(news.ada.ask("POST", "/api/review/claims", {}), 502, "FAILED")
