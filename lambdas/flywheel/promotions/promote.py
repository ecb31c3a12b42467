"""The steps of a promotion, the only way in which the active model changes.

Each can be killed anywhere and repeated.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.comprehend.flywheel import FOUND_WITHIN
from flywheel.errors import PromotionRefused, ServiceBusy, SmokeTestFailed
from flywheel.fault_names import INVALID, THROTTLES
from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records.promotions import (
    Promotion,
    PromotionBeginning,
    PromotionMode,
    PromotionRequest,
    PromotionSource,
    PromotionStatus,
)
from flywheel.records.serving import smoke_test_of
from flywheel.service_faults import error_code, error_message

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService, FlywheelState
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels

_BUSY = INVALID | THROTTLES | {"ResourceInUseException"}
"""Which of them would refuse a promotion while an iteration runs is not documented (reference 14, question 6)."""
_REFUSALS = INVALID | {"ResourceNotFoundException", "ResourceUnavailableException"}


def begin(
    *,
    promotion: str,
    mode: PromotionMode,
    intake: IntakeBucket,
    service: FlywheelService,
    published: PublishedModels,
    now: datetime,
) -> PromotionBeginning:
    """Choose the request to work on. Raises NotCurrentPromotion."""
    promotions.require_current(intake, promotion)
    key = promotions.begin_key(promotion)
    beginning = intake.read(key, PromotionBeginning)
    if beginning is None:
        found = _find(promotion, mode, intake, service, published, now)
        # A second invocation of the same execution may have been faster: what it wrote counts.
        beginning = found if intake.write_once(key, found) else intake.require(key, PromotionBeginning)
    return beginning


def _find(
    promotion: str,
    mode: PromotionMode,
    intake: IntakeBucket,
    service: FlywheelService,
    published: PublishedModels,
    now: datetime,
) -> PromotionBeginning:
    choice = requests.choose(requests.open_requests(intake))
    if choice is None:
        return PromotionBeginning(promotion=promotion, began_at=now)
    request = choice.chosen
    active = service.describe().active_model_arn
    by_turn = request.source is PromotionSource.TURN
    former, desired = published.active(), published.desired()
    if request.source is PromotionSource.PARAMETER and active is not None and active == former:
        # What the parameter says holds against whatever came through this door since it was edited, but not against
        # what somebody did past it.
        request = request.model_copy(update={"decided_against": active})
    elif active not in (request.decided_against, request.model_arn) and _was_taken_back(request, active, intake):
        # What is better than a model that was taken back is better than the one that came back for it.
        request = request.model_copy(update={"decided_against": active})
    return PromotionBeginning(
        promotion=promotion,
        began_at=now,
        request=request,
        former_model_arn=former if former != request.model_arn else published.previous(),
        # A person's own wish is approved, and what is active already only has to be published.
        approval=mode is PromotionMode.APPROVAL and by_turn and active != request.model_arn,
        desired_version=desired.version if desired else None,
        superseded=tuple(older.id for older in choice.superseded),
    )


def _was_taken_back(request: PromotionRequest, active: str | None, intake: IntakeBucket) -> bool:
    """Whether `active` is there because what the request was decided against failed its smoke test since."""
    end = requests.taken_back(request.decided_against, intake=intake) if request.decided_against else None
    return end is not None and end.former_model_arn == active


def _end_superseded(beginning: PromotionBeginning, *, intake: IntakeBucket, now: datetime) -> None:
    if beginning.request is None:
        return
    for request_id in beginning.superseded:
        older = intake.require(promotions.request_key(request_id), PromotionRequest)
        end = requests.as_promotion(
            older,
            status=PromotionStatus.SUPERSEDED,
            reason=superseded_by(beginning.request),
            at=now,
        )
        intake.write_once(promotions.end_key(request_id), end)


def superseded_by(request: PromotionRequest) -> str:
    who = request.by if request.source is PromotionSource.TURN else f"{request.by} (by hand)"
    return f"{who} asked for {request.model_arn} instead."


def check_model(*, promotion: str, intake: IntakeBucket, service: FlywheelService, now: datetime) -> str | None:
    """Refuse what cannot or must not become active, before anybody is asked and before it supersedes anything.

    Returns what Comprehend says about a model that is TRAINED_WITH_WARNING. Raises NotCurrentPromotion and
    PromotionRefused.
    """
    promotions.require_current(intake, promotion)
    beginning = _beginning(promotion, intake)
    warning = require_fit(_open_request(promotion, intake), flywheel=service.describe(), service=service, now=now)
    _end_superseded(beginning, intake=intake, now=now)
    return warning


def require_fit(
    request: PromotionRequest, *, flywheel: FlywheelState, service: FlywheelService, now: datetime
) -> str | None:
    """Raise PromotionRefused unless the model can become active; returns Comprehend's warning about it.

    Raises ServiceBusy for a turn's own candidate that does not show yet.
    """
    _require_same_active(request, flywheel)
    if flywheel.active_model_arn == request.model_arn:
        return None
    if not _is_model_beside(flywheel.arn, request.model_arn):
        raise PromotionRefused(
            f"{request.model_arn!r} is not the ARN of a document classifier in the flywheel's account and Region: "
            "`flywheel models` lists what there is."
        )
    model = service.models.describe(request.model_arn)
    if model is None and request.source is PromotionSource.TURN and now - request.requested_at < FOUND_WITHIN:
        raise ServiceBusy(f"Comprehend does not show {request.model_arn} yet, which this turn's iteration trained.")
    if model is None:
        raise PromotionRefused(f"{request.model_arn} does not exist any more: `flywheel models` lists what there is.")
    if not model.trained:
        raise PromotionRefused(f"{request.model_arn} is {model.status}: only a trained model can be active.")
    mode = "MULTI_LABEL" if flywheel.multi_label else "MULTI_CLASS"
    if model.mode not in (None, mode):
        raise PromotionRefused(f"{request.model_arn} is a {model.mode} model, but the flywheel is {mode}.")
    if flywheel.language and model.language not in (None, flywheel.language):
        raise PromotionRefused(
            f"The language of {request.model_arn} is {model.language}, that of the flywheel is {flywheel.language}."
        )
    return model.warning


def _is_model_beside(flywheel_arn: str, model_arn: str) -> bool:
    place = re.escape(flywheel_arn.rpartition(":")[0])
    return re.fullmatch(rf"{place}:document-classifier/[A-Za-z0-9-]+(/version/[A-Za-z0-9-]+)?", model_arn) is not None


def make_active(*, promotion: str, intake: IntakeBucket, service: FlywheelService) -> PromotionStatus:
    """Update the flywheel unless its active model has changed since the wish.

    UpdateFlywheel has no compare-and-set, so the check comes right before it. Raises NotCurrentPromotion,
    PromotionRefused, and ServiceBusy while an iteration does not let it.
    """
    promotions.require_current(intake, promotion)
    request = _open_request(promotion, intake)
    flywheel = service.describe()
    if flywheel.active_model_arn == request.model_arn:
        # Without a change since the wish somebody else made it active, else it was this promotion before it was killed.
        made = request.decided_against != request.model_arn
        return PromotionStatus.PROMOTED if made else PromotionStatus.ALREADY_ACTIVE
    _require_same_active(request, flywheel)
    _set_active(request.model_arn, service=service)
    return PromotionStatus.PROMOTED


def put_back(*, promotion: str, intake: IntakeBucket, service: FlywheelService) -> str | None:
    """Make the model active again that was before this promotion; returns it.

    None where the flywheel had none: Comprehend cannot take back a flywheel's only model. Raises as `make_active`.
    """
    promotions.require_current(intake, promotion)
    beginning = _beginning(promotion, intake)
    request = _open_request(promotion, intake)
    former = _former_on(request, beginning, service=service)
    active = service.describe().active_model_arn
    if former is not None and active == request.model_arn:
        _set_active(former, service=service)
    elif active not in (former, request.model_arn):
        # Somebody made another one active meanwhile: that is their wish.
        return active
    return former


def _former_on(request: PromotionRequest, beginning: PromotionBeginning, *, service: FlywheelService) -> str | None:
    """The model that this flywheel had before; one of a former generation serves from its own flywheel, one from
    elsewhere has none."""
    if request.decided_against not in (None, request.model_arn):
        return request.decided_against
    former = beginning.former_model_arn
    model = service.models.describe(former) if former and former != request.model_arn else None
    return model.arn if model and model.flywheel_arn in (None, service.arn) else None


def _set_active(model_arn: str, *, service: FlywheelService) -> None:
    try:
        service.set_active_model(model_arn)
    except ClientError as error:
        newest = next(service.iterations(), None)
        if error_code(error) in _BUSY and newest is not None and newest.status.running:
            raise ServiceBusy(f"Comprehend promotes no model while iteration {newest.id} runs.") from error
        if error_code(error) in _REFUSALS:
            raise PromotionRefused(f"Comprehend refuses {model_arn}: {error_message(error)}") from error
        raise
    if service.describe().active_model_arn != model_arn:
        # Whoever looks at the endpoint next would take the former model for the one to wait for.
        raise ServiceBusy(f"Comprehend does not say yet that {model_arn} is active.")


def publish(
    *, promotion: str, intake: IntakeBucket, service: FlywheelService, published: PublishedModels
) -> PromotionBeginning:
    """Write Parameter Store. Raises NotCurrentPromotion, PromotionRefused if another model is active by now (a
    promotion may be redriven long after it made its own the active one), ServiceBusy while Comprehend still names the
    former one, and SmokeTestFailed.

    The smoke test is looked at here too: whichever run of the serve machine made it, the one that this promotion
    waited for may have failed afterwards, or have found the endpoint as another run left it.
    """
    promotions.require_current(intake, promotion)
    beginning = _beginning(promotion, intake)
    request = request_of(beginning)
    active = service.describe().active_model_arn
    if active != request.model_arn:
        if active == request.decided_against:
            raise ServiceBusy(f"Comprehend does not say yet that {request.model_arn} is active.")
        raise PromotionRefused(f"{request.model_arn} was active, but {active or 'no model'} is by now.")
    tested = smoke_test_of(request.model_arn, intake=intake) if published.active() != request.model_arn else None
    # Published a moment ago by this step, which is repeated: `taking_back` asks for the former one in its own name.
    if tested is not None and not tested.passed and tested.at >= beginning.began_at:
        raise SmokeTestFailed(tested.sentence)
    published.publish(request.model_arn, another_is_desired=another_is_desired(beginning, published, intake))
    return beginning


def another_is_desired(beginning: PromotionBeginning | None, published: PublishedModels, intake: IntakeBucket) -> bool:
    """Whether somebody wrote another model into `desired-model-arn` and that wish has no end yet.

    To write there the model that was active until now is a wish too, if it was done since the promotion began.
    """
    desired = published.desired()
    if desired is None:
        return False
    if beginning is not None and desired.arn == request_of(beginning).model_arn:
        return False
    edited = beginning is not None and desired.version != beginning.desired_version
    if desired.arn == published.active() and not edited:
        return False
    return intake.read(promotions.end_key(desired.request_id), Promotion) is None


def request_of(beginning: PromotionBeginning) -> PromotionRequest:
    if beginning.request is None:
        raise ValueError(f"{beginning.promotion} found no request: it has nothing to do.")
    return beginning.request


def _beginning(promotion: str, intake: IntakeBucket) -> PromotionBeginning:
    return intake.require(promotions.begin_key(promotion), PromotionBeginning)


def _open_request(promotion: str, intake: IntakeBucket) -> PromotionRequest:
    """Raises PromotionRefused if it has its end already: a stopped promotion that is redriven changes nothing."""
    request = request_of(_beginning(promotion, intake))
    requests.require_open(request, intake=intake)
    return request


def _require_same_active(request: PromotionRequest, flywheel: FlywheelState) -> None:
    active = flywheel.active_model_arn
    if request.flywheel_arn != flywheel.arn:
        raise PromotionRefused(f"This was decided for {request.flywheel_arn}, which {flywheel.arn} has replaced.")
    if active not in (request.decided_against, request.model_arn):
        raise PromotionRefused(
            f"The active model is {active or 'none'}, but this was decided against "
            f"{request.decided_against or 'none'}: it was changed in between."
        )
