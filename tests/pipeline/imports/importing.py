"""A deployment that imports models, and the account where they are trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.imported_models import ImportedModels
from flywheel.pipeline import Pipeline
from flywheel.records.announcements import (
    EVENT_SOURCE,
    MODEL_SHARED,
    MODEL_WITHDRAWN,
    ModelShared,
    ModelWithdrawn,
    shared_id,
    withdrawn_id,
)
from flywheel.records.decisions import Metrics
from flywheel.records.promotions import Promotion, PromotionStatus, end_key
from ops.deployment.published import ImportDeployment
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, as_csv, documents
from tests.pipeline.observed_world import SmallApp, parameters_of
from tests.pipeline.seen import Seen
from tests.simulation import clients
from tests.simulation.api import ACCOUNT, IMPORTER, REGION
from tests.simulation.trainings import train

if TYPE_CHECKING:
    from tests.pipeline.observed_world import ObservedWorld

FLYWHEEL = "news"
"""The name of the one that trains the models."""
_BUS = f"arn:aws:events:{REGION}:{IMPORTER}:event-bus/default"


class Source:
    """The account where models are trained: what it has, and what it tells of them."""

    def __init__(self, world: ObservedWorld) -> None:
        owner = world.as_person("the source", account=ACCOUNT)
        self.comprehend = clients.client("comprehend", as_=owner)
        self._events = clients.client("events", as_=owner)
        self._world = world

    def train(self, version: str, *, wrong: bool = False, trusted: str | None = IMPORTER) -> str:
        """A model version that `trusted` may import; its ARN. A `wrong` one has learned each label for the other."""
        labels = LABELS[::-1] if wrong else LABELS
        other = dict(zip(LABELS, labels, strict=True))
        rows = [(other[label], text) for label, text in documents(*LABELS, count=60)]
        folder = f"s3://data-of-{version}/train/"
        arn = train(self._world, as_csv(rows), name="source", version=version, folder=folder, account=ACCOUNT)
        if trusted is not None:
            self.share(arn, trusted)
        return arn

    def share(self, arn: str, account: str) -> None:
        statement = {
            "Effect": "Allow",
            "Action": "comprehend:ImportModel",
            "Resource": arn,
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.comprehend.put_resource_policy(ResourceArn=arn, ResourcePolicy=policy)

    def delete(self, arn: str) -> None:
        self.comprehend.delete_document_classifier(DocumentClassifierArn=arn)

    def tell(self, announced: ModelShared | ModelWithdrawn) -> None:
        """As the other account's share_model does it."""
        kind = MODEL_SHARED if isinstance(announced, ModelShared) else MODEL_WITHDRAWN
        entry = {
            "EventBusName": _BUS,
            "Source": EVENT_SOURCE,
            "DetailType": kind,
            "Detail": announced.model_dump_json(),
        }
        assert self._events.put_events(Entries=[entry])["FailedEntryCount"] == 0


class ImportingDeployment(Deployment):
    """`parameters` are those of the Import stack, in Python's case."""

    def __init__(self, *, serving: Mapping[str, object] | None = None, **parameters: object) -> None:
        Seen.__init__(self)
        given = {"source_account": ACCOUNT, "source_flywheel_name": FLYWHEEL, "models_to_keep": 1000, **parameters}
        stacks = {"import": parameters_of(given)}
        if serving is not None:
            stacks["serving"] = parameters_of(serving)
        app = SmallApp(
            self.world,
            kind="IMPORT",
            account=IMPORTER,
            labels=LABELS,
            parameters=stacks,
            starts_turns=False,
        )
        self.take(app)
        app.deploy()
        self.source = Source(self.world)

    @property
    def operator(self) -> ImportDeployment:  # type: ignore[override]  # there is no flywheel
        found = self.people.any_deployment_of(self.act_here())
        assert isinstance(found, ImportDeployment)
        return found

    @property
    def service(self) -> ImportedModels:  # type: ignore[override]  # as above
        return self.operator.service

    @property
    def pipeline(self) -> Pipeline:  # type: ignore[override]  # as above
        return Pipeline(intake=self.bucket, service=self.service, published=self.published)

    def hear(self, *announced: ModelShared | ModelWithdrawn) -> None:
        """The announcements arrive one right after the other, and whatever follows of them happens."""
        for each in announced:
            self.source.tell(each)
        self.settle()

    def hear_until(self, state: str, announced: ModelShared) -> str:
        """Until the promotion that follows enters this state, where it does nothing until it goes on; its name."""
        self.source.tell(announced)
        return self.run_before(state, machine="Promote")

    def shared(
        self,
        model: str,
        *,
        at: datetime | None = None,
        promotion: str = "promotion-000001",
        scores: Metrics | None = None,
    ) -> ModelShared:
        return ModelShared(
            id=shared_id(promotion, model),
            flywheel=FLYWHEEL,
            account=ACCOUNT,
            model=model,
            model_type="DOCUMENT_CLASSIFIER",
            promotion=promotion,
            by="turn-000001",
            reason="It is better.",
            shared_at=at or self.now(),
            scores=scores,
        )

    def withdrawn(self, model: str, *, instead: str, at: datetime | None = None) -> ModelWithdrawn:
        return ModelWithdrawn(
            id=withdrawn_id("promotion-000009", model),
            flywheel=FLYWHEEL,
            account=ACCOUNT,
            model=model,
            model_type="DOCUMENT_CLASSIFIER",
            promotion="promotion-000009",
            by="a person",
            reason="It mistakes weather for sports.",
            withdrawn_at=at or self.now(),
            instead=instead,
        )

    def status_of(self, arn: str) -> tuple[str, str] | None:
        """Of an imported version, as anybody sees it; and Comprehend's message."""
        try:
            found = self.comprehend.describe_document_classifier(DocumentClassifierArn=arn)
        except self.comprehend.exceptions.ResourceNotFoundException:
            return None
        properties = found["DocumentClassifierProperties"]
        return properties["Status"], properties.get("Message", "")

    def end_of(self, announced: ModelShared | ModelWithdrawn) -> Promotion | None:
        return self.bucket.read(end_key(announced.id), Promotion)

    def ended(self, announced: ModelShared | ModelWithdrawn) -> PromotionStatus | None:
        end = self.end_of(announced)
        return end.status if end else None

    def imported(self) -> list[str]:
        return [model.arn for model in self.service.own_models()]
