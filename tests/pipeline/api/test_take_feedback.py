"""`POST /feedback`, from API Gateway's event to the review queue in the simulated S3."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from flywheel.api.messages import FeedbackTaken
from flywheel.api.take_feedback import FeedbackTaker
from flywheel.comprehend.model_kind import Task
from flywheel.comprehend.real_time import Feedback
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.records.predictions import KeptPrediction, Suggestion, prediction_id, prediction_key, text_digest
from flywheel.records.review import ItemSource, ItemState, Lane, Place, WaitingItem
from flywheel.review.propose import Trust
from handlers.api.feedback_routes import routes
from tests.pipeline.review.world import ANNA, BERT, World

TEXT = "the market fell again on monday after the bank cut its forecast"
PEOPLE = "\U0001f600 Anna met Max in Rome"
LABELS = Task(labels=("BUSINESS", "SPORTS"))
SUGGESTION = Suggestion(labels=("SPORTS",), confidence=0.6, margin=0.2, model_arn="arn:model")


@dataclass(kw_only=True)
class Api:
    world: World
    trust: Trust = Trust.REVIEW

    def take(self, said: Feedback, *, by: str) -> FeedbackTaken:
        taker = FeedbackTaker(queue=self.world.queue, real_time=self.world.kind.real_time, trust=self.trust)
        return taker.take(said, by=by, now=self.world.now)

    def request(self, body: str, *, by: str | None = ANNA) -> tuple[int, dict[str, Any]]:
        event = {
            "resource": "/feedback",
            "path": "/feedback",
            "httpMethod": "POST",
            "headers": {"Content-Type": "application/json"},
            "requestContext": {"stage": "live", "path": "/live/feedback", "identity": {"userArn": by}},
            "body": body,
            "isBase64Encoded": False,
        }
        answer = routes(self, real_time=self.world.kind.real_time).resolve(event, None)  # type: ignore[arg-type]  # no context is read
        return answer["statusCode"], json.loads(answer["body"])

    def say(self, *, by: str = ANNA, **members: Any) -> dict[str, Any]:
        status, body = self.request(json.dumps(members), by=by)
        assert status == 200, body
        return body

    def refused(self, **members: Any) -> tuple[int, str, str]:
        status, body = self.request(json.dumps(members))
        assert set(body) <= {"code", "message", "document", "bytes", "limit"}, body
        return status, body["code"], body["message"]

    def keep(self, text: str = TEXT, suggestion: Suggestion = SUGGESTION) -> str:
        """The prediction's id."""
        identity = prediction_id(text, at=self.world.now)
        record = KeptPrediction(
            text=text,
            suggestion=suggestion,
            endpoint_arn="arn:endpoint",
            seen_before=None,
            seen_after=None,
            at=self.world.now,
        )
        self.world.bucket.write_once(prediction_key(identity), record)
        return identity

    def waiting(self) -> list[tuple[Place, WaitingItem]]:
        keys = sorted(self.world.bucket.keys("review/waiting/"))
        return [(Place.of_key(key), self.world.bucket.require(key, WaitingItem)) for key in keys]  # type: ignore[misc]  # all are places


@pytest.fixture
def api() -> Api:
    return Api(world=World(task=LABELS))


@pytest.fixture
def recognizer() -> Api:
    return Api(world=World(kind=ENTITY_RECOGNITION, task=Task(labels=("PERSON", "PLACE"))))


