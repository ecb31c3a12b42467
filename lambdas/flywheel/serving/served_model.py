"""Finds the model that the endpoint should serve, and what to bind the endpoint to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flywheel.promotions import requests
from flywheel.records.promotions import Promotion, end_key
from flywheel.records.serving import failed_smoke_test_of

if TYPE_CHECKING:
    from datetime import datetime

    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.pipeline import Pipeline
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    flywheel_arn: str | None
    """The flywheel whose active model it is; None: the endpoint is bound to the model itself."""
    model_arn: str
    since: datetime | None = None
    """When the model's promotion began, if it has not ended. An older smoke test does not count for it."""


def find_served_model(*, pipeline: Pipeline) -> ServedModel | None:
    """The model to serve; None before the first promotion.

    The model of a running promotion comes first, once it is active and unless it has failed its smoke test. Otherwise
    it is the published model, with the flywheel that has it active. That is the flywheel of a former generation until a
    model of the present one is promoted; if another model is active there by now, the endpoint is bound to the model.
    """
    return _under_way(intake=pipeline.intake, service=pipeline.service) or _published(
        service=pipeline.service, published=pipeline.published, intake=pipeline.intake
    )


def _under_way(*, intake: IntakeBucket, service: ActiveModelService) -> ServedModel | None:
    beginning = requests.current_beginning(intake)
    request = beginning.request if beginning else None
    if beginning is None or request is None or intake.read(end_key(request.id), Promotion) is not None:
        return None
    active = service.at(request.flywheel_arn).find_active_model()
    if active != request.model_arn:
        return None
    # Also in an earlier promotion of the request, which could not report it: `check_model` refuses the model then.
    if requests.failed_smoke_test(request, intake=intake) is not None:
        return None
    return ServedModel(flywheel_arn=request.flywheel_arn, model_arn=request.model_arn, since=beginning.began_at)


def _published(*, service: ActiveModelService, published: PublishedModels, intake: IntakeBucket) -> ServedModel | None:
    model_arn = published.active()
    if model_arn is None:
        return None
    active = service.find_active_model()
    if active == model_arn:
        return ServedModel(flywheel_arn=service.arn, model_arn=model_arn)
    model = service.models.describe(model_arn)
    of_model = service.flywheel_of(model) if model else None
    if of_model and of_model != service.arn:
        # What somebody makes active in the former flywheel now, no turn publishes any more.
        follows = service.at(of_model).find_active_model() == model_arn
        return ServedModel(flywheel_arn=of_model if follows else None, model_arn=model_arn)
    if active is None or _may_not_serve(active, gone=model is None, published=published, intake=intake):
        return None
    # The active model was changed outside the pipeline, or is about to be published. An endpoint follows its flywheel's
    # active model by itself.
    return ServedModel(flywheel_arn=service.arn, model_arn=active)


def _may_not_serve(active: str, *, gone: bool, published: PublishedModels, intake: IntakeBucket) -> bool:
    """Whether the active model failed its smoke test, and no other can serve: if the published one is not `gone`, it is
    about to be made active again."""
    if failed_smoke_test_of(active, intake=intake) is None:
        return False
    return gone or requests.stays_though_it_failed(active, published=published, intake=intake)
