"""A multi-label model's answer is at the thresholds of the model that it names, or there is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.api.classify_api import LACKING_FOR, SEEN_FOR, Classified
from flywheel.api.messages import ErrorCode
from flywheel.confidence import confidence_of, labels_of
from flywheel.document_classification.answer import Classification
from flywheel.document_classification.real_time import LabelledDocument
from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus
from flywheel.records.thresholds import ModelThresholds, thresholds_key
from flywheel.text.byte_limits import DOCUMENT_ANSWER
from tests.unit.api.scene import START, SURE, Scene, failure

SCORES = (("A", 0.8), ("B", 0.3), ("C", 0.1))
SEVERAL = Classification.of(SCORES, multi_label=True)
OLD, NEW = "arn:old", "arn:new"


def scene_with(**thresholds: float) -> Scene:
    """The endpoint answers every text with SCORES, and its model has these thresholds; none: it was given none."""
    scene = Scene(text=[SEVERAL])
    scene.endpoint.models = [OLD]
    if thresholds:
        keep(scene, OLD, **thresholds)
    return scene


def keep(scene: Scene, model_arn: str, **thresholds: float) -> None:
    record = ModelThresholds(model_arn=model_arn, holdout_id="0123456789abcdef", thresholds=thresholds)
    scene.bucket.records[thresholds_key(model_arn)] = record


def labels(classified: Classified) -> tuple[str, ...]:
    (prediction,) = classified.predictions
    return prediction.labels


def answered(classified: Classified) -> dict[str, Any]:
    (prediction,) = classified.predictions
    return prediction.answered(prediction_id="", kept=False).model_dump()


class TestConfidence:
    @pytest.mark.parametrize(
        ("score", "threshold", "confidence"),
        [
            (0.2, 0.2, 0.5),
            (0.6, 0.2, 0.75),
            (1.0, 0.2, 1.0),
            (0.1, 0.2, 0.75),
            (0.0, 0.2, 1.0),
            (0.8, 0.5, 0.8),
            (0.3, 0.5, 0.7),
            (0.0, 0.0, 0.5),
            (1.0, 1.0, 1.0),
            (0.5, 1.0, 0.75),
        ],
    )
    def test_lies_on_a_straight_line_from_the_threshold_to_0_and_1(
        self, score: float, threshold: float, confidence: float
    ) -> None:
        assert confidence_of((("A", score),), multi_label=True, thresholds={"A": threshold}) == pytest.approx(
            confidence
        )

    @given(st.floats(0, 1), st.floats(0, 1))
    def test_is_that_of_a_yes_or_a_no(self, score: float, threshold: float) -> None:
        scores, thresholds = (("A", score),), {"A": threshold}
        assert 0.5 <= confidence_of(scores, multi_label=True, thresholds=thresholds) <= 1
        assert labels_of(scores, multi_label=True, thresholds=thresholds) == (["A"] if score >= threshold else [])

    @given(st.floats(0, 1))
    def test_without_thresholds_it_is_the_score_or_the_rest(self, score: float) -> None:
        assert confidence_of((("A", score),), multi_label=True) == max(score, 1 - score)

    def test_is_that_of_the_least_certain_label(self) -> None:
        assert SEVERAL.at({"A": 0.2, "B": 0.2}).confidence == pytest.approx(0.5 + 0.5 * 0.1 / 0.8)


class TestAnswers:
    def test_say_what_the_model_says_yes_to_and_from_which_score_on(self) -> None:
        found = answered(scene_with(A=0.9, B=0.25).classify("text"))
        assert found["labels"] == [
            {"name": "A", "score": 0.8, "threshold": 0.9, "predicted": False},
            {"name": "B", "score": 0.3, "threshold": 0.25, "predicted": True},
            {"name": "C", "score": 0.1, "threshold": 0.5, "predicted": False},
        ]
        assert found["confidence"] == pytest.approx(0.5 + 0.5 * 0.05 / 0.75)

    def test_of_a_model_without_thresholds_are_at_a_half(self) -> None:
        scene = scene_with()
        found = answered(scene.classify("text"))
        assert [(label["threshold"], label["predicted"]) for label in found["labels"]] == [
            (0.5, True),
            (0.5, False),
            (0.5, False),
        ]
        assert found["confidence"] == 0.7

    def test_what_is_too_long_leaves_out_no_yes(self) -> None:
        sure = [(f"{number} {'x' * 5000}", 0.9) for number in range(45)]
        found = Classification.of((*sure, ("yes", 0.1)), multi_label=True).at(
            {name: 0.95 for name, _ in sure} | {"yes": 0.05}
        )
        document = found.answered(prediction_id="", kept=False)
        assert isinstance(document, LabelledDocument)
        assert [label.name for label in document.labels if label.predicted] == ["yes"]
        assert len(document.model_dump_json()) <= DOCUMENT_ANSWER + 100
        assert [label.score for label in document.labels] == sorted((s.score for s in document.labels), reverse=True)

    def test_review_gets_them_too(self) -> None:
        scene = scene_with(A=0.7, B=0.25)
        scene.classify("text")
        (record,) = scene.kept
        suggestion = record.suggestion
        assert [(each.name, each.threshold) for each in suggestion.predictions] == [("A", 0.7), ("B", 0.25), ("C", 0.5)]
        assert suggestion.confidence == pytest.approx(0.5 + 0.5 * 0.05 / 0.75)
        assert suggestion.margin == pytest.approx(0.05 / 0.75)

    def test_of_exclusive_classes_need_none(self) -> None:
        scene = Scene()
        scene.bucket.broken = True
        assert scene.classify("a").answers == (SURE,)
        assert not scene.bucket.reads


class TestTheModelThatAnswers:
    def test_is_asked_for_its_own(self) -> None:
        scene = scene_with(A=0.9)
        keep(scene, NEW, B=0.2)
        assert labels(scene.classify("text")) == ()
        scene.endpoint.models = [NEW]
        scene.time.wait(SEEN_FOR.total_seconds() + 1)
        classified = scene.classify("text")
        assert classified.model is not None
        assert classified.model.model_arn == NEW
        assert labels(classified) == ("A", "B")

    def test_has_its_own_again_when_it_comes_back(self) -> None:
        scene = scene_with(A=0.9)
        keep(scene, NEW, A=0.1)
        found = []
        for model in (OLD, NEW, OLD):
            scene.endpoint.models = [model]
            scene.time.wait(SEEN_FOR.total_seconds() + 1)
            found.append(labels(scene.classify("text")))
        assert found == [(), ("A",), ()]

    def test_is_not_asked_with_every_request(self) -> None:
        scene = scene_with(A=0.9)
        for _ in range(5):
            scene.classify("text", "text")
        assert scene.bucket.reads == {thresholds_key(OLD): 1}

    def test_that_had_none_is_asked_again_after_a_while(self) -> None:
        scene = scene_with()
        assert labels(scene.classify("text")) == ("A",)
        keep(scene, OLD, A=0.9)
        assert labels(scene.classify("text")) == ("A",)
        scene.time.wait((LACKING_FOR + timedelta(seconds=1)).total_seconds())
        assert labels(scene.classify("text")) == ()


class TestThresholdsThatCannotBeRead:
    def test_cost_the_answer_and_nothing_else(self) -> None:
        """An answer at other thresholds would look like any other."""
        scene = scene_with(A=0.9)
        scene.bucket.broken = True
        classified = scene.classify("text")
        (problem,) = classified.problems
        assert (problem.code, classified.low_confidence) == (ErrorCode.INTERNAL_ERROR, 0)
        assert "GetObject: AccessDenied" in classified.causes
        scene.bucket.broken = False
        assert labels(scene.classify("text")) == ()

    def test_are_those_that_were_read_before(self) -> None:
        scene = scene_with(A=0.9)
        scene.classify("text")
        scene.bucket.broken = True
        scene.time.wait((LACKING_FOR + timedelta(seconds=1)).total_seconds())
        assert labels(scene.classify("text")) == ()

    def test_are_taken_for_lacking_where_they_lacked_before(self) -> None:
        scene = scene_with()
        scene.classify("text")
        scene.bucket.broken = True
        scene.time.wait((LACKING_FOR + timedelta(seconds=1)).total_seconds())
        assert labels(scene.classify("text")) == ("A",)

    def test_because_nobody_says_which_model_answers(self) -> None:
        scene = scene_with(A=0.9)
        scene.endpoint.models = [failure("ThrottlingException", operation="DescribeEndpoint")]
        classified = scene.classify("text")
        assert [problem.code for problem in classified.problems] == [ErrorCode.INTERNAL_ERROR]
        assert "the thresholds of the served model are not known" in classified.causes
        scene.endpoint.models = [OLD]
        assert labels(scene.classify("text")) == ()


class TestAModelThatComprehendDoesNotName:
    @pytest.mark.parametrize("model", ["", failure("ThrottlingException", operation="DescribeEndpoint")])
    def test_is_the_one_that_the_serve_machine_found_last(self, model: Any) -> None:
        """An endpoint that is bound to a flywheel may have no ModelArn."""
        scene = scene_with(A=0.9)
        scene.endpoint.models = [model]
        scene.bucket.records[STATE_KEY] = ServingState(
            status=ServingStatus.IN_SERVICE, reason="It answers.", since=START, at=START, model_arn=OLD
        )
        assert labels(scene.classify("text")) == ()
