"""A flywheel, or an importing deployment, as the console sees it, with machines whose executions a test tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from flywheel.comprehend.model_kind import ModelType
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.records import promotions, turns
from flywheel.records.decisions import Evidence
from flywheel.records.one_at_a_time import Current
from flywheel.records.predictions import ScoredLabel, Suggestion
from flywheel.records.promotions import PromotionMode
from flywheel.records.review import ItemSource, Lane, WaitingItem
from flywheel.review.add_item import add
from ops.deployment.published import AnyDeployment
from ops.server.console_routes import console_routes
from tests.pipeline.entities.documents import TYPES, annotated, as_json_lines
from tests.pipeline.imports.importing_driver import ImportingDeployment
from tests.pipeline.in_process_cloud import ACCOUNT, REGION
from tests.pipeline.operator import importer, operator
from tests.pipeline.turn_driver import LABELS, Deployment, documents

TURN_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:news-flywheel-turn"
PROMOTION_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:news-flywheel-promote"


class _Unknown(Exception):
    pass


@dataclass
class Machines:
    """Step Functions, as far as the command line asks it: the in-process cloud runs no machine."""

    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name."""
    answers: list[dict[str, Any]] = field(default_factory=list)
    """What tasks that wait were told."""
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(
            ExecutionDoesNotExist=_Unknown, TaskTimedOut=_Unknown, TaskDoesNotExist=_Unknown, InvalidToken=_Unknown
        )
    )

    def tell(self, name: str, status: str, states: Sequence[str], *, began: datetime, **more: Any) -> None:
        """An execution that entered these states in turn, and has left all but the last."""
        events: list[dict[str, Any]] = []
        for place, state in enumerate(states):
            at = began + timedelta(seconds=40 * place)
            if events:
                events.append(
                    {"type": "TaskStateExited", "timestamp": at, "stateExitedEventDetails": {"name": states[place - 1]}}
                )
            events.append({"type": "TaskStateEntered", "timestamp": at, "stateEnteredEventDetails": {"name": state}})
        self.executions[name] = {"status": status, "startDate": began, "events": events, **more}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        found = self.executions.get(executionArn.rpartition(":")[2])
        if found is None:
            raise _Unknown
        return found

    def get_paginator(self, _: str) -> Machines:
        return self

    def paginate(self, *, executionArn: str, reverseOrder: bool = False, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803 - boto3's names
        events = self.describe_execution(executionArn=executionArn)["events"]
        yield {"events": events[::-1] if reverseOrder else events}

    def send_task_success(self, **answer: Any) -> None:
        self.answers.append(answer)

    def send_task_failure(self, **answer: Any) -> None:
        self.answers.append(answer)


class _Empty:
    """CloudFormation and CloudWatch, which the in-process cloud lacks: there is nothing in them."""

    def get_paginator(self, _: str) -> _Empty:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return []


@dataclass
class Console:
    at: Deployment | ImportingDeployment
    deployed: AnyDeployment
    machines: Machines

    @property
    def name(self) -> str:
        return self.at.name

    def publish(self) -> None:
        """As the stacks do, so that the console finds it by its name."""
        published = self.deployed.published
        role = "import" if isinstance(self.at, ImportingDeployment) else "train"
        self._put("deployment", json.dumps({**published.model_dump(mode="json"), "role": role}))
        if isinstance(self.at, Deployment):
            self._put("flywheel-arn", self.at.flywheel_arn)

    def _put(self, last: str, value: str) -> None:
        self.at.cloud.clients["ssm"].put_parameter(
            Name=f"{self.deployed.prefix}/{last}", Value=value, Type="String", Overwrite=True
        )

    def routes(self) -> list[Any]:
        return console_routes(self.deployed.clients, name=self.name)

    def ask_for_review(self, *texts: str) -> None:
        for text in texts:
            scores = tuple(
                ScoredLabel(name=label, score=score) for label, score in zip(LABELS, (0.51, 0.49), strict=True)
            )
            suggestion = Suggestion(labels=(LABELS[0],), predictions=scores, confidence=0.51, margin=0.02)
            item = WaitingItem(text=text, source=ItemSource.API, suggestion=suggestion, at=datetime.now(UTC))
            add(item, lane=Lane.UNCERTAIN, rank=20, intake=self.at.bucket)

    def begin_turn(self, *states: str, status: str = "RUNNING", **more: Any) -> str:
        """A turn that goes on; its name."""
        number = turns.current_number(self.at.bucket) + 1
        self.at.bucket.write(turns.TURNS.current_key, Current(number=number))
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=40 * len(states))
        if states:
            self.machines.tell(turns.name_of(number), status, states, began=began, **more)
        return turns.name_of(number)

    def promotion_waits(self) -> str:
        """The current promotion's execution waits for a person; its name."""
        name = promotions.name_of(promotions.current_number(self.at.bucket))
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=120)
        self.machines.tell(name, "RUNNING", ("BeginPromotion", "CheckModel", "AskForApproval"), began=began)
        return name


