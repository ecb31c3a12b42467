"""Promotions in words, and the answers of `flywheel approve`, `decline` and `rollback`."""

from __future__ import annotations

from flywheel.records.model_arn import short_name
from flywheel.records.promotions import Promotion, PromotionStatus
from ops.tables.figures import moment
from ops.tables.listing import Facts, Words, words
from ops.verbs.approve import Answer, Answered
from ops.verbs.promotions import DesiredModel, Promotions
from ops.verbs.rollback import Rollback

_WITHOUT_DATE = {PromotionStatus.REQUESTED, PromotionStatus.WAITING}


def promotion_words(promotion: Promotion) -> str:
    """`declined at 2026-11-21 12:00:00: not now (arn:...)`, what became of the endpoint, what Comprehend warns of."""
    at = "" if promotion.status in _WITHOUT_DATE else f" at {moment(promotion.at)}"
    by = f", approved by {promotion.answer}" if promotion.answer else ""
    said = [f"{promotion.status}{at}{by}: {promotion.reason}"]
    if promotion.status is PromotionStatus.WAITING:
        said.append(f"{how_to_answer(promotion)}.")
    if promotion.serving:
        said.append(f"Serving: {promotion.serving}")
    if promotion.warning:
        said.append(f"Comprehend warns: {promotion.warning}")
    return " ".join(said)


def add_promotions(facts: Facts, *, mode: str, now: Promotions, desired: DesiredModel | None) -> None:
    """What `flywheel status` says of promotions. `mode` is PromotionMode in words."""
    facts.add("Promotions", mode)
    for promotion in now.open:
        facts.add("", _open_words(promotion, now))
    if now.running and now.waits_until is None:
        facts.add("", f"{now.running} runs: {now.step or 'it has just begun'}")
    if now.failed:
        facts.add("", words(f"{now.failed.promotion} of {now.failed.by}: {promotion_words(now.failed)}", style="red"))
    if desired:
        facts.add("Desired model", words(_desired_words(desired), style="yellow"))


def _open_words(promotion: Promotion, now: Promotions) -> Words:
    model = short_name(promotion.model_arn)
    who = promotion.turn or promotion.by
    match promotion.status:
        case PromotionStatus.WAITING if now.waits_until is None:
            return words(f"{who} wants {model}: it has its answer, or its time is up")
        case PromotionStatus.WAITING:
            until = moment(now.waits_until)
            return words(
                f"{who} waits for approval of {model} until {until}: {how_to_answer(promotion)}", style="yellow"
            )
    failed = promotion.status is PromotionStatus.FAILED
    return words(f"{who} wants {model}: {promotion_words(promotion)}", style="red" if failed else "")


def _desired_words(desired: DesiredModel) -> str:
    named = f"{short_name(desired.arn)}, written at {moment(desired.at)}, is not the active one"
    return f"{named}: {promotion_words(desired.promotion)}" if desired.promotion else named


def how_to_answer(promotion: Promotion) -> str:
    whose = promotion.turn or promotion.promotion or "TURN"
    return f"`flywheel approve {whose}` or `flywheel decline {whose} --reason '...'`"


def answered_sentence(answered: Answered) -> str:
    model = short_name(answered.promotion.model_arn)
    if answered.promotion.status is not PromotionStatus.WAITING:
        return ended_words(answered.promotion)
    if answered.answer is Answer.APPROVED:
        return (
            f"{answered.whose} is approved: {model} becomes the active model. "
            "`flywheel status` shows how far it is, `flywheel models` how it ended."
        )
    return f"{answered.whose} is declined: the active model stays."


def rollback_sentence(asked: Rollback) -> str:
    model = short_name(asked.model_arn)
    if asked.request is None:
        return f"{model} is the active model already: nothing was asked for."
    if asked.promotion is None:
        return (
            f"{model} is asked for ({asked.request.id}): `flywheel status` shows how far it is, `flywheel models` how "
            "it ended."
        )
    return ended_words(asked.promotion)


def ended_words(promotion: Promotion) -> str:
    return f"{short_name(promotion.model_arn)}: {promotion_words(promotion)}"
