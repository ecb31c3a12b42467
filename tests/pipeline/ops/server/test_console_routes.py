"""What the console is told, for both kinds of model and where models are imported; and its changes."""

from __future__ import annotations

from typing import Any

import pytest

from flywheel.promotions.requests import open_requests
from flywheel.records import promotions
from flywheel.records.promotions import Promotion, PromotionStatus
from flywheel.records.turns import PAUSE_KEY, REQUEST_KEY, Pause, TurnRequest
from ops.server.actions import CONFIRM_SECONDS, Actions, Wanted, What
from ops.server.answers import Refused
from ops.server.console_routes import _PARTS, console_routes, report_css
from tests.local_host import Answered, Asked
from tests.pipeline.ops.console_world import Console, busy_news, console, importing, people
from tests.simulation.api import ApiError

NOT_WHERE_MODELS_ARE_IMPORTED = {"turns", "uploads", "share", "queue"}
WHOLE = [path for path, *_ in _PARTS if "{" not in path]


@pytest.fixture(scope="module")
def news() -> Console:
    """Read only."""
    return busy_news(beside_imports=True)


@pytest.fixture(scope="module")
def imports() -> Console:
    return importing()


def end_of(world: Console) -> Promotion:
    """Of the promotion that waited in `busy_news`."""
    return world.at.bucket.require(promotions.record_key("promotion-000002"), Promotion)


def of(world: Console, path: str, *, host: Asked | None = None) -> Answered:
    return (host or Asked(world.routes())).get(f"/api/console/flywheels/{world.name}/{path}")