def console(at: Deployment, **parameters: Any) -> Console:
    model_type = ModelType.ENTITY_RECOGNIZER if at.kind is ENTITY_RECOGNITION else ModelType.DOCUMENT_CLASSIFIER
    deployed = operator(at, model_type=model_type)
    machines = Machines()
    published = deployed.published.model_copy(
        update={
            "turn_machine_arn": TURN_MACHINE,
            "promotion_machine_arn": PROMOTION_MACHINE,
            "parameters": {
                **deployed.published.parameters,
                "PromotionMode": at.promotion_mode.value,
                "Evidence": at.evidence.value,
                **parameters,
            },
        }
    )
    return _console(at, replace(deployed, published=published), machines)


def importing(at: ImportingDeployment) -> Console:
    return _console(at, importer(at), Machines())


def _console(at: Deployment | ImportingDeployment, deployed: AnyDeployment, machines: Machines) -> Console:
    deployed.clients.__dict__.update(stepfunctions=machines, cloudformation=_Empty(), cloudwatch=_Empty())
    made = Console(at, deployed, machines)
    made.publish()
    return made


def busy_news() -> Console:
    """A classifier's flywheel with two turns behind it, one of whose models waits for approval, and bad uploads."""
    at = Deployment(
        promotion_mode=PromotionMode.APPROVAL,
        evidence=Evidence.HOLDOUT,
        maximum_bad_lines_percent=30,
        variant="default",
    )
    at.upload("test/news.csv", documents(*LABELS, start=500, count=60))
    wrong = [(LABELS[0], text) for _, text in documents(LABELS[1], start=200, count=30)]
    at.upload("train/first.csv", [*documents(LABELS[0], count=40), *documents(LABELS[1], count=10), *wrong])
    at.run_turn()
    at.promote_all()
    assert at.promotion
    at.promotion.approve(by="arn:aws:iam::111122223333:user/anna")
    at.upload("train/second.csv", [*documents(*LABELS, start=100, count=80), ("WEATHER", "rain and wind")])
    at.upload("train/bad.csv", [("CLIMATE", f"the wind turns, told in document {n}") for n in range(8)])
    at.run_turn()
    at.promote_all()
    at.upload("train/waiting.csv", documents(*LABELS, start=300, count=3))
    found = console(at)
    found.ask_for_review("a late goal decided the final", "the market fell again on monday")
    return found


def people() -> Console:
    """A recognizer's flywheel with one turn behind it, whose model is active."""
    at = Deployment(kind=ENTITY_RECOGNITION, labels=TYPES, variant="entities")
    at.upload("train/people.jsonl", as_json_lines(annotated(count=200)))
    at.upload("test/people.jsonl", as_json_lines(annotated(start=300, count=60)))
    at.run_turn()
    at.promote_all()
    return console(at)
