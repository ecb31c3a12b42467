"""Records how a promotion ended: in its own record, as the end of its request, and in its turn's record and page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.decisions.history import decision_on
from flywheel.faults.errors import FlywheelError
from flywheel.promotions import requests
from flywheel.records import turns
from flywheel.records.promotions import (
    MOST_FAILURES,
    Promotion,
    PromotionBeginning,
    PromotionFailures,
    PromotionStatus,
    begin_key,
    end_key,
    failures_key,
    page_key,
    record_key,
)
from flywheel.report.promotion_page import promotion_page
from flywheel.report.turn_page import page_of
from flywheel.text import notification
from flywheel.text.printable import in_one_line

if TYPE_CHECKING:
    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.records.serving import SmokeTest
    from flywheel.store.bucket import IntakeBucket

_ATTEMPTS = 5
_HTML = "text/html; charset=utf-8"
_FAILED_OR_STOPPED = {PromotionStatus.FAILED, PromotionStatus.STOPPED}


class TurnRecordContended(FlywheelError):
    """Other writers changed the turn's record at every attempt; the state machine tries again."""


def report_promotion(
    *,
    promotion: str,
    status: PromotionStatus,
    reason: str,
    intake: IntakeBucket,
    service: ActiveModelService,
    now: datetime,
    answered_by: str | None = None,
    answer_reason: str | None = None,
    warning: str | None = None,
    serving: str | None = None,
    put_back: str | None = None,
) -> tuple[Promotion, ...]:
    """Record how an execution ended. Returns the result of its request, then the ends of those that it superseded;
    nothing if it had no request.

    A failed execution leaves its request open, to be tried again a limited number of times. So does one that was
    stopped after it changed the active model: the next execution publishes the model. There is no limit as long as the
    model is active though it failed its smoke test, or where models are imported: no turn publishes it there. A
    repeated call writes the same.
    """
    beginning = intake.read(begin_key(promotion), PromotionBeginning)
    if beginning is None or beginning.request is None:
        return ()
    request = beginning.request
    is_active = status in _FAILED_OR_STOPPED and service.describe().active_model_arn == request.model_arn
    if is_active:
        status, reason = PromotionStatus.FAILED, f"The model is active, but its promotion is not complete. {reason}"
    elif status in _FAILED_OR_STOPPED:
        reason = f"The former model stays active. {reason}"
    stays_active = (
        status is PromotionStatus.SMOKE_TEST_FAILED
        and put_back is None
        and service.describe().active_model_arn == request.model_arn
    )
    record = requests.as_promotion(
        request,
        status=status,
        reason=reason,
        at=now,
        beginning=beginning,
        answered_by=answered_by,
        answer_reason=answer_reason,
        warning=warning,
        serving=serving,
        stays_active=stays_active,
    )
    written = intake.read(end_key(request.id), Promotion)
    if written is not None and written.promotion == promotion:
        if written.status in _FAILED_OR_STOPPED and status.made_active:
            # The request had ended as failed. The execution was redriven and has completed it now.
            intake.write(end_key(request.id), record)
            written = record
        # Otherwise this is the status event of an execution that has reported its end itself.
        record = written
    elif written is None:
        # If one that failed its test were given up before the former model is put back, a turn would take it for a
        # model that somebody made active in the console, and publish it.
        limited = not (
            is_active and (service.arn is None or requests.failed_smoke_test(request, intake=intake) is not None)
        )
        if open_again := _leave_open(record, promotion, limited=limited, intake=intake):
            record = open_again
        elif not intake.write_once(end_key(request.id), record):
            written = intake.require(end_key(request.id), Promotion)
    intake.write(record_key(promotion), record)
    superseded = _superseded(beginning, intake)
    noted = {note_in_turn(entry, intake=intake) for entry in (written or record, *superseded)}
    for turn in _turns_that_made(record, intake) - noted:
        _write_page(turn, intake=intake)
    if service.arn is None:
        page = promotion_page(beginning, request, record, intake=intake)
        intake.write_text(page_key(promotion), page, content_type=_HTML)
    return (record, *superseded)


def _turns_that_made(ended: Promotion, intake: IntakeBucket) -> set[str]:
    """The turns that trained the promoted model and the former one: their pages show this end too."""
    models = [ended.model_arn, *([ended.former_model_arn] if ended.former_model_arn else [])]
    decisions = (decision_on(model, intake=intake) for model in models)
    return {decision.turn for decision in decisions if decision is not None}


