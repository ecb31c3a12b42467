"""Which model the endpoint is to answer with, and by which flywheel it gets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flywheel.comprehend.flywheel import FlywheelService
from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records.promotions import Promotion
from flywheel.records.serving import smoke_test_of

if TYPE_CHECKING:
    from datetime import datetime

    from flywheel.pipeline import Pipeline
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    flywheel_arn: str
    model_arn: str
    since: datetime | None = None
    """When the promotion that brought the model began, while it is under way: a smoke test before that is not its."""


def find_served_model(*, pipeline: Pipeline) -> ServedModel | None:
    """None while nothing was promoted.

    A promotion that has made its model active and is not published yet comes first, unless its model failed the smoke
    test. Else it is the published model, by whichever flywheel has it active: a former generation's until a model of
    the present one has passed the gate.
    """
    return _under_way(intake=pipeline.intake, service=pipeline.service) or _published(
        service=pipeline.service, published=pipeline.published
    )


def _under_way(*, intake: IntakeBucket, service: FlywheelService) -> ServedModel | None:
    beginning = requests.current_beginning(intake)
    request = beginning.request if beginning else None
    if beginning is None or request is None or intake.read(promotions.end_key(request.id), Promotion) is not None:
        return None
    active = service.at(request.flywheel_arn).find_active_model()
    if active != request.model_arn:
        return None
    tested = smoke_test_of(request.model_arn, intake=intake)
    if tested is not None and not tested.passed and tested.at >= beginning.began_at:
        return None
    return ServedModel(flywheel_arn=request.flywheel_arn, model_arn=request.model_arn, since=beginning.began_at)


def _published(*, service: FlywheelService, published: PublishedModels) -> ServedModel | None:
    model_arn = published.active()
    if model_arn is None:
        return None
    active = service.find_active_model()
    if active == model_arn:
        return ServedModel(flywheel_arn=service.arn, model_arn=model_arn)
    model = service.models.describe(model_arn)
    of_model = model.flywheel_arn if model else None
    if of_model and of_model != service.arn and service.at(of_model).find_active_model() == model_arn:
        return ServedModel(flywheel_arn=of_model, model_arn=model_arn)
    # Changed past the pipeline, or published in a moment: the endpoint follows the flywheel by itself in any case.
    return ServedModel(flywheel_arn=service.arn, model_arn=active) if active else None