class TestTaken:
    def test_by_id_it_waits_with_the_models_answer(self, api: Api) -> None:
        identity = api.keep()
        taken = api.say(prediction_id=identity, label="BUSINESS")
        assert taken == {"item": text_digest(TEXT), "state": "WAITS_FOR_REVIEW", "text_kept": True}
        ((place, item),) = api.waiting()
        assert (place.lane, place.item) == (Lane.FEEDBACK, taken["item"])
        assert (item.text, item.source, item.suggestion) == (TEXT, ItemSource.FEEDBACK, SUGGESTION)
        assert [(each.by, each.labels, each.at) for each in item.proposals] == [(ANNA, ("BUSINESS",), api.world.now)]

    def test_by_text_it_waits_with_the_models_answer_if_that_is_kept(self, api: Api) -> None:
        api.keep()
        assert api.say(text=TEXT, label="BUSINESS")["text_kept"] is True
        assert api.say(text=f"{TEXT}!", label="BUSINESS")["text_kept"] is False
        assert {item.text: item.suggestion for _, item in api.waiting()} == {TEXT: SUGGESTION, f"{TEXT}!": None}

    def test_correct(self, api: Api) -> None:
        api.say(prediction_id=api.keep(), correct=True)
        api.say(text=TEXT, correct=True, by=BERT)
        ((_, item),) = api.waiting()
        assert [(each.by, each.labels) for each in item.proposals] == [(ANNA, ("SPORTS",)), (BERT, ("SPORTS",))]

    def test_said_again_changes_nothing(self, api: Api) -> None:
        first = api.say(text=TEXT, label="BUSINESS")
        before = api.waiting()
        api.world.later(minutes=5)
        assert api.say(text=TEXT, label="BUSINESS") == first
        assert api.waiting() == before

    def test_several_labels(self) -> None:
        api = Api(world=World(task=Task(labels=LABELS.labels, multi_label=True)))
        api.say(text=TEXT, labels=["SPORTS", "BUSINESS", "SPORTS"])
        ((_, item),) = api.waiting()
        assert item.proposals[0].labels == ("SPORTS", "BUSINESS")

    def test_entities_are_in_code_points(self, recognizer: Api) -> None:
        entities = [{"type": "PLACE", "begin": 18, "end": 22}, {"type": "PERSON", "begin": 2, "end": 6}]
        recognizer.say(text=PEOPLE, entities=entities)
        ((_, item),) = recognizer.waiting()
        assert item.proposals[0].labels == ("2:6:PERSON", "18:22:PLACE")
        assert [PEOPLE[2:6], PEOPLE[18:22]] == ["Anna", "Rome"]

    def test_accepted_at_once_it_is_an_answer(self, api: Api) -> None:
        api.trust = Trust.ACCEPT
        assert api.say(prediction_id=api.keep(), label="BUSINESS")["state"] == "ACCEPTED"
        item = api.world.item(TEXT)
        assert (item.state, item.labels, [answer.by for answer in item.answers]) == (
            ItemState.ANSWERED,
            ("BUSINESS",),
            [ANNA],
        )
        assert api.say(prediction_id=api.keep(), label="BUSINESS")["state"] == "ACCEPTED"
        assert api.say(prediction_id=api.keep(), label="SPORTS", by=BERT)["state"] == "WAITS_FOR_REVIEW"

    @pytest.mark.parametrize("trust", Trust)
    def test_killed_anywhere_and_sent_again_it_is_taken(self, api: Api, trust: Trust) -> None:
        api.trust = trust
        api.world.add(TEXT)
        api.world.anna.claim()
        person, after = api.world.anna, 0

        def send() -> None:
            taker = FeedbackTaker(queue=person.queue, real_time=api.world.kind.real_time, trust=trust)
            said = api.world.kind.real_time.feedback.model_validate({"text": TEXT, "label": "BUSINESS"})
            taker.take(said, by=ANNA, now=api.world.now)

        while person.killed_after(after, send):
            after += 1
            api.world.check_found()
        assert after > 0
        taken = api.say(text=TEXT, label="BUSINESS")
        assert taken["state"] == {Trust.REVIEW: "WAITS_FOR_REVIEW", Trust.ACCEPT: "ACCEPTED"}[trust]

    def test_killed_anywhere_what_is_accepted_is_found(self, api: Api) -> None:
        """Also if nobody says it again."""
        person = api.world.anna
        for after in itertools.count():
            text = f"{TEXT}, and again {after}"

            def send(text: str = text) -> None:
                taker = FeedbackTaker(queue=person.queue, real_time=api.world.kind.real_time, trust=Trust.ACCEPT)
                said = api.world.kind.real_time.feedback.model_validate({"text": text, "label": "BUSINESS"})
                taker.take(said, by=ANNA, now=api.world.now)

            struck = person.killed_after(after, send)
            api.world.check_found()
            if not struck:
                assert after > 1
                return

    def test_what_is_accepted_leaves_what_others_proposed(self, api: Api) -> None:
        api.say(text=TEXT, label="SPORTS", by=BERT)
        api.trust = Trust.ACCEPT
        assert api.say(text=TEXT, label="BUSINESS")["state"] == "ACCEPTED"
        (item,) = api.world.anna.claim().items
        assert [proposal.by for proposal in item.proposals] == [ANNA, BERT]
        assert item.note is not None


