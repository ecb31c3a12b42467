"""Renders the page of a promotion in a deployment that imports models: where the model comes from, what its source
scored, what was tried here, and how it ended. Where models are trained a turn's page tells that.

It shows labels, names and what people wrote, but no document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flywheel.records.decisions import Metrics
from flywheel.records.imports import Origin, origin_of
from flywheel.records.promotions import (
    ApprovalWait,
    Promotion,
    PromotionBeginning,
    PromotionRequest,
    PromotionStatus,
    approval_key,
    record_key,
)
from flywheel.records.serving import SmokeTest, smoke_test_of
from flywheel.report.chart import score_of
from flywheel.report.frame import document, header, score, section, timeline, verdict
from flywheel.report.history import moment
from flywheel.report.markup import Markup, element
from flywheel.report.tables import number, table

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

_HEADLINES = {
    PromotionStatus.REQUESTED: "The model is to serve here; that had not ended when this was written.",
    PromotionStatus.WAITING: "The model waits for a person to approve it.",
    PromotionStatus.PROMOTED: "The model serves here.",
    PromotionStatus.ALREADY_ACTIVE: "The model was the active one already.",
    PromotionStatus.REFUSED: "The model was refused.",
    PromotionStatus.DECLINED: "A person declined the model.",
    PromotionStatus.NOT_ANSWERED: "Nobody approved the model in time.",
    PromotionStatus.SUPERSEDED: "Another model took its place before it was promoted.",
    PromotionStatus.LEFT_TO_PEOPLE: "To promote the model was left to people.",
    PromotionStatus.SMOKE_TEST_FAILED: "The model failed its smoke test.",
    PromotionStatus.FAILED: "The promotion failed.",
    PromotionStatus.STOPPED: "The promotion was stopped.",
}
_OPEN = {PromotionStatus.REQUESTED, PromotionStatus.WAITING}


def promotion_page(
    beginning: PromotionBeginning, request: PromotionRequest, promotion: Promotion, *, intake: IntakeBucket
) -> str:
    """`promotion` says how the request ended, or how far it has come."""
    origin = origin_of(request.model_arn, intake=intake, source_model_arn=request.source_model_arn)
    former = origin_of(beginning.former_model_arn, intake=intake) if beginning.former_model_arn else None
    wait = intake.read(approval_key(beginning.promotion), ApprovalWait)
    tested = smoke_test_of(request.model_arn, intake=intake)
    body = element(
        "main",
        _header(beginning, promotion),
        _result(promotion, origin),
        *section("Where the model comes from", _origin(beginning, request, origin)),
        *section("Its scores there", *_scores(origin, former)),
        *section("The smoke test here", *_smoke_test(tested)),
        *section("Approval", element("p", _approval(beginning, promotion, wait))),
        *section("Thresholds", *_thresholds(origin)),
        *section("Timeline", _timeline(beginning, request, promotion, origin=origin, wait=wait, tested=tested)),
        element(
            "p",
            f"Everything here is also in s3://{intake.name}/{record_key(beginning.promotion)} and the records beside "
            f"it, for programs. `flywheel report {beginning.promotion}` shows how things stand now.",
            class_="foot",
        ),
    )
    return document(beginning.promotion, body)


def _header(beginning: PromotionBeginning, promotion: Promotion) -> Markup:
    end = "" if promotion.status in _OPEN else f", ended {moment(promotion.at)}"
    return header(
        beginning.promotion,
        promotion.status,
        f"Asked for by {promotion.by}, began {moment(beginning.began_at)}{end}",
        good=promotion.status.made_active,
    )


def _result(promotion: Promotion, origin: Origin | None) -> Markup:
    reasons = [promotion.reason]
    if promotion.serving:
        reasons.append(f"Serving: {promotion.serving}")
    if promotion.warning:
        reasons.append(f"Comprehend warns: {promotion.warning}")
    if origin and origin.withdrawn:
        withdrawn = origin.withdrawn
        reasons.append(f"The source withdrew the version at {moment(withdrawn.withdrawn_at)}: {withdrawn.reason}")
    kind = "good" if promotion.status.made_active else "" if promotion.status in _OPEN else "bad"
    return verdict(_HEADLINES[promotion.status], reasons, kind=kind)


def _origin(beginning: PromotionBeginning, request: PromotionRequest, origin: Origin | None) -> Markup:
    facts = [
        ("Version here", request.model_arn),
        ("Imported from", origin.source_model_arn if origin else "nobody noted it"),
        ("Served before", beginning.former_model_arn or "none"),
        ("Why it was asked for", request.reason),
    ]
    if origin and origin.shared:
        shared = origin.shared
        facts += [
            ("Trained by", f"flywheel {origin.source}" + (f", {shared.turn}" if shared.turn else "")),
            ("Promoted there", f"{shared.promotion}, asked for by {shared.by}: {shared.reason}"),
            ("Shared", moment(shared.shared_at)),
            ("Kind", ", ".join(part for part in (shared.model_type, shared.mode, shared.language) if part)),
        ]
        if shared.labels:
            facts.append(("Labels", ", ".join(shared.labels)))
        if shared.key_arn:
            facts.append(("Encrypted there with", shared.key_arn))
    rows = [
        element("tr", element("th", what, scope="row", class_="name"), element("td", value, class_="words"))
        for what, value in facts
    ]
    return table("Where the model comes from", ("What", "Value"), rows)


def _scores(origin: Origin | None, former: Origin | None) -> Iterator[Markup]:
    scores = origin.score if origin else None
    if scores is None or not scores.metrics.sentence:
        yield element("p", "The source has told no scores of it.")
        return
    before = former.score if former else None
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            element("td", score(score_of(scores, name)), class_="number"),
            element("td", score(score_of(before, name)), class_="number"),
        )
        for name in Metrics.model_fields
    ]
    yield table(
        "Its scores there",
        ("Metric", number("This model"), number("Served before")),
        rows,
        caption="Each has the scores with which its source promoted it, on the test data of that time: what differs "
        "may be the test data.",
    )


def _smoke_test(tested: SmokeTest | None) -> Iterator[Markup]:
    if tested is None:
        yield element("p", "None has run: SmokeTestKey names a labelled file for it.")
        return
    yield element("p", f"{tested.sentence} At {moment(tested.at)}.")
    if not tested.wrong:
        return
    rows = [
        element(
            "tr",
            element("td", f"{wrong.line}", class_="number"),
            element("td", element("bdi", ", ".join(wrong.expected) or "none"), class_="words"),
            element("td", element("bdi", ", ".join(wrong.answered) or "none"), class_="words"),
        )
        for wrong in tested.wrong
    ]
    headings = (number("Line"), "Labels in the file", "Answered")
    left = tested.documents - tested.right - len(tested.wrong)
    yield table("Wrong answers", headings, rows, caption=f"And {left:,} more." if left else "")


def _approval(beginning: PromotionBeginning, promotion: Promotion, wait: ApprovalWait | None) -> str:
    if not beginning.approval:
        return "None was needed."
    if wait is None:
        return "It has not come so far that a person was asked."
    asked = f"Asked for at {moment(wait.asked_at)}, until {moment(wait.ends_at)}."
    return f"{asked} Answered by {promotion.answer}." if promotion.answer else asked


def _thresholds(origin: Origin | None) -> Iterator[Markup]:
    shared = origin.shared if origin else None
    if shared is None:
        return
    if shared.thresholds_left_out:
        yield element("p", "They are too many for the source to tell: each label has 0.5 here.")
    if shared.thresholds:
        rows = [
            element(
                "tr",
                element("th", element("bdi", label), scope="row", class_="words"),
                element("td", f"{threshold:g}", class_="number"),
            )
            for label, threshold in sorted(shared.thresholds.items())
        ]
        yield table("Thresholds", ("Label", number("From this score on")), rows)


def _timeline(
    beginning: PromotionBeginning,
    request: PromotionRequest,
    promotion: Promotion,
    *,
    origin: Origin | None,
    wait: ApprovalWait | None,
    tested: SmokeTest | None,
) -> Markup:
    shared, withdrawn = (origin.shared, origin.withdrawn) if origin else (None, None)
    return timeline(
        [
            ("The source shared the version", shared.shared_at if shared else None),
            ("It was asked for here", None if shared and shared.id == request.id else request.requested_at),
            ("The promotion began", beginning.began_at),
            ("Comprehend was asked to import it", origin.asked_at if origin else None),
            ("The smoke test", tested.at if tested else None),
            ("A person was asked", wait.asked_at if wait else None),
            ("The source withdrew the version", withdrawn.withdrawn_at if withdrawn else None),
            (f"The end: {promotion.status}", None if promotion.status in _OPEN else promotion.at),
        ]
    )
