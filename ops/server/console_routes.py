"""What the console's page asks for, below `/api/console/`: each part by itself, so that one that is denied, or slow,
leaves the others as they are. What a part says is what the verb of the same name says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from starlette.routing import BaseRoute, Route

from flywheel.report.history import PromotionHistory
from flywheel.report.style import CSS
from ops.deployment.clients import Clients
from ops.deployment.published import (
    AnyDeployment,
    Deployment,
    choose_name,
    find_any_deployment,
    require_flywheel,
)
from ops.deployment.service_errors import ANY_FAILURE
from ops.server.actions import Actions, Wanted
from ops.server.answers import Call, Handler, json_route
from ops.server.review_routes import queue_as_json, review_routes
from ops.verbs import picture, prices
from ops.verbs.cost import cost
from ops.verbs.endpoint import endpoint
from ops.verbs.flywheels import deployed, list_flywheels
from ops.verbs.import_status import import_status
from ops.verbs.model_card import model_card
from ops.verbs.models import list_models
from ops.verbs.open_console import console_pages, shown_by_aws
from ops.verbs.prepared import uploads_waiting
from ops.verbs.promotions import past_promotions, promotions_now
from ops.verbs.rejected import find_rejected, list_rejected
from ops.verbs.report import report_page
from ops.verbs.share import share, sharing_now
from ops.verbs.status import status
from ops.verbs.turns import TurnState, list_turns, past_turns, running_turn, score_history

BASE = "/api/console"
OPERATORS = "OperatorsPolicyArn"
APPROVERS = "ApproversPolicyArn"
REJECTED_REVIEWERS = "RejectedReviewersPolicyArn"
REVIEWERS = "ReviewersPolicyArn"
_TURNS = 50
_FOUND_SECONDS = 20
Part = Callable[[AnyDeployment, Call], object]


def console_routes(clients: Clients, *, name: str | None = None) -> list[BaseRoute]:
    """`name` chooses the flywheel that the page begins with, and whose queue can be reviewed from it; see
    `choose_name`. Raises the errors of `find_any_deployment`, but for what is not known without a name."""
    console = _Console(clients, name)
    routes: list[BaseRoute] = [
        Route(f"{BASE}/session", json_route(console.session, policy=OPERATORS), methods=["GET"]),
        Route(f"{BASE}/flywheels", json_route(console.flywheels, policy=None), methods=["GET"]),
        Route(f"{BASE}/report.css", json_route(lambda _: report_css(), policy=OPERATORS), methods=["GET"]),
        Route(f"{BASE}/confirmations/{{value}}", json_route(console.confirm, policy=APPROVERS), methods=["POST"]),
        *(
            Route(f"{BASE}/flywheels/{{name}}/{path}", json_route(console.of(part), policy=policy), methods=["GET"])
            for path, part, policy in _PARTS
        ),
        Route(
            f"{BASE}/flywheels/{{name}}/actions",
            json_route(console.of(console.ask), policy=f"{OPERATORS} or, of approvals, {APPROVERS}"),
            methods=["POST"],
        ),
    ]
    if isinstance(console.chosen, Deployment):
        routes += review_routes(console.chosen)
    return routes


class _Console:
    def __init__(self, clients: Clients, name: str | None) -> None:
        self._clients = clients
        self._actions = Actions()
        self._lately = lru_cache(maxsize=64)(lambda found, _: find_any_deployment(clients, name=found))
        self.chosen = find_any_deployment(clients, name=name) if choose_name(name=name) else self._only_one()

    def _find(self, name: str) -> AnyDeployment:
        """As it was deployed a moment ago: a page asks for many parts at once."""
        return self._lately(name, int(time.monotonic() / _FOUND_SECONDS))

    def _only_one(self) -> AnyDeployment | None:
        try:
            return find_any_deployment(self._clients)
        except ANY_FAILURE:
            # None, or several, or they may not be listed: the page says so.
            return None

    def session(self, _: Call) -> dict[str, Any]:
        caller = self._clients.caller()
        chosen = self.chosen
        return {
            "caller": {"id": caller, "name": caller.rsplit("/", 1)[-1]},
            "account": caller.split(":")[4],
            "region": self._clients.region,
            "chosen": chosen.name if chosen else None,
            "reviews": isinstance(chosen, Deployment),
        }

    def flywheels(self, _: Call) -> object:
        return list_flywheels(self._clients)

    def of(self, part: Part) -> Handler:
        """A handler that finds the deployment which the path names."""
        return lambda call: part(self._find(call.path["name"]), call)

    def ask(self, deployment: AnyDeployment, call: Call) -> object:
        return self._actions.ask(deployment, call.read(Wanted))

    def confirm(self, call: Call) -> object:
        return self._actions.confirm(call.path["value"])


def report_css() -> dict[str, str]:
    """The style sheet of a turn's page, for a shadow tree in another page, which has a main part of its own."""
    css = CSS
    for in_a_page, in_the_tree in ((":root", ":host"), ("body {", ":host {"), ("main {", ".main {")):
        css = css.replace(in_a_page, in_the_tree)
    return {"css": css}


def _what(deployment: AnyDeployment, _: Call) -> object:
    return deployed(deployment)


