"""What a deployment that imports models has of its source, what serves, and what waits or failed."""

from __future__ import annotations

from datetime import UTC, datetime

from flywheel.records.promotions import PromotionMode
from flywheel.records.serving import ServingState, SmokeTest, smoke_test_of
from flywheel.store.record import Record
from ops.deployment.published import ImportDeployment
from ops.verbs.endpoint import serving_state
from ops.verbs.models import ModelMark, ModelVersion, list_models
from ops.verbs.promotions import DesiredModel, Promotions, another_desired, promotions_now


class ImportStatus(Record):
    name: str
    region: str
    source_account: str
    source_flywheel: str
    active: ModelVersion | None = None
    """None until a first model is promoted."""
    smoke_test: SmokeTest | None = None
    """The last one of the active model, here."""
    newest: ModelVersion | None = None
    """The version that the source shared last; None before it shared any."""
    withdrawn: tuple[ModelVersion, ...] = ()
    """Those that the source took back, newest first."""
    serving: ServingState | None = None
    """Of the endpoint; None before anything was wanted."""
    promotion_mode: PromotionMode
    promotions: Promotions = Promotions()
    desired: DesiredModel | None = None
    """None where it is the active model."""


def import_status(deployment: ImportDeployment) -> ImportStatus:
    """Raises botocore's errors and flywheel.faults.errors.InvalidRecord."""
    source, versions = deployment.parameters, list_models(deployment)
    active = next((version for version in versions if ModelMark.ACTIVE in version.marks), None)
    shared = [version for version in versions if version.shared_at]
    return ImportStatus(
        name=deployment.name,
        region=deployment.region,
        source_account=source.source_account,
        source_flywheel=source.source_flywheel_name,
        active=active,
        smoke_test=smoke_test_of(active.arn, intake=deployment.intake) if active else None,
        newest=max(shared, key=lambda version: version.shared_at or datetime.min.replace(tzinfo=UTC), default=None),
        withdrawn=tuple(version for version in versions if ModelMark.WITHDRAWN in version.marks),
        serving=serving_state(deployment),
        promotion_mode=source.promotion_mode,
        promotions=promotions_now(deployment),
        desired=another_desired(deployment, active=active.arn if active else None),
    )
