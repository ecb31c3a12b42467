"""A flywheel, or an importing deployment, as the console sees it: what is deployed, its machines included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flywheel.records.decisions import Evidence
from flywheel.records.predictions import ScoredLabel, Suggestion
from flywheel.records.promotions import PromotionMode
from flywheel.records.review import ItemSource, Lane, WaitingItem
from flywheel.review.add_item import add
from ops.deployment.published import AnyDeployment
from ops.server.console_routes import console_routes
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents
from tests.pipeline.entities.documents import annotated, as_json_lines
from tests.pipeline.entities.test_turns import people as of_people
from tests.pipeline.observed_world import SmallApp
from tests.simulation.api import ACCOUNT, IMPORTER
from tests.simulation.people import People


class _Empty:
    """CloudFormation and CloudWatch, which the simulation lacks: there is nothing in them."""

    def get_paginator(self, _: str) -> _Empty:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return []


@dataclass
class Console:
    at: Deployment
    """Of an importing deployment the one whose models it imports."""
    deployed: AnyDeployment

    def __post_init__(self) -> None:
        self.deployed.clients.__dict__.update(cloudformation=_Empty(), cloudwatch=_Empty())

    @property
    def name(self) -> str:
        return self.deployed.name

    def routes(self) -> list[Any]:
        """What answers them has this world's clock."""
        self.at.act_here()
        return console_routes(self.deployed.clients, name=self.name)

    def ask_for_review(self, *texts: str) -> None:
        for text in texts:
            scores = tuple(
                ScoredLabel(name=label, score=score) for label, score in zip(LABELS, (0.51, 0.49), strict=True)
            )
            suggestion = Suggestion(labels=(LABELS[0],), predictions=scores, confidence=0.51, margin=0.02)
            item = WaitingItem(text=text, source=ItemSource.API, suggestion=suggestion, at=datetime.now(UTC))
            add(item, lane=Lane.UNCERTAIN, rank=20, intake=self.at.bucket)

    def begin_turn(self, state: str) -> str:
        """A turn that is at this state; its name."""
        return self.at.start_turn().run_before(state).name


def console(**parameters: object) -> Console:
    """Of a flywheel that nobody has given anything yet."""
    at = Deployment(**parameters)  # type: ignore[arg-type]  # those of the Flywheel stack
    return Console(at, at.operator)


def importing() -> Console:
    """Where the models of a flywheel in another account are imported: its first is active."""
    at = Deployment(trusted_accounts=IMPORTER)
    app = _importing(at, account=IMPORTER)
    at.upload("test/test.csv", documents(*LABELS, count=6, words="judge: "))
    at.upload("train/train.csv", documents(*LABELS, count=20))
    at.run_turn()
    at.settle()
    who = at.world.as_person("somebody", account=IMPORTER)
    found = Console(at, People(at.world, app).any_deployment_of(who))
    assert found.deployed.models.active()
    return found


def _importing(at: Deployment, *, account: str) -> SmallApp:
    source = {"SourceAccount": ACCOUNT, "SourceFlywheelName": at.name}
    app = SmallApp(
        at.world, kind="IMPORT", labels=(), parameters={"import": source}, starts_turns=False, account=account
    )
    app.deploy()
    return app


def busy_news(*, beside_imports: bool = False) -> Console:
    """A classifier's flywheel with two turns behind it, one of whose models waits for approval, and bad uploads; with
    a deployment in its account that is to import models."""
    at = Deployment(promotion_mode=PromotionMode.APPROVAL, evidence=Evidence.HOLDOUT, maximum_bad_lines_percent=30)
    if beside_imports:
        _importing(at, account=ACCOUNT)
    at.upload("test/news.csv", documents(*LABELS, start=500, count=60))
    wrong = [(LABELS[0], text) for _, text in documents(LABELS[1], start=200, count=30)]
    at.upload("train/first.csv", [*documents(LABELS[0], count=40), *documents(LABELS[1], count=10), *wrong])
    at.run_turn()
    at.waiting_promotion().approve()
    at.upload("train/second.csv", [*documents(*LABELS, start=100, count=80), ("WEATHER", "rain and wind")])
    at.upload("train/bad.csv", [("CLIMATE", f"the wind turns, told in document {n}") for n in range(8)])
    at.run_turn()
    at.upload("train/waiting.csv", documents(*LABELS, start=300, count=3))
    found = Console(at, at.operator)
    found.ask_for_review("a late goal decided the final", "the market fell again on monday")
    return found


def people() -> Console:
    """A recognizer's flywheel with one turn behind it, whose model is active."""
    at = of_people()
    at.upload("train/people.jsonl", as_json_lines(annotated(count=200)))
    at.upload("test/people.jsonl", as_json_lines(annotated(start=300, count=60)))
    at.run_turn()
    at.promote_all()
    return Console(at, at.operator)
