"""Takes an announcement of the account that trains: the event `Model Shared` or `Model Withdrawn`."""

from __future__ import annotations

import json
from typing import Any

from flywheel.environment import Pipeline
from flywheel.imports.receive_announcement import AnnouncementRefused, Receiver, Source
from flywheel.promotions.start_promotion import Poke
from flywheel.records.announcements import MODEL_SHARED, ModelShared, ModelWithdrawn
from flywheel.records.promotions import PromotionMode
from flywheel.text import notification
from handlers.clients import client, imported_models, intake_bucket, published_models
from handlers.clock import now
from handlers.imports.events import AnnouncementEvent
from handlers.observability import handles, logger


class Environment(Pipeline):
    source_account: str
    source_flywheel_name: str
    follow_withdrawals: bool
    promotion_mode: PromotionMode
    promotion_queue_url: str
    topic_arn: str


@handles(AnnouncementEvent, Environment)
def handler(event: AnnouncementEvent, environment: Environment) -> dict[str, Any]:
    receiver = Receiver(
        source=Source(account=environment.source_account, flywheel=environment.source_flywheel_name),
        intake=intake_bucket(environment),
        service=imported_models(environment),
        published=published_models(environment),
        follow_withdrawals=environment.follow_withdrawals,
        mode=environment.promotion_mode,
    )
    if event.account != environment.source_account:
        raise AnnouncementRefused(f"An event of account {event.account} says that it is of another one.")

    def tell(sentence: str) -> None:
        client("sns").publish(
            TopicArn=environment.topic_arn,
            Subject=notification.subject(f"{environment.flywheel_name}: a model was withdrawn"),
            Message=notification.message(
                [sentence], closing=[f"What is imported: flywheel --name {environment.flywheel_name} models"]
            ),
        )

    if event.detail_type == MODEL_SHARED:
        look = receiver.shared(ModelShared.model_validate(event.detail), now=now())
    else:
        look = receiver.withdrawn(ModelWithdrawn.model_validate(event.detail), tell=tell, now=now())
    if look:
        client("sqs").send_message(
            QueueUrl=environment.promotion_queue_url, MessageBody=json.dumps({"poke": Poke.REQUEST})
        )
    logger.info("announcement", type=event.detail_type, id=event.detail.get("id"), look=look)
    return {}
