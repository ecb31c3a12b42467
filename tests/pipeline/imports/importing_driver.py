"""A deployment that imports models, in this process, for tests that have not moved to `importing`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from flywheel.comprehend.imported_models import ImportedModels
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.faults.errors import ImportFailed
from flywheel.imports.delete_old_imports import delete_old_imports
from flywheel.imports.import_model import import_model
from flywheel.imports.judge_model import judge_model
from flywheel.imports.receive_announcement import Receiver, Source
from flywheel.imports.try_model import try_model
from flywheel.records.announcements import ModelShared, ModelWithdrawn, shared_id, withdrawn_id
from flywheel.records.decisions import Metrics
from flywheel.records.promotions import Promotion, end_key
from tests.pipeline.deployment import PromotingDeployment, settled
from tests.pipeline.in_process_cloud import ACCOUNT, REGION, InProcessCloud, in_process_cloud
from tests.pipeline.step_roles import Names
from tests.pipeline.turn_driver import DELIMITER, LABELS, as_csv, documents

SOURCE_ACCOUNT = "444455556666"
SOURCE = Source(account=SOURCE_ACCOUNT, flywheel="news")
IMPORT_ROLE = f"arn:aws:iam::{ACCOUNT}:role/imports"
SOURCE_ROLE = f"arn:aws:iam::{SOURCE_ACCOUNT}:role/trains"
UNDER_WAY = ("SUBMITTED", "TRAINING")


@dataclass(kw_only=True)
class SourceModels:
    """The models of a flywheel in another account, and what it tells of them."""

    cloud: InProcessCloud = field(default_factory=in_process_cloud)
    name: str

    def __post_init__(self) -> None:
        self.comprehend = self.cloud.comprehend_in(SOURCE_ACCOUNT)
        s3 = self.cloud.clients["s3"]
        self.bucket = f"{self.name}-training-data"
        s3.create_bucket(Bucket=self.bucket)
        self._put = partial(s3.put_object, Bucket=self.bucket)

    def train(self, version: str, *, wrong: bool = False, trusted: str | None = ACCOUNT) -> str:
        """A model version that `trusted` may import; its ARN. A `wrong` one has learned each label for the other."""
        labels = LABELS[::-1] if wrong else LABELS
        other = dict(zip(LABELS, labels, strict=True))
        rows = [(other[label], text) for label, text in documents(*LABELS, count=60)]
        self._put(Key=f"{version}/rows.csv", Body=as_csv(rows))
        arn: str = self.comprehend.create_document_classifier(
            DocumentClassifierName=self.name,
            VersionName=version,
            LanguageCode="en",
            InputDataConfig={"S3Uri": f"s3://{self.bucket}/{version}/"},
            DataAccessRoleArn=SOURCE_ROLE,
        )["DocumentClassifierArn"]

        def status() -> list[str]:
            found = self.comprehend.describe_document_classifier(DocumentClassifierArn=arn)
            return [found["DocumentClassifierProperties"]["Status"]]

        assert settled(status, lambda found: found[0] not in UNDER_WAY) == ["TRAINED"]
        if trusted is not None:
            self.share(arn, trusted)
        return arn

    def share(self, arn: str, account: str) -> None:
        statement = (
            f'{{"Effect": "Allow", "Action": "comprehend:ImportModel", "Resource": "{arn}", '
            f'"Principal": {{"AWS": "arn:aws:iam::{account}:root"}}}}'
        )
        policy = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
        self.comprehend.put_resource_policy(ResourceArn=arn, ResourcePolicy=policy)

    def stop_sharing(self, arn: str) -> None:
        self.comprehend.delete_resource_policy(ResourceArn=arn)

    def delete(self, arn: str) -> None:
        self.comprehend.delete_document_classifier(DocumentClassifierArn=arn)


@dataclass(kw_only=True)
class ImportingDeployment(PromotingDeployment):
    variant: str = "import"
    smoke_test_key: str | None = None
    smoke_test_minimum: float = 0.8
    follow_withdrawals: bool = False
    told: list[str] = field(default_factory=list)
    """What people were told of withdrawals."""

    @property
    def service(self) -> ImportedModels:
        resource = self.kind.arn_resource
        return ImportedModels(
            comprehend=self._clients["comprehend"],
            kind=self.kind,
            intake=self.intake,
            model_arn=f"arn:aws:comprehend:{REGION}:{ACCOUNT}:{resource}/{self.name}",
            role_arn=IMPORT_ROLE,
        )

    def names(self, *, smoke_test_key: str) -> Names:
        return Names(
            account=ACCOUNT,
            region=REGION,
            bucket=self.name,
            flywheel="",
            roles={"DataAccess": IMPORT_ROLE},
            parameters={
                "SmokeTestKey": smoke_test_key or self.smoke_test_key or "none",
                "SourceAccount": SOURCE_ACCOUNT,
            },
        )

    @property
    def receiver(self) -> Receiver:
        return Receiver(
            source=SOURCE,
            intake=self.intake,
            service=self.service,
            published=self.published,
            follow_withdrawals=self.follow_withdrawals,
            mode=self.promotion_mode,
        )

    def hear(self, announced: ModelShared | ModelWithdrawn) -> bool:
        """The announcement arrives."""
        with self.acting_as("receive_announcement"):
            if isinstance(announced, ModelShared):
                return self.receiver.shared(announced, now=self.now())
            return self.receiver.withdrawn(announced, tell=self.told.append, now=self.now())

    def hear_and_promote(self, announced: ModelShared | ModelWithdrawn) -> None:
        if self.hear(announced):
            self.promote_all()

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
            flywheel=SOURCE.flywheel,
            account=SOURCE.account,
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
            flywheel=SOURCE.flywheel,
            account=SOURCE.account,
            model=model,
            model_type="DOCUMENT_CLASSIFIER",
            promotion="promotion-000009",
            by="a person",
            reason="It mistakes weather for sports.",
            withdrawn_at=at or self.now(),
            instead=instead,
        )

    def before_check(self, promotion: str) -> list[Callable[[], None]]:
        return [
            partial(self._import, promotion),
            partial(self._await_import, promotion),
            partial(self._try, promotion),
            partial(self._judge, promotion),
        ]

    def after_report(self, promotion: str) -> list[Callable[[], None]]:
        return [partial(self._delete_old, promotion)]

    def _import(self, promotion: str) -> None:
        with self.acting_as("import_model"):
            self._model_arn, self._awaited = import_model(
                promotion=promotion, intake=self.intake, service=self.service, now=self.now()
            )

    def _await_import(self, promotion: str) -> None:  # noqa: ARG002 - of the machine: it needs nothing else
        if not self._awaited:
            return
        found = settled(
            lambda: self.status_of(self._model_arn), lambda found: found[0] not in ("SUBMITTED", "TRAINING")
        )
        if found[0] != "TRAINED":
            raise ImportFailed(found[1])

    def _try(self, promotion: str) -> None:
        if not self.smoke_test_key:
            return
        with self.acting_as("try_model"):
            job = try_model(
                promotion=promotion,
                key=self.smoke_test_key,
                minimum=self.smoke_test_minimum,
                delimiter=DELIMITER,
                intake=self.intake,
                service=self.service,
            )
        if job is not None:
            settled(lambda: self.service.jobs.find(job), lambda found: not found.running)

    def _judge(self, promotion: str) -> None:
        if self.smoke_test_key:
            with self.acting_as("judge_model"):
                judge_model(promotion=promotion, intake=self.intake, service=self.service, now=self.now())

    def _delete_old(self, promotion: str) -> None:
        with self.acting_as("delete_old_imports"):
            delete_old_imports(promotion=promotion, keep=self.models_to_keep, pipeline=self.pipeline)

    # What there is to see afterwards.

    def status_of(self, arn: str) -> tuple[str, str] | None:
        """Of an imported version, as anybody sees it; and Comprehend's message."""
        describe, member = {
            DOCUMENT_CLASSIFICATION: (self.comprehend.describe_document_classifier, "DocumentClassifier"),
            ENTITY_RECOGNITION: (self.comprehend.describe_entity_recognizer, "EntityRecognizer"),
        }[self.kind]
        try:
            found: dict[str, Any] = describe(**{f"{member}Arn": arn})[f"{member}Properties"]
        except self.comprehend.exceptions.ResourceNotFoundException:
            return None
        return found["Status"], found.get("Message", "")

    def end_of(self, announced: ModelShared | ModelWithdrawn) -> Promotion | None:
        return self.bucket.read(end_key(announced.id), Promotion)

    def imported(self) -> list[str]:
        return [model.arn for model in self.service.own_models()]
