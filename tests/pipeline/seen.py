"""What there is to see of a deployment when something has run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flywheel.promotions import start_promotion
from flywheel.records import turns
from flywheel.records.uploads import Split
from flywheel.store.parameters import RUN_TIME_NAMES
from flywheel.turn import start_turn
from local.comprehend.faults import Faults
from tests.pipeline.documents import Document, read_stored
from tests.pipeline.running import Running
from tests.simulation.claims import models, status
from tests.simulation.claims import turns as claims_of_turns
from tests.simulation.simulation import Situation

if TYPE_CHECKING:
    from flywheel.turn.start_turn import Poke, TurnStart
    from tests.simulation.schedule.plan import Plan

_NO_PLAN: Plan = None  # type: ignore[assignment]  # the claims that are checked here look at none


@dataclass(frozen=True, kw_only=True)
class Found:
    """The documents of the COMPLETED datasets, and those that wait in `prepared/`; each sorted."""

    trained_on: list[Document]
    tested_on: list[Document]
    waiting: list[Document]
    waiting_to_test: list[Document]


class Seen(Running):
    def poked(self, *pokes: Poke) -> TurnStart:
        """What start_turn thinks of these pokes; without any, of all that there are."""
        given = self.app.parameters["flywheel"]
        return start_turn.decide(
            start_turn.observe(
                pipeline=self.pipeline,
                pokes=frozenset(pokes or start_turn.Poke),
                now=self.now(),
                quiet_period=timedelta(minutes=float(given.get("QuietPeriodMinutes", 0))),
                minimum_between_iterations=timedelta(hours=float(given.get("MinimumHoursBetweenIterations", 0))),
            )
        )

    def poked_promotion(self, *pokes: start_promotion.Poke) -> start_promotion.PromotionStart:
        return start_promotion.decide(
            pipeline=self.pipeline, pokes=frozenset(pokes or start_promotion.Poke), now=self.now()
        )

    def endpoint(self) -> dict[str, Any] | None:
        """As anybody sees it."""
        found: list[dict[str, Any]] = self.comprehend.list_endpoints()["EndpointPropertiesList"]
        return found[0] if found else None

    def logged(self, message: str) -> list[str]:
        """What functions logged under this message, with its details."""
        lines = [str(what) for who, what in self._story if "#" in who]
        return [line for line in lines if line.startswith(f"logs: {message} ")]

    def notifications(self) -> list[str]:
        """Of the topic, oldest first."""
        return [each.message for each in self.world.sns.published(self.operator.published.topic_arn)]

    def told(self, who: str) -> list[str]:
        """What there is to tell of somebody or something: CloudFormation."""
        return [str(what) for teller, what in self._story if teller == who]

    def keys(self, prefix: str) -> list[str]:
        return list(self.bucket.keys(prefix))

    def parameters(self) -> dict[str, str]:
        """What is published of models, by name."""
        prefix = f"/comprehend-flywheel/{self.name}/"
        published = self.world.published(self.app.account)
        return {name: published[f"{prefix}{name}"] for name in RUN_TIME_NAMES if f"{prefix}{name}" in published}

    def registered(self, split: Split = Split.TRAIN, *, flywheel_arn: str | None = None) -> list[Document]:
        """Every document of the COMPLETED datasets, as Comprehend took them over."""
        found: list[Document] = []
        for item in self.datasets(flywheel_arn=flywheel_arn):
            if item["Status"] == "COMPLETED" and item["DatasetType"] == split.dataset_type:
                bucket, _, prefix = item["DatasetS3Uri"].removeprefix("s3://").partition("/")
                found += self._stored(bucket, prefix)
        return sorted(found)

    def waiting(self, split: Split = Split.TRAIN) -> list[Document]:
        """The documents in `prepared/`."""
        return sorted(self._stored(self.app.intake, f"prepared/{split}/", only="/documents."))

    def _stored(self, bucket: str, prefix: str, *, only: str = "") -> list[Document]:
        found: list[Document] = []
        for key in self.world.s3.keys(bucket, prefix):
            stored = self.world.s3.object(bucket, key)
            if only in key and stored is not None:
                found += read_stored(key, stored.body)
        return found

    def datasets(self, *, flywheel_arn: str | None = None) -> list[dict[str, Any]]:
        answer = self.comprehend.list_datasets(FlywheelArn=flywheel_arn or self.flywheel_arn, MaxResults=100)
        found: list[dict[str, Any]] = answer["DatasetPropertiesList"]
        return found

    def iterations(self) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = self.comprehend.list_flywheel_iteration_history(FlywheelArn=self.flywheel_arn)[
            "FlywheelIterationPropertiesList"
        ]
        return found

    def active_model(self) -> str | None:
        properties = self.comprehend.describe_flywheel(FlywheelArn=self.flywheel_arn)["FlywheelProperties"]
        arn: str | None = properties.get("ActiveModelArn")
        return arn

    def check_consistency(self, *, datasets_of_others: bool = False) -> Found:
        """What holds whenever the pipeline is at rest, whatever happened to it before; and what documents there are."""
        self.settle()
        local = self.world.comprehend.local
        faults, local.faults = local.faults, Faults()
        try:
            return self._checked(datasets_of_others=datasets_of_others)
        finally:
            local.faults = faults

    def _checked(self, *, datasets_of_others: bool) -> Found:
        found = self.check_documents()
        if not datasets_of_others:
            self.check_datasets()
        situation = Situation(plan=_NO_PLAN, world=self.world, app=self.app, people=self.people)
        self.app.parameters.setdefault("serving", {})
        for claim in (
            claims_of_turns.nothing_runs_that_nobody_waits_for,
            claims_of_turns.each_completed_iteration_is_decided,
            claims_of_turns.each_iteration_is_decided_once,
            models.all_say_the_same_model_is_active,
            status.the_status_says_what_the_pipeline_does,
        ):
            claim(situation)
        parameters = self.parameters()
        assert parameters.get("active-model-arn") == parameters.get("desired-model-arn") == self.active_model()
        verdict = self.poked()
        assert not verdict.start, f"a turn would start: {verdict.reason}"
        promotion = self.poked_promotion()
        assert not promotion.start, f"a promotion would start: {promotion.reason}"
        return found

    def check_documents(self) -> Found:
        """Each is there once, unless repetition is kept, and none where it was dropped."""
        for prefix in ("train/", "test/"):
            assert self.keys(prefix) == [], "an upload is still where it was dropped"
        found = Found(
            trained_on=self.registered(Split.TRAIN),
            tested_on=self.registered(Split.TEST),
            waiting=self.waiting(Split.TRAIN),
            waiting_to_test=self.waiting(Split.TEST),
        )
        kept = self.app.parameters["flywheel"].get("RepeatedDocuments") == "KEEP"
        for documents in (found.trained_on + found.waiting, found.tested_on + found.waiting_to_test):
            twice = [document for document, times in Counter(documents).items() if times > 1]
            assert kept or not twice, f"{len(twice)} documents are there twice, such as {twice[0]}"
        return found

    def check_datasets(self) -> None:
        """All are accepted, and each name has the number of the turn that composed it."""
        for item in self.datasets():
            split, _, number = item["DatasetName"].partition("-")
            assert split == item["DatasetType"].lower()
            assert turns.number_of(f"turn-{number.partition('-')[0]}") is not None
            key = f"datasets/{split}/{item['DatasetName']}/accepted.json"
            assert (self.keys(key) == [key]) is (item["Status"] == "COMPLETED"), f"{key}: {item['Status']}"