class TestParts:
    @pytest.mark.parametrize("path", WHOLE)
    def test_each_is_there_for_a_classifier(self, news: Console, path: str) -> None:
        assert of(news, path).status == 200

    @pytest.mark.parametrize("path", WHOLE)
    def test_each_is_there_where_nothing_has_happened(self, path: str) -> None:
        assert of(console(), path).status == 200

    @pytest.mark.parametrize("path", WHOLE)
    def test_where_models_are_imported_each_answers_or_says_where_to_look(self, imports: Console, path: str) -> None:
        answered = of(imports, path)
        if path in NOT_WHERE_MODELS_ARE_IMPORTED:
            assert (answered.status, answered.code) == (409, "REFUSED")
            assert "has no flywheel" in answered.json["message"]
        else:
            assert answered.status == 200

    def test_each_is_there_for_a_recognizer(self) -> None:
        host = Asked((world := people()).routes())
        assert {path: of(world, path, host=host).status for path in WHOLE} == dict.fromkeys(WHOLE, 200)
        (model,) = of(world, "models", host=host).json["models"]
        card = of(world, f"models/{model['name']}", host=host).json["card"]
        assert card["training"]["labels"] == {"PERSON": 200, "PLACE": 200}
        assert [upload["key"] for upload in card["training"]["uploads"]] == ["train/people.jsonl"]

    def test_a_model_knows_its_data_scores_decision_and_approval(self, news: Console) -> None:
        host = Asked(news.routes())
        newer, older = of(news, "models", host=host).json["models"]
        card = of(news, f"models/{older['name']}", host=host).json["card"]
        assert [(one["key"], one["documents"]) for one in card["training"]["uploads"]] == [("train/first.csv", 80)]
        assert card["promotions"][0]["answered_by"] == news.deployed.clients.caller()
        assert card["model"]["marks"] == ["active"]
        card = of(news, f"models/{newer['name']}", host=host).json["card"]
        assert [(one["key"], one["documents"]) for one in card["training"]["uploads"]] == [
            ("train/second.csv", 160),
            ("train/first.csv", 80),
        ]
        assert [one["label"] for one in card["decision"]["holdout"]["candidate"]["labels"]] == ["BUSINESS", "SPORTS"]
        assert card["decision"]["reasons"]

    def test_uploads_say_what_became_of_them(self, news: Console) -> None:
        host = Asked(news.routes())
        found = of(news, "uploads", host=host).json
        assert [one["key"] for one in found["waiting"]] == ["train/waiting.csv"]
        outcomes = {one["upload"]["key"]: one["outcome"] for one in found["results"]}
        assert outcomes["train/bad.csv"] == "rejected"
        assert outcomes["train/second.csv"] == "partly accepted"
        rejected = next(one["id"] for one in found["rejected"] if one["upload"]["key"] == "train/second.csv")
        assert of(news, f"rejected/{rejected}", host=host).json["result"]["examples"][0]["line"] == 161

    def test_a_report_has_no_head_of_its_own(self, news: Console) -> None:
        report = of(news, "turns/2").json
        assert report["name"] == "turn-000002"
        assert "<style" not in report["html"]
        assert "<h1>turn-000002</h1>" in report["html"]

    @pytest.mark.parametrize("path", ["turns/99", "models/none", "rejected/none", "turns/..%2fx"])
    def test_what_there_is_not_is_said_in_a_sentence(self, news: Console, path: str) -> None:
        answered = of(news, path)
        assert (answered.status, answered.code) in {(409, "REFUSED"), (404, "NOT_FOUND")}
        assert answered.json["message"].endswith(".")

    def test_the_flywheels_of_the_region_are_listed(self, news: Console) -> None:
        host = Asked(news.routes())
        found = {one["name"]: one for one in host.get("/api/console/flywheels").json}
        assert found[news.name]["labels"] == ["BUSINESS", "SPORTS"]
        assert found["served"]["source"] == "news"

    def test_a_flywheel_that_there_is_not(self, news: Console) -> None:
        answered = Asked(news.routes()).get("/api/console/flywheels/another/status")
        assert answered.code == "REFUSED"

    def test_without_a_name_it_begins_with_the_list(
        self, news: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        monkeypatch.chdir(tmp_path)
        host = Asked(console_routes(news.deployed.clients))
        assert host.get("/api/console/session").json["chosen"] is None
        assert of(news, "what", host=host).status == 200
        assert host.get("/api/review/queue").code == "NOT_FOUND"

    def test_the_queue_is_reviewed_from_the_same_host(self, news: Console) -> None:
        host = Asked(news.routes())
        assert host.get("/api/console/session").json["reviews"] is True
        assert host.get("/api/review/session").json["flywheel"] == news.name

    def test_what_is_denied_names_the_policy(self, news: Console) -> None:
        host = Asked(news.routes())
        denied = ApiError("AccessDeniedException", "no", status=403)
        news.at.world.failing = {"s3": denied, "ssm": denied}
        try:
            said = {path: of(news, path, host=host).json for path in ("status", "models", "queue", "cost")}
            said["list"] = host.get("/api/console/flywheels").json
        finally:
            news.at.world.failing = {}
        assert {each["code"] for each in said.values()} == {"NOT_ALLOWED"}
        assert "OperatorsPolicyArn" in said["status"]["message"]
        assert "ReviewersPolicyArn" in said["queue"]["message"]
        assert "No managed policy" in said["cost"]["message"]
        assert "No managed policy" in said["list"]["message"]

    def test_the_reports_style_sheet_styles_a_tree_in_another_page(self) -> None:
        css = report_css()["css"]
        assert ":root" not in css
        assert "body {" not in css
        assert ".main {" in css


class TestActions:
    @pytest.fixture
    def world(self) -> Console:
        return console()

    def ask(self, world: Console, host: Asked, **wanted: Any) -> Answered:
        return host.ask("POST", f"/api/console/flywheels/{world.name}/actions", wanted)

    def confirm(self, host: Asked, value: str) -> Answered:
        return host.ask("POST", f"/api/console/confirmations/{value}", {})

    def test_the_first_request_changes_nothing_and_the_value_works_once(self, world: Console) -> None:
        host = Asked(world.routes())
        asked = self.ask(world, host, action="pause", reason="stock-taking").json
        assert world.at.bucket.read(PAUSE_KEY, Pause) is None
        assert "starts until it is resumed" in asked["sentence"]
        assert "Paused (stock-taking)" in self.confirm(host, asked["confirm"]).json["said"]
        pause = world.at.bucket.read(PAUSE_KEY, Pause)
        assert pause is not None
        assert pause.reason == "stock-taking"
        again = self.confirm(host, asked["confirm"])
        assert (again.status, again.code) == (409, "NOT_CONFIRMED")
        asked = self.ask(world, host, action="resume").json
        assert self.confirm(host, asked["confirm"]).status == 200
        assert world.at.bucket.read(PAUSE_KEY, Pause) is None

    def test_a_turn_is_asked_for(self, world: Console) -> None:
        host = Asked(world.routes())
        asked = self.ask(world, host, action="turn").json
        assert world.at.bucket.read(REQUEST_KEY, TurnRequest) is None
        self.confirm(host, asked["confirm"])
        assert world.at.bucket.read(REQUEST_KEY, TurnRequest) is not None

    def test_an_approval_is_of_the_promotion_that_was_shown(self) -> None:
        world = busy_news()
        host = Asked(world.routes())
        asked = self.ask(world, host, action="approve", target="turn-000002", reason="fine").json
        assert "in place of" in asked["sentence"]
        world.at.settle()
        waits = world.at.waiting_promotion()
        assert "is approved" in self.confirm(host, asked["confirm"]).json["said"]
        world.at.settle()
        end = end_of(world)
        assert (end.promotion, end.status) == (waits.name, PromotionStatus.PROMOTED)
        assert end.answered_by == world.deployed.clients.caller()
        assert waits.answer["reason"] == "fine"

    def test_a_promotion_that_ended_meanwhile_is_not_answered(self) -> None:
        world = busy_news()
        host = Asked(world.routes())
        asked = self.ask(world, host, action="approve", target="2").json
        world.at.waiting_promotion().decline(reason="somebody else did")
        answered = self.confirm(host, asked["confirm"])
        assert (answered.status, answered.code) == (409, "REFUSED")
        assert "somebody else did" in answered.json["message"]
        world.at.settle()
        assert end_of(world).status is PromotionStatus.DECLINED

    def test_rolling_back_goes_to_the_model_that_was_named(self) -> None:
        world = busy_news()
        former = world.at.active_model()
        world.at.waiting_promotion().approve()
        assert world.at.active_model() != former
        host = Asked(world.routes())
        asked = self.ask(world, host, action="roll-back", reason="worse in use").json
        assert f"{str(former).rsplit('/', 1)[-1]} becomes the active model" in asked["sentence"]
        assert open_requests(world.at.bucket) == []
        self.confirm(host, asked["confirm"])
        (request,) = [one for one in of(world, "promotions").json["now"]["open"] if one["source"] == "operator"]
        assert request["model_arn"] == former
        world.at.settle()
        assert world.at.active_model() == former

    @pytest.mark.parametrize(
        ("wanted", "code"),
        [
            ({"action": "approve"}, "INVALID_REQUEST"),
            ({"action": "delete"}, "INVALID_REQUEST"),
            ({"action": "pause", "more": 1}, "INVALID_REQUEST"),
            ({"action": "pause", "reason": "x" * 1001}, "INVALID_REQUEST"),
            ({"action": "approve", "target": "turn-000001"}, "REFUSED"),
            ({"action": "roll-back"}, "REFUSED"),
        ],
    )
    def test_what_cannot_be_done_is_refused_at_the_first_request(self, world: Console, wanted: Any, code: str) -> None:
        assert self.ask(world, Asked(world.routes()), **wanted).code == code

    def test_declining_needs_a_reason(self, news: Console) -> None:
        assert self.ask(news, Asked(news.routes()), action="decline", target="2", reason=" ").code == "REASON_MISSING"

    def test_a_guessed_value_does_nothing(self, world: Console) -> None:
        assert self.confirm(Asked(world.routes()), "x").code == "NOT_CONFIRMED"

    def test_a_value_is_forgotten_after_two_minutes(self, world: Console) -> None:
        now = 0.0
        actions = Actions(clock=lambda: now)
        asked = actions.ask(world.deployed, Wanted(action=What.PAUSE))
        now = CONFIRM_SECONDS
        with pytest.raises(Refused, match="too late"):
            actions.confirm(asked["confirm"])
        assert world.at.bucket.read(PAUSE_KEY, Pause) is None

    def test_where_models_are_imported_there_is_no_turn_to_start(self, imports: Console) -> None:
        assert "has no flywheel" in self.ask(imports, Asked(imports.routes()), action="turn").json["message"]