def _leave_open(record: Promotion, promotion: str, *, limited: bool, intake: IntakeBucket) -> Promotion | None:
    """The record of a failure that leaves the request open; None if the request ends with it."""
    if record.status is not PromotionStatus.FAILED:
        return None
    key = failures_key(record.request_id)
    known = intake.read(key, PromotionFailures)
    failed = {promotion, *(known.promotions if known else ())}
    if limited and len(failed) >= MOST_FAILURES:
        return None
    record = record.model_copy(update={"reason": f"{record.reason} The schedule tries again."})
    intake.write(key, PromotionFailures(promotions=tuple(sorted(failed)), last=record))
    return record


def _superseded(beginning: PromotionBeginning, intake: IntakeBucket) -> list[Promotion]:
    return intake.read_all([end_key(request_id) for request_id in beginning.superseded], Promotion)


def note_in_turn(promotion: Promotion, *, intake: IntakeBucket) -> str | None:
    """Update the record and the page of the turn that requested the promotion. Returns the turn's name.

    A turn without a record yet reads the promotion when it writes one.
    """
    if promotion.turn is None:
        return None
    key = turns.record_key(promotion.turn)
    for _ in range(_ATTEMPTS):
        found = intake.read_with_etag(key, turns.TurnRecord)
        if found is None:
            return promotion.turn
        record, etag = found
        if record.promotion == promotion:
            break
        record = record.model_copy(update={"promotion": promotion})
        if intake.write_if_unchanged(key, record, etag):
            break
    else:
        raise TurnRecordContended(f"{key} changes all the time: {promotion.request_id} cannot be noted in it.")
    _write_page(promotion.turn, intake=intake)
    return promotion.turn


def _write_page(turn: str, *, intake: IntakeBucket) -> None:
    record = intake.read(turns.record_key(turn), turns.TurnRecord)
    if record is not None:
        page = page_of(record, intake=intake)
        intake.write_text(turns.page_key(turn), page, content_type=_HTML)


def reason_of(status: PromotionStatus, *, error: str | None, cause: str | None) -> str:
    """The reason of an end in a sentence. `error` and `cause` come from Step Functions."""
    match status:
        case PromotionStatus.PROMOTED:
            return "The model is active."
        case PromotionStatus.ALREADY_ACTIVE:
            return "The model was active already."
        case PromotionStatus.NOT_ANSWERED:
            return "Nobody answered within ApprovalHours: the former model stays active."
        case PromotionStatus.FAILED:
            return f"Error {error or 'unknown'}: {cause or 'no cause given'}"
        case _:
            return cause or "No reason was given."


def reason_of_smoke_test_failure(
    tested: SmokeTest | None, *, put_back: str | None, why_none: str | None, former: str | None
) -> str:
    """The reason of SMOKE_TEST_FAILED. `put_back` is the model that is active instead; without one, `why_none` says
    why. `former` is the model that was published before."""
    smoke_test = tested.sentence if tested else "The smoke test failed."
    if tested and tested.endpoint_arn is None:
        # A job answered, before anything changed.
        stays = f"{former} serves on" if former else "there was no former model"
        return f"{smoke_test} It never served: {stays}."
    return f"{smoke_test} {f'{put_back} is active again.' if put_back else why_none or 'It stays active.'}"


def subject(promotion: Promotion, *, flywheel_name: str) -> str:
    return notification.subject(f"{flywheel_name} {promotion.promotion or 'promotion'}: {promotion.status}")


def message(ended: tuple[Promotion, ...], *, flywheel_name: str, intake_bucket: str) -> str:
    """The notification in plain text. `ended` is as `report_promotion` returns it, and not empty."""
    first = ended[0]
    lines = [
        f"{first.promotion or 'Promotion'}: {first.status}. {in_one_line(first.reason)}",
        f"Model: {first.model_arn}",
        *([f"Imported from: {first.source_model_arn}"] if first.source_model_arn else []),
        f"Former model: {first.former_model_arn or 'none'}",
        f"Asked for by {first.by}{f', answered by {in_one_line(first.answer)}' if first.answer else ''}",
    ]
    if first.serving:
        lines.append(f"Serving: {first.serving}")
    if first.warning:
        lines.append(f"Comprehend warns: {first.warning}")
    lines += notification.named(
        [f"{other.by}: {other.status}. {other.reason}" for other in ended[1:]], more="requests were superseded"
    )
    closing = []
    if whole := first.turn or (first.promotion if first.source_model_arn else None):
        closing.append(f"The whole report: flywheel --name {flywheel_name} report {whole}")
    if first.status.made_active:
        closing.append(f"To undo it: flywheel --name {flywheel_name} rollback")
    closing.append(f"The record: s3://{intake_bucket}/{end_key(first.request_id)}")
    return notification.message(lines, closing=closing)
