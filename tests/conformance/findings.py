"""The questions, the answers found, and the report that somebody can paste into an issue."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum


class Question(StrEnum):
    """A question's key in the report's JSON."""

    MINIMUM_MULTI_CLASS = "minimum_multi_class"
    MINIMUM_MULTI_LABEL = "minimum_multi_label"
    BAD_VALUE = "bad_value"
    FOUND_AT_ONCE = "found_at_once"
    LAKE_URI = "lake_uri"
    SECOND_ITERATION = "second_iteration"
    PROMOTION_DURING_ITERATION = "promotion_during_iteration"
    FIRST_MODEL_ACTIVE = "first_model_active"
    FIRST_MODEL_NAME = "first_model_name"
    STATUSES = "statuses"
    MESSAGE = "message"
    ACTIVE_SCORED_WITHOUT_TEST_DATA = "active_scored_without_test_data"
    MOVE_WITH_MODEL = "move_with_model"
    MOVE_ALONE = "move_alone"
    DELETION_WHILE_CHANGING = "deletion_while_changing"
    FOLLOWS = "follows"
    ANSWERS_WHILE_FOLLOWING = "answers_while_following"
    THROTTLE = "throttle"
    FLYWHEEL_DELETION_WITH_ENDPOINT = "flywheel_deletion_with_endpoint"


TEXTS = {
    Question.MINIMUM_MULTI_CLASS: "Does a TRAIN dataset with 12 documents of each label fail, MULTI_CLASS?",
    Question.MINIMUM_MULTI_LABEL: "The same with 36 of each label, MULTI_LABEL?",
    Question.BAD_VALUE: "Which error refuses a value that does not fit its pattern?",
    Question.FOUND_AT_ONCE: "Is what was just created found at once?",
    Question.LAKE_URI: "Does DataLakeS3Uri end in a slash?",
    Question.SECOND_ITERATION: "What does a second StartFlywheelIteration answer while one runs?",
    Question.PROMOTION_DURING_ITERATION: "What does UpdateFlywheel(ActiveModelArn) answer while an iteration runs?",
    Question.FIRST_MODEL_ACTIVE: "Does the first model become active by itself?",
    Question.FIRST_MODEL_NAME: "What is the first model of a new flywheel called?",
    Question.STATUSES: "Which statuses did the iterations show, in which order?",
    Question.MESSAGE: "What does the Message of a completed iteration say?",
    Question.ACTIVE_SCORED_WITHOUT_TEST_DATA: "Is the active model scored when only TRAIN data are new?",
    Question.MOVE_WITH_MODEL: "Does UpdateEndpoint take FlywheelArn together with DesiredModelArn?",
    Question.MOVE_ALONE: "Does UpdateEndpoint take FlywheelArn alone?",
    Question.DELETION_WHILE_CHANGING: "What does DeleteEndpoint answer while the endpoint changes?",
    Question.FOLLOWS: "Does a flywheel's endpoint follow a promotion?",
    Question.ANSWERS_WHILE_FOLLOWING: "Does it answer all the time meanwhile?",
    Question.THROTTLE: "Which error refuses what is above the endpoint's throughput?",
    Question.FLYWHEEL_DELETION_WITH_ENDPOINT: "What does DeleteFlywheel answer while an endpoint is bound to it?",
}


@dataclass
class Findings:
    """What was found, in the order of the asking."""

    target: str
    answers: dict[Question, str] = field(default_factory=dict)
    details: dict[Question, str] = field(default_factory=dict)
    ended_early: str | None = None
    left: list[str] = field(default_factory=list)
    """What could not be removed."""

    def note(self, question: Question, answer: str, *, detail: str = "") -> None:
        self.answers[question] = answer
        if detail:
            self.details[question] = detail

    def report(self) -> str:
        """Markdown, without the account's number or any document."""
        lines = [f"## Conformance of Amazon Comprehend: {self.target}", ""]
        if self.ended_early:
            lines += [f"The run ended early: {self.ended_early}", ""]
        lines += ["| question | answer | detail |", "|---|---|---|"]
        lines += [
            f"| {text} | {self.answers.get(question, 'not asked')} | {self.details.get(question, '')} |"
            for question, text in TEXTS.items()
        ]
        if self.left:
            lines += ["", "Not removed, do it by hand: " + ", ".join(self.left)]
        answers = {question.value: answer for question, answer in self.answers.items()}
        return "\n".join([*lines, "", "```json", json.dumps(answers, indent=1), "```", ""])
