"""The command line's view of a deployment whose turns run in this process."""

from __future__ import annotations

from flywheel.comprehend.model_kind import ModelType
from ops.deployment.clients import Clients
from ops.deployment.published import Deployment as Deployed
from ops.deployment.published import Published
from tests.pipeline.in_process_cloud import REGION
from tests.pipeline.turn_driver import DELIMITER, Deployment

PERSON = "arn:aws:iam::111122223333:user/a-person"


class _Clients(Clients):
    """They cannot be killed."""

    def __init__(self, at: Deployment) -> None:
        self.__dict__.update(at.cloud.clients)

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