def _status(deployment: AnyDeployment, _: Call) -> object:
    if isinstance(deployment, Deployment):
        return {"imports": False, **status(deployment).model_dump(mode="json")}
    return {"imports": True, **import_status(deployment).model_dump(mode="json")}  # type: ignore[arg-type]  # the other kind


def _running(deployment: AnyDeployment, _: Call) -> object:
    """The machines' pictures: the current turn's until it has its record, the current promotion's while it runs."""
    clients = deployment.clients
    turn = running_turn(deployment) if isinstance(deployment, Deployment) else None
    now = promotions_now(deployment)
    left_out = picture.WHERE_MODELS_ARE_IMPORTED
    if not isinstance(deployment, Deployment):
        left_out = picture.WHERE_MODELS_ARE_TRAINED
    return {
        "turn": turn,
        "turn_picture": picture.picture(clients, deployment.turn_execution(turn.turn), picture.TURN)
        if isinstance(deployment, Deployment) and turn and turn.state is not TurnState.STARTING
        else None,
        "promotions": now,
        "promotion_picture": picture.picture(
            clients,
            deployment.promotion_execution(now.running),
            picture.steps_without(picture.PROMOTION, left_out),
        )
        if now.running
        else None,
    }


def _turns(deployment: AnyDeployment, _: Call) -> object:
    flywheel = require_flywheel(deployment)
    metric = flywheel.parameters.selection_metric
    turns = past_turns(flywheel, last=_TURNS)
    history = PromotionHistory.read(flywheel.intake)
    return {"metric": metric, "turns": turns, "chart": score_history(turns, metric=metric, history=history)}


def _report(deployment: AnyDeployment, call: Call) -> object:
    """What the page's main part has: its style sheet comes by `report_css`."""
    name, html = report_page(deployment, call.path["turn"])
    return {"name": name, "html": html.partition("<main>")[2].partition("</main>")[0]}


def _models(deployment: AnyDeployment, _: Call) -> object:
    return {"metric": deployment.parameters.selection_metric, "models": list_models(deployment)}


def _model(deployment: AnyDeployment, call: Call) -> object:
    return {"metric": deployment.parameters.selection_metric, "card": model_card(deployment, call.path["model"])}


def _promotions(deployment: AnyDeployment, _: Call) -> object:
    parameters = deployment.parameters
    return {
        "mode": parameters.promotion_mode,
        "now": promotions_now(deployment),
        "past": past_promotions(deployment),
    }


def _endpoint(deployment: AnyDeployment, _: Call) -> object:
    return {"prices_of": prices.REGION, **endpoint(deployment).model_dump(mode="json")}


def _cost(deployment: AnyDeployment, _: Call) -> object:
    return cost(deployment)


def _uploads(deployment: AnyDeployment, _: Call) -> object:
    """What waits, and what became of the uploads of the last turns, as their records tell."""
    flywheel = require_flywheel(deployment)
    running = running_turn(flywheel)
    turns = list_turns(flywheel, last=_TURNS)
    return {
        "waiting": uploads_waiting(
            flywheel.intake, turn_runs=running is not None and running.state is not TurnState.ENDED
        ),
        "results": [
            {"turn": turn.turn, "id": result.upload.id, **_result(result.model_dump(mode="json"))}
            for turn in turns
            for result in turn.uploads
        ],
        "rejected": [
            {"id": result.upload.id, **_result(result.model_dump(mode="json"))} for result in list_rejected(flywheel)
        ],
    }


def _result(result: dict[str, Any]) -> dict[str, Any]:
    """Without what only its own page shows, which may be long."""
    kept = ("outcome", "reason", "documents", "duplicates", "bad_lines")
    upload = {name: result["upload"][name] for name in ("key", "split", "size", "last_modified")}
    return {**{name: result[name] for name in kept}, "upload": upload}


def _rejected(deployment: AnyDeployment, call: Call) -> object:
    return find_rejected(require_flywheel(deployment), call.path["upload"])


def _share(deployment: AnyDeployment, _: Call) -> object:
    flywheel = require_flywheel(deployment)
    return {"now": sharing_now(flywheel), "versions": share(flywheel)}


def _links(deployment: AnyDeployment, _: Call) -> object:
    """AWS's own console; empty on the local cloud, which has none."""
    return console_pages(deployment) if shown_by_aws(deployment) else []


def _queue(deployment: AnyDeployment, _: Call) -> object:
    return queue_as_json(require_flywheel(deployment).intake)


_PARTS: tuple[tuple[str, Part, str | None], ...] = (
    ("what", _what, OPERATORS),
    ("status", _status, OPERATORS),
    ("running", _running, OPERATORS),
    ("turns", _turns, OPERATORS),
    ("turns/{turn}", _report, OPERATORS),
    ("models", _models, OPERATORS),
    ("models/{model}", _model, OPERATORS),
    ("promotions", _promotions, OPERATORS),
    ("endpoint", _endpoint, OPERATORS),
    ("cost", _cost, None),
    ("uploads", _uploads, OPERATORS),
    ("rejected/{upload}", _rejected, REJECTED_REVIEWERS),
    ("share", _share, OPERATORS),
    ("links", _links, OPERATORS),
    ("queue", _queue, REVIEWERS),
)
