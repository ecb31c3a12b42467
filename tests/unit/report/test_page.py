"""The page of a turn: what it says, and that nothing others have written becomes markup."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.records.decisions import DecisionKind, ErrorRanking
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.report.chart import PastTurn
from flywheel.report.frame import duration
from flywheel.report.holdout import MOST_LABELS_IN_MATRIX
from flywheel.report.markup import element
from flywheel.report.page import headline, render
from flywheel.text.printable import printable
from tests.unit.report.reports import failed_record, full_record, model, past

BUCKET = "news-intake"
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
hostile = st.sampled_from(["<script>alert(1)</script>", '"><img src=//x onerror=y>', "</style>", "&lt;", "<!--", "]]>"])
written = st.tuples(anything, hostile, anything).map("".join)


class Reading(HTMLParser):
    """The elements with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def page_of(record: TurnRecord, *history: PastTurn) -> str:
    return render(record, history=history, intake_bucket=BUCKET)


def words_of(page: str) -> str:
    return " ".join(Reading(page).texts)


@settings(deadline=None)
@given(label=written, file=written, sentence=written, excerpt=written)
def test_whatever_others_wrote_is_text(label: str, file: str, sentence: str, excerpt: str) -> None:
    """The same elements and attributes as with harmless words in the same places."""
    page = page_of(full_record(label=label, file=file, sentence=sentence, excerpt=excerpt))
    assert sorted(Reading(page).elements) == sorted(Reading(page_of(full_record())).elements)


@given(data=st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_text_and_attributes_come_back_as_people_may_see_them(data: str) -> None:
    found = re.fullmatch(r'<b title="([^"<>]*)">([^<>]*)</b>', element("b", data, title=data))
    assert found is not None
    assert [html.unescape(part) for part in found.groups()] == [printable(data)] * 2


def test_control_characters_are_shown() -> None:
    assert element("b", "a\x00b\x1b\x7f") == "<b>a\u2400b\u241b\u2421</b>"


def test_a_recognizers_page_counts_annotations() -> None:
    record = full_record().model_copy(update={"model_type": "ENTITY_RECOGNIZER"})
    words = words_of(page_of(record))
    assert "Annotations by entity type" in words
    assert "By entity type" in words
    assert "several labels" not in words
    assert "Documents by label" in words_of(page_of(full_record()))


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    page = page_of(full_record())
    tags = {tag for tag, _ in Reading(page).elements}
    attributes = {name for _, names in Reading(page).elements for name in names}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"}
    assert not attributes & {"src", "href", "srcset", "action", "background"}
    assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src &#x27;none&#x27;" in page


def test_the_same_records_give_the_same_page_whatever_their_order() -> None:
    history = [past(number, active=0.5 + number / 100) for number in range(1, 7)]
    assert page_of(full_record(), *history) == page_of(full_record(), *reversed(history))


def test_a_multi_label_candidate_has_its_thresholds_and_its_hamming_loss() -> None:
    record = full_record(labels=("SPORTS", "WORLD"))
    assert record.holdout is not None
    assert record.holdout.candidate is not None
    scores = record.holdout.candidate.labels
    several = record.holdout.candidate.model_copy(
        update={
            "labels": (
                scores[0].model_copy(update={"threshold": 0.2345, "support": 30}),
                scores[1].model_copy(update={"threshold": 0.5, "support": 29}),
            ),
            "hamming_loss": 0.0321,
        }
    )
    holdout = record.holdout.model_copy(update={"candidate": several})
    words = words_of(page_of(record.model_copy(update={"holdout": holdout})))
    for part in ("Threshold, candidate", "0.2345", "hamming loss 0.0321", "keeps the threshold 0.5: WORLD."):
        assert part in words
    exclusive = words_of(page_of(record))
    for part in ("Threshold", "threshold", "hamming"):
        assert part not in exclusive


def test_everything_that_happened_is_there() -> None:
    words = words_of(page_of(full_record(), past(5, active=0.7), past(6, outcome=TurnOutcome.FAILED)))
    for part in (
        "turn-000007",
        "The candidate became the active model.",
        "news-0a1b2c3d",
        "took 1 h 43 min",
        "train/week-47.csv",
        "train/stuck week-47.csv",
        "train/old week-47.csv",
        "train/half week-47.csv/",
        "It waits for The label",
        "unknown-label: 3 lines",
        "3 of week-47.csv",
        "part-of-word: 2",
        "The first 10; more are in the report.",
        "SPORT,a goal",
        "4 train documents were dropped",
        "SPORTS 7",
        "arn:candidate",
        "+0.0400",
        "Comprehend accepted dataset train-000007",
        "turn-000006",
        f"s3://{BUCKET}/turns/turn-000007/turn.json",
    ):
        assert part in words
    assert words.count("SPORT,a goal") == 10 + 1
    assert "0 test documents" not in words


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (TurnOutcome.FAILED, "The turn failed."),
        (TurnOutcome.TIMED_OUT, "The turn ran out of time."),
        (TurnOutcome.ABORTED, "The turn was stopped."),
    ],
)
def test_a_turn_that_did_not_succeed_has_a_page_that_says_so(outcome: TurnOutcome, sentence: str) -> None:
    words = words_of(page_of(failed_record(outcome)))
    assert sentence in words
    assert "DatasetFailed: Comprehend did not take train-000007." in words
    for absent in ("The two models", "Documents by label", "Uploads", "What waits"):
        assert absent not in words