class TestRefused:
    def test_what_is_not_kept(self, api: Api) -> None:
        identity = prediction_id(TEXT, at=api.world.now)
        status, code, message = api.refused(prediction_id=identity, label="SPORTS")
        assert (status, code) == (404, "PREDICTION_NOT_KEPT")
        assert "Send the text instead" in message
        assert "KeepPredictions" in message
        assert api.refused(prediction_id=identity, correct=True)[:2] == (404, "PREDICTION_NOT_KEPT")
        assert api.refused(text=TEXT, correct=True)[:2] == (404, "PREDICTION_NOT_KEPT")

    def test_what_was_kept_and_is_gone(self, api: Api) -> None:
        identity = api.keep()
        api.world.now += timedelta(days=31)
        assert api.say(prediction_id=identity, label="SPORTS")["text_kept"] is True
        api.world.bucket.delete_versions(prediction_key(identity))
        assert api.refused(prediction_id=identity, label="SPORTS")[:2] == (404, "PREDICTION_NOT_KEPT")

    @pytest.mark.parametrize(
        "identity",
        ["", "x", "20260302", f"20261302-{'0' * 32}", f"20260304-{'0' * 32}", f"20260302-{'0' * 31}", "../../secret"],
    )
    def test_what_is_no_id(self, api: Api, identity: str) -> None:
        assert api.refused(prediction_id=identity, label="SPORTS")[:2] == (404, "PREDICTION_UNKNOWN")

    @pytest.mark.parametrize(
        "members",
        [
            {},
            {"label": "SPORTS"},
            {"text": TEXT},
            {"text": TEXT, "prediction_id": "x", "label": "SPORTS"},
            {"text": TEXT, "label": "SPORTS", "labels": ["SPORTS"]},
            {"text": TEXT, "label": "SPORTS", "correct": True},
            {"text": TEXT, "correct": False},
            {"text": TEXT, "label": None},
            {"text": TEXT, "label": 1},
            {"text": TEXT, "label": "SPORTS", "by": BERT},
            {"text": TEXT, "entities": []},
        ],
    )
    def test_another_form(self, api: Api, members: dict[str, Any]) -> None:
        status, code, message = api.refused(**members)
        assert (status, code) == (400, "INVALID_REQUEST")
        assert '"label"' in message
        assert TEXT not in message

    @pytest.mark.parametrize("body", ["", "{", "[]", '"text"'])
    def test_no_object(self, api: Api, body: str) -> None:
        status, answer = api.request(body)
        assert (status, answer["code"]) == (400, "INVALID_REQUEST")

    @pytest.mark.parametrize(
        ("text", "code"),
        [(" \n", "TEXT_EMPTY"), ("x" * 10_241, "TEXT_TOO_LONG"), ("a\ud83d", "INVALID_REQUEST")],
    )
    def test_a_text_that_is_none(self, api: Api, text: str, code: str) -> None:
        assert api.refused(text=text, label="SPORTS")[:2] == (400, code)

    @pytest.mark.parametrize(
        "said", [{"label": "WEATHER"}, {"label": ""}, {"labels": ["SPORTS", "BUSINESS"]}, {"labels": []}]
    )
    def test_labels_that_the_flywheel_cannot_train_on(self, api: Api, said: dict[str, Any]) -> None:
        status, code, message = api.refused(text=TEXT, **said)
        assert (status, code) == (400, "INVALID_LABEL")
        assert message
        assert api.waiting() == []

    @pytest.mark.parametrize(
        "entities",
        [
            [{"type": "PERSON", "begin": 2, "end": 60}],
            [{"type": "PERSON", "begin": 2, "end": 6}, {"type": "PLACE", "begin": 4, "end": 8}],
            [{"type": "WEATHER", "begin": 2, "end": 6}],
            [{"type": "PERSON", "begin": 6, "end": 7}],
            [{"type": "PERSON", "begin": 6, "end": 6}],
        ],
    )
    def test_entities_that_the_flywheel_cannot_train_on(self, recognizer: Api, entities: list[dict[str, Any]]) -> None:
        status, code, message = recognizer.refused(text=PEOPLE, entities=entities)
        assert (status, code) == (400, "INVALID_ENTITIES")
        assert message
        assert recognizer.waiting() == []

    def test_a_caller_without_a_name(self, api: Api) -> None:
        status, answer = api.request(json.dumps({"text": TEXT, "label": "SPORTS"}), by=None)
        assert (status, answer["code"]) == (500, "INTERNAL_ERROR")
        assert api.waiting() == []
