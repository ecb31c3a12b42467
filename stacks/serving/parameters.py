"""What operators tune of serving: `cdk deploy --parameters <name>-serving:<Name>=<value>`."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.stack_parameters import NONE, StackParameters, number, one_of, text, whole_number
from stacks.settings import FlywheelSettings, Role

MOST_UNITS = 50
"""Comprehend's quota for one endpoint, unless AWS raised it."""
_DAY = "(SUN|MON|TUE|WED|THU|FRI|SAT)"
_LONGEST_TIME = 60
OF_LEARNING = ("keep_predictions", "keep_predictions_percent", "audit_percent", "feedback_trust")
"""Parameters of a deployment that trains."""
WEEKLY_TIME = rf"^none$|^cron\([0-5]?[0-9] ([01]?[0-9]|2[0-3]) \? \* (\*|{_DAY}([,-]{_DAY})*) \*\)$"


class ServingParameters(StackParameters):
    """The parameters of the Serving stack."""

    inference_units = whole_number(
        default=0,
        least=0,
        most=MOST_UNITS,
        description="Inference units of the endpoint: 2 documents and 100 characters a second each, at about $1,314 a "
        "month each. 0: no endpoint.",
    )
    maximum_inference_units = whole_number(
        default=0,
        least=0,
        most=MOST_UNITS,
        description="The most units that auto scaling may give it. If not above InferenceUnits, it does not scale.",
    )
    smoke_test_key = text(
        default=NONE,
        # It stands in a role's policy and in JSON: none of * ? $ " and backslash.
        pattern=r"^[0-9A-Za-z!_.'()=,@+:&;~ -]([0-9A-Za-z!_.'()=,@+:&;~ /-]*[0-9A-Za-z!_.'()=,@+:&;~-])?$",
        allowed=f"the key of an object in the intake bucket, of letters, digits and ! _ . ' ( ) = , @ + : & ; ~ / "
        f"-, or {NONE}",
        # S3's limit.
        most_characters=1024,
        description=f"A labelled CSV file in the intake bucket that a new model has to label rightly, or {NONE}.",
    )
    smoke_test_minimum = number(
        default=0.8,
        least=0,
        most=1,
        # It is to catch a broken model, not to judge a weak one: that is what the gate is for.
        description="The part of the smoke test's documents that has to be right, from 0 to 1.",
    )
    serving_hours_start = text(
        default=NONE,
        pattern=WEEKLY_TIME,
        allowed="a time of the week in UTC such as cron(0 7 ? * MON-FRI *), or none",
        most_characters=_LONGEST_TIME,
        description="When the endpoint has to be there, in UTC; it is created before. With none: at all hours.",
    )
    serving_hours_end = text(
        default=NONE,
        pattern=WEEKLY_TIME,
        allowed="a time of the week in UTC such as cron(0 19 ? * MON-FRI *), or none",
        most_characters=_LONGEST_TIME,
        description="When the endpoint is deleted, in UTC. With none: never.",
    )
    poll_seconds = whole_number(
        default=60,
        least=30,
        most=3600,
        description="How often Comprehend is asked how far a change of the endpoint is, in seconds.",
    )
    review_threshold = number(
        default=0.7,
        least=0,
        most=1,
        description="A document that the API answers with a lower confidence waits for people to review it. 0: none "
        "does.",
    )
    keep_predictions = one_of(
        default="low-confidence",
        allowed=("none", "low-confidence", "sample", "all"),
        description="Which texts that the API answers are kept, with the answer. none: no text is, and none is "
        "reviewed. low-confidence: those that wait for review. sample: also KeepPredictionsPercent of all.",
    )
    keep_predictions_percent = number(
        default=10,
        least=0,
        most=100,
        description="The share of all texts that is kept with KeepPredictions=sample.",
    )
    audit_percent = number(
        default=1,
        least=0,
        most=100,
        description="The share of the other documents that waits for review, too, so that what nobody doubts is looked "
        "at. None is with KeepPredictions=none.",
    )
    feedback_trust = one_of(
        default="review",
        allowed=("review", "accept"),
        description="What becomes of feedback: it waits for a reviewer, or it is accepted as an answer at once.",
    )
    requests_per_second = whole_number(
        default=50,
        least=1,
        most=10_000,
        description="Requests a second that the API takes, over all callers; what is more gets the answer 429.",
    )
    request_burst = whole_number(
        default=100,
        least=1,
        most=5_000,
        description="Requests that the API takes at one moment, after it had less to do.",
    )
    reserve_concurrency = one_of(
        # A new account runs ten functions at a time and can reserve none: this must not keep it from deploying.
        default="false",
        allowed=("true", "false"),
        description="Whether the API's function has as many executions for itself as RequestsPerSecond, and no more: a "
        "throttled endpoint then takes none from the pipeline. An account with a concurrency of 10 refuses it.",
    )
    """Left out where the setting `reserved_concurrency` decides."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        without = ["reserve_concurrency"] if settings.reserved_concurrency else []
        if settings.role is Role.IMPORT:
            # There is nobody to teach: the flywheel is elsewhere.
            without += OF_LEARNING
        super().__init__(scope, construct_id, without=without)
        hours = cdk.CfnRule(
            self,
            "HoursComeInPairs",
            assertions=[
                cdk.CfnRuleAssertion(
                    assert_=cdk.Fn.condition_or(
                        *(
                            cdk.Fn.condition_and(
                                *(
                                    compare(cdk.Fn.condition_equals(end.value_as_string, NONE))
                                    for end in (self.serving_hours_start, self.serving_hours_end)
                                )
                            )
                            for compare in (lambda condition: condition, cdk.Fn.condition_not)
                        )
                    ),
                    assert_description="Give both ServingHoursStart and ServingHoursEnd, or neither.",
                )
            ],
        )
        hours.override_logical_id("HoursComeInPairs")
