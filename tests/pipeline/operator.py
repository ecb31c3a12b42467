"""The command line's view of a deployment whose turns run in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flywheel.comprehend.model_kind import ModelType
from ops.deployment.clients import Clients
from ops.deployment.published import Deployment as Deployed
from ops.deployment.published import ImportDeployment, Published, PublishedImports
from tests.pipeline.deployment import PromotingDeployment
from tests.pipeline.imports.importing_driver import SOURCE, ImportingDeployment
from tests.pipeline.in_process_cloud import ACCOUNT, REGION
from tests.pipeline.turn_driver import DELIMITER, Deployment

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

NO_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:none"
PERSON = "arn:aws:iam::111122223333:user/a-person"


class _Queues:
    """A test looks for itself what a poke would start."""

    def send_message(self, **message: str) -> None:
        pass


class _Clients(Clients):
    """They cannot be killed."""

    def __init__(self, at: PromotingDeployment) -> None:
        self.__dict__.update(at.cloud.clients)
        self.sqs = cast("SQSClient", _Queues())

    @property
    def region(self) -> str:
        return REGION

    def caller(self) -> str:
        return PERSON


def operator(at: Deployment, *, model_type: ModelType = ModelType.DOCUMENT_CLASSIFIER) -> Deployed:
    published = Published(
        intake_bucket=at.name,
        lake_bucket=f"{at.name}-lake",
        turn_machine_arn="-",
        turn_queue_url="-",
        promotion_machine_arn="-",
        promotion_queue_url="-",
        topic_arn="-",
        model_type=model_type,
        mode="MULTI_LABEL" if at.multi_label else "MULTI_CLASS",
        labels=at.labels,
        label_delimiter=DELIMITER,
        language="en",
        generation=at.generation,
        parameters={"MinimumDocumentsPerLabel": at.minimum_per_label},
    )
    return Deployed(name=at.name, flywheel_arn=at.flywheel_arn, published=published, clients=_Clients(at))


def importer(at: ImportingDeployment) -> ImportDeployment:
    published = PublishedImports(
        intake_bucket=at.name,
        promotion_machine_arn=NO_MACHINE,
        promotion_queue_url="-",
        topic_arn="-",
        label_delimiter=DELIMITER,
        imported_model_arn=at.service.model_arn,
        parameters={
            "SourceAccount": SOURCE.account,
            "SourceFlywheelName": SOURCE.flywheel,
            "PromotionMode": at.promotion_mode,
        },
    )
    return ImportDeployment(name=at.name, published=published, clients=_Clients(at))