@pytest.mark.parametrize(
    ("decision", "promotion", "sentence"),
    [
        (DecisionKind.PROMOTE, PromotionStatus.PROMOTED, "became the active model"),
        (DecisionKind.PROMOTE, PromotionStatus.ALREADY_ACTIVE, "was the active model already"),
        (DecisionKind.PROMOTE, PromotionStatus.REFUSED, "refused: the active model stayed"),
        (DecisionKind.PROMOTE, None, "that had not ended"),
        (DecisionKind.KEEP, None, "The active model stayed"),
        (DecisionKind.REPORT, None, "No model was trained"),
        (DecisionKind.NOTHING, None, "No decision was due"),
    ],
)
def test_the_headline_says_what_came_of_it(
    decision: DecisionKind, promotion: PromotionStatus | None, sentence: str
) -> None:
    record = full_record()
    assert record.promotion is not None
    promoted = record.promotion.model_copy(update={"status": promotion}) if promotion else None
    assert sentence in headline(record.model_copy(update={"decision": decision, "promotion": promoted}))


def test_a_score_that_is_missing_is_a_dash_and_has_no_difference() -> None:
    page = page_of(full_record().model_copy(update={"active": None, "candidate": model(0.84)}))
    (row,) = re.findall(r'<tr class="deciding">(.*?)</tr>', page)
    assert Reading(row).texts == ["F1 score", "\u2013", "0.8400", "\u2013"]
    assert "Active: none." in words_of(page)


def test_the_scores_are_those_of_the_metric_that_decided_last() -> None:
    precision = past(3, active=0.5).model_copy(update={"selection_metric": "Precision"})
    assert "The scores are Precision." in words_of(page_of(failed_record(), precision))
    assert "The scores are F1Score." in words_of(page_of(full_record(), precision))
    assert "The scores are F1Score." in words_of(page_of(failed_record()))


def test_before_any_score_there_is_a_sentence_instead_of_a_chart() -> None:
    page = page_of(failed_record(), past(6, outcome=TurnOutcome.FAILED))
    assert "<svg" not in page
    assert "No turn has a score (F1Score) yet." in words_of(page)
    assert "<svg" in page_of(failed_record(), past(6, active=0.5))


def test_a_record_of_an_older_version_is_read_for_the_chart() -> None:
    older = PastTurn.model_validate_json('{"turn": "turn-000001", "outcome": "SUCCEEDED", "uploads": [{"new": 1}]}')
    assert "turn-000001" in words_of(page_of(full_record(), older))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (7620, "2 h 7 min"),
        (273600, "3 d 4 h"),
        (-5, "0 s"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


def test_a_holdout_is_shown_label_by_label_with_what_it_cost() -> None:
    words = words_of(page_of(full_record()))
    assert "Label by label on the hold-out" in words
    assert "Hold-out 0123456789abcdef: 40 documents, whose predictions cost $1.50." in words
    assert "At confidence level 0.95 the gain in F1Score of +0.2500 lies between +0.1250 and +0.3750." in words
    assert "macro F1 0.8500" in words
    assert "+0.2500" in words
    assert "2 documents could not be analysed" in words


def test_how_well_margins_find_errors_is_said_in_words() -> None:
    record = full_record()
    assert record.holdout
    assert record.holdout.candidate
    ranking = ErrorRanking(documents=40, errors=1200, area=0.8264, worst_10=0.394, worst_20=0.58)
    candidate = record.holdout.candidate.model_copy(update={"ranking": ranking})
    holdout = record.holdout.model_copy(update={"candidate": candidate})
    words = words_of(page_of(record.model_copy(update={"holdout": holdout})))
    assert "the candidate is least certain finds 39% of its 1,200 errors, and 58% in a fifth" in words
    assert "Area under the ROC curve: 0.826, where chance gives 0.5." in words
    assert "ROC" not in words_of(page_of(record))


def test_without_a_holdout_nothing_is_said_of_one() -> None:
    words = words_of(page_of(full_record().model_copy(update={"holdout": None})))
    assert "hold-out" not in words.lower()
    assert "taken for what" not in words


def test_a_candidate_alone_is_compared_with_nothing() -> None:
    record = full_record()
    assert record.holdout
    alone = record.holdout.model_copy(update={"active": None, "interval": None})
    words = words_of(page_of(record.model_copy(update={"holdout": alone})))
    assert "The candidate" in words
    assert "The active model 1" not in words
    assert "confidence level" not in words


def test_of_many_labels_the_confusions_that_occur_most_are_listed() -> None:
    labels = tuple(f"LABEL {number:03d}" for number in range(MOST_LABELS_IN_MATRIX + 1))
    page = page_of(full_record(labels=labels))
    assert 'class="confusion' not in page
    words = words_of(page)
    assert "Taken for" in words
    assert f"And {len(labels) - 30} pairs more" in words
    assert 'class="confusion many"' in page_of(full_record(labels=labels[:-1]))
