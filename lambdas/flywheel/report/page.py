"""Renders the page of a turn for people: one HTML file without scripts that loads nothing else.

The page shows excerpts of rejected documents, so it is as confidential as the uploads. It is stored in the intake
bucket, like the reports of rejections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flywheel.comprehend.model_kind import ModelType
from flywheel.model_kinds import kind_of
from flywheel.records.decisions import DecisionKind, Metrics, ModelScore
from flywheel.records.promotions import Promotion, PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.report.chart import PastTurn, has_scores, score_chart, score_of, with_late_promotions
from flywheel.report.frame import document, duration, header, score, section, timeline, verdict
from flywheel.report.history import PromotionHistory, in_a_word, moment
from flywheel.report.holdout import holdout_sections
from flywheel.report.left_out import left_out_sentences
from flywheel.report.markup import Markup, element, join
from flywheel.report.tables import counts_title, label_bars, number, scrolling, table, waiting_labels
from flywheel.report.uploads import upload_sections

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind

DEFAULT_METRIC = "F1Score"
_METRIC_WORDS = {"F1Score": "F1 score"}
_FAILED_WORDS = {
    TurnOutcome.FAILED: "The turn failed.",
    TurnOutcome.TIMED_OUT: "The turn ran out of time.",
    TurnOutcome.ABORTED: "The turn was stopped.",
}


def render(
    record: TurnRecord,
    *,
    history: Sequence[PastTurn],
    intake_bucket: str,
    promotions: PromotionHistory | None = None,
) -> str:
    """The page of `record`. `history` are earlier turns in any order; missing ones are gaps in the chart. `promotions`
    are the ends of all promotion requests."""
    promotions = promotions or PromotionHistory()
    earlier = sorted((turn for turn in history if turn.turn != record.turn), key=lambda turn: turn.number)
    turns = with_late_promotions([*earlier, PastTurn.of(record)], history=promotions)
    metric = _metric(turns)
    kind = kind_of(ModelType(record.model_type))
    title = f"{_flywheel(record)} {record.turn}"
    body = element(
        "main",
        _header(record),
        _result(record, promotions),
        *section("Scores over the turns", _chart(turns, metric)),
        *section("The two models", *_models(record, metric)),
        *holdout_sections(record.holdout),
        *section(counts_title(kind), *label_bars(record.datasets, kind)),
        *upload_sections(record),
        *section("What waits", *_waiting(record, kind)),
        *section("Timeline", _timeline(record, promotions)),
        *section("All turns", _all_turns(turns, metric)),
        element(
            "p",
            f"Everything here is also in s3://{intake_bucket}/turns/{record.turn}/turn.json, for programs. This page "
            "was written when the turn ended, or when a promotion of its model or of the next one did: "
            f"`flywheel report {record.turn}` shows how things stand now.",
            class_="foot",
        ),
    )
    return document(title, body)


def _chart(turns: Sequence[PastTurn], metric: str) -> Markup:
    if has_scores(turns, metric=metric):
        return scrolling("Scores over the turns", score_chart(turns, metric=metric))
    return element("p", f"No turn has a score ({metric}) yet.")


def _flywheel(record: TurnRecord) -> str:
    return record.flywheel_arn.rpartition("/")[2]


def _metric(turns: Sequence[PastTurn]) -> str:
    """The metric of the last decision."""
    return next((turn.selection_metric for turn in reversed(turns) if turn.selection_metric), DEFAULT_METRIC)


def _header(record: TurnRecord) -> Markup:
    took = f", took {duration(record.ended_at - record.began_at)}" if record.began_at else ""
    return header(
        record.turn,
        record.outcome,
        f"Flywheel {_flywheel(record)}, ended {moment(record.ended_at)}{took}",
        good=record.outcome is TurnOutcome.SUCCEEDED,
    )


_PROMOTION_WORDS = {
    PromotionStatus.REQUESTED: "The candidate is to become the active model; that had not ended when this was written.",
    PromotionStatus.WAITING: "The candidate is better, and waits for a person to approve it.",
    PromotionStatus.PROMOTED: "The candidate became the active model.",
    PromotionStatus.ALREADY_ACTIVE: "The candidate was the active model already.",
    PromotionStatus.REFUSED: "The candidate was better, but its promotion was refused: the active model stayed.",
    PromotionStatus.DECLINED: "The candidate was better, but a person declined it: the active model stayed.",
    PromotionStatus.NOT_ANSWERED: "The candidate was better, but nobody approved it in time: the active model stayed.",
    PromotionStatus.SUPERSEDED: "The candidate was better, but another model took its place before it was promoted.",
    PromotionStatus.LEFT_TO_PEOPLE: "The candidate was better; to promote it was left to people.",
    PromotionStatus.SMOKE_TEST_FAILED: "The candidate was better, but failed its smoke test: it was taken back.",
    PromotionStatus.FAILED: "The candidate was better, but its promotion failed.",
    PromotionStatus.STOPPED: "The candidate was better, but its promotion was stopped: the active model stayed.",
}


def _result(record: TurnRecord, promotions: PromotionHistory) -> Markup:
    reasons = list(record.reasons)
    if record.error or record.cause:
        reasons.append(": ".join(part for part in (record.error, record.cause) if part))
    if record.promotion is not None:
        reasons.append(f"{record.promotion.status.capitalize()}: {record.promotion.reason}")
    reasons += promotions.sentences(record)
    if record.changed_outside:
        reasons.append(record.changed_outside)
    if record.request is not None:
        overruled = ", whatever MinimumDocumentsPerLabel says" if record.request.overrule_minimum else ""
        reasons.append(f"{record.request.by} asked for this turn at {moment(record.request.at)}{overruled}.")
    if record.more:
        reasons.append("More documents wait only because a dataset was full: the next turn takes them.")
    later = _later(record, promotions)
    promoted = _promoted(record) or (later is not None and later.status.made_active)
    kind = "bad" if record.outcome is not TurnOutcome.SUCCEEDED else "good" if promoted else ""
    return verdict(headline(record, later=later), reasons, kind=kind)


def _promoted(record: TurnRecord) -> bool:
    return record.promotion is not None and record.promotion.status.made_active


def _later(record: TurnRecord, promotions: PromotionHistory) -> Promotion | None:
    if record.candidate is None:
        return None
    return promotions.later(record.candidate.arn, iteration_id=record.iteration_id)


def headline(record: TurnRecord, *, later: Promotion | None = None) -> str:
    """The result of the turn in one sentence, and a second one if another request promoted its candidate `later`."""
    if later is not None and later.status.made_active and not _promoted(record):
        return f"{headline(record)} Later the candidate became the active model."
    if record.outcome is not TurnOutcome.SUCCEEDED:
        return _FAILED_WORDS[record.outcome]
    if record.decision is DecisionKind.PROMOTE:
        status = record.promotion.status if record.promotion else PromotionStatus.REQUESTED
        return _PROMOTION_WORDS[status]
    if record.decision is DecisionKind.KEEP:
        return "The active model stayed."
    if record.decision is DecisionKind.REPORT:
        return "No model was trained: the active model was scored on new test data."
    return "No decision was due."


def _models(record: TurnRecord, metric: str) -> Iterator[Markup]:
    if record.active is None and record.candidate is None:
        return
    yield table(
        "The two models",
        ("Metric", number("Active model"), number("Candidate"), number("Difference")),
        [_metric_row(name, record, deciding=name == metric) for name in Metrics.model_fields],
        caption=join(
            [_origin(which, model) for which, model in (("Active", record.active), ("Candidate", record.candidate))],
            element("br"),
        ),
    )


def _metric_row(name: str, record: TurnRecord, *, deciding: bool) -> Markup:
    active, candidate = score_of(record.active, name), score_of(record.candidate, name)
    return element(
        "tr",
        element("th", _METRIC_WORDS.get(name, name), scope="row"),
        element("td", score(active), class_="number"),
        element("td", score(candidate), class_="number"),
        _difference(active, candidate),
        class_="deciding" if deciding else None,
    )


def _difference(active: float | None, candidate: float | None) -> Markup:
    if active is None or candidate is None:
        return element("td", "\u2013", class_="number")
    gain = round(candidate - active, 4)
    way = " up" if gain > 0 else " down" if gain < 0 else ""
    return element("td", f"{gain:+.4f}" if gain else "0.0000", class_=f"number{way}")


def _origin(which: str, model: ModelScore | None) -> str:
    return f"{which}: {model.arn}, scores from {model.source}." if model else f"{which}: none."


def _waiting(record: TurnRecord, kind: ModelKind) -> Iterator[Markup]:
    if record.waiting:
        yield table(
            "What waits",
            ("Split", number("Documents"), "Why", f"By {kind.label_word}"),
            [
                element(
                    "tr",
                    element("th", wait.split.dataset_type, scope="row"),
                    element("td", f"{wait.documents:,}", class_="number"),
                    element("td", wait.reason, class_="words"),
                    element("td", waiting_labels(wait.labels, kind), class_="words"),
                )
                for wait in record.waiting
            ],
        )
    yield from (element("p", sentence, class_="words") for sentence in left_out_sentences(record))


def _timeline(record: TurnRecord, promotions: PromotionHistory) -> Markup:
    """The recorded events with their times. A redriven turn may show events of its first run."""
    events = [("The turn began and collected the uploads", record.began_at)]
    for dataset in record.datasets:
        events.append((f"Dataset {dataset.name} was composed", dataset.composed_at))
        events.append((f"Comprehend accepted dataset {dataset.name}", dataset.accepted_at))
    events.append((f"The decision on iteration {record.iteration_id}", record.decided_at))
    if record.promotion is not None:
        events.append((f"Promotion: {record.promotion.status}", record.promotion.at))
    later = _later(record, promotions)
    if later is not None:
        events.append((f"Promotion asked for by {later.by}: {later.status}", later.at))
    if record.candidate is not None and (replaced := promotions.replaced(record.candidate.arn)) is not None:
        events.append(("Another model took its place", replaced.at))
    events.append(("The turn ended", record.ended_at))
    return timeline(events)


def _came_to(turn: PastTurn) -> str:
    own = turn.promotion.status if turn.promotion is not None else None
    return in_a_word(turn.decision, own, promoted_later=turn.promoted_later)


def _all_turns(turns: Sequence[PastTurn], metric: str) -> Markup:
    """Newest first."""
    rows = [
        element(
            "tr",
            element("th", turn.turn, scope="row", class_="name"),
            element("td", turn.outcome),
            element("td", _came_to(turn)),
            element("td", score(active := score_of(turn.active, metric)), class_="number"),
            element("td", score(candidate := score_of(turn.candidate, metric)), class_="number"),
            _difference(active, candidate),
            class_="this" if turn is turns[-1] else None,
        )
        for turn in reversed(turns)
    ]
    return table(
        "All turns",
        ("Turn", "Outcome", "Decision", number("Active model"), number("Candidate"), number("Difference")),
        rows,
        caption=f"The scores are {metric}. A turn that is missing here has no record (yet, or any more).",
    )
