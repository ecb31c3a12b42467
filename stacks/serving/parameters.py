"""What operators tune of serving: `cdk deploy --parameters <name>-serving:<Name>=<value>`."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.stack_parameters import NONE, StackParameters

MOST_UNITS = 50
"""Comprehend's quota for one endpoint, unless AWS raised it."""
_DAY = "(SUN|MON|TUE|WED|THU|FRI|SAT)"
_LONGEST_TIME = 60
WEEKLY_TIME = rf"^none$|^cron\([0-5]?[0-9] ([01]?[0-9]|2[0-3]) \? \* (\*|{_DAY}([,-]{_DAY})*) \*\)$"


class ServingParameters(StackParameters):
    """The parameters of the Serving stack."""

    def __init__(self, scope: Construct, construct_id: str, *, concurrency_is_a_setting: bool) -> None:
        super().__init__(scope, construct_id)
        self.inference_units = self._whole_number(
            "InferenceUnits",
            default=0,
            least=0,
            most=MOST_UNITS,
            description=(
                "Inference units of the endpoint: 2 documents and 100 characters a second each, at about $1,314 a "
                "month each. 0: no endpoint."
            ),
        )
        self.maximum_inference_units = self._whole_number(
            "MaximumInferenceUnits",
            default=0,
            least=0,
            most=MOST_UNITS,
            description="The most units that auto scaling may give it. If not above InferenceUnits, it does not scale.",
        )
        self.smoke_test_key = self._text(
            "SmokeTestKey",
            default=NONE,
            # It stands in a role's policy and in JSON: none of * ? $ " and backslash.
            pattern=r"^[0-9A-Za-z!_.'()=,@+:&;~ -]([0-9A-Za-z!_.'()=,@+:&;~ /-]*[0-9A-Za-z!_.'()=,@+:&;~-])?$",
            allowed=f"the key of an object in the intake bucket, of letters, digits and ! _ . ' ( ) = , @ + : & ; ~ / "
            f"-, or {NONE}",
            # S3's limit.
            most_characters=1024,
            description=f"A labelled CSV file in the intake bucket that a new model has to label rightly, or {NONE}.",
        )
        self.smoke_test_minimum = self._number(
            "SmokeTestMinimum",
            default=0.8,
            least=0,
            most=1,
            # It is to catch a broken model, not to judge a weak one: that is what the gate is for.
            description="The part of the smoke test's documents that has to be right, from 0 to 1.",
        )
        self.serving_hours_start = self._text(
            "ServingHoursStart",
            default=NONE,
            pattern=WEEKLY_TIME,
            allowed="a time of the week in UTC such as cron(0 7 ? * MON-FRI *), or none",
            most_characters=_LONGEST_TIME,
            description="When the endpoint has to be there, in UTC; it is created before. With none: at all hours.",
        )
        self.serving_hours_end = self._text(
            "ServingHoursEnd",
            default=NONE,
            pattern=WEEKLY_TIME,
            allowed="a time of the week in UTC such as cron(0 19 ? * MON-FRI *), or none",
            most_characters=_LONGEST_TIME,
            description="When the endpoint is deleted, in UTC. With none: never.",
        )
        self.poll_seconds = self._whole_number(
            "PollSeconds",
            default=60,
            least=30,
            most=3600,
            description="How often Comprehend is asked how far a change of the endpoint is, in seconds.",
        )
        self.review_threshold = self._number(
            "ReviewThreshold",
            default=0.7,
            least=0,
            most=1,
            description=(
                "A document that the API classifies with a lower confidence is kept in the intake bucket for people to "
                "review. 0: none is."
            ),
        )
        self.requests_per_second = self._whole_number(
            "RequestsPerSecond",
            default=50,
            least=1,
            most=10_000,
            description="Requests a second that the API takes, over all callers; what is more gets the answer 429.",
        )
        self.request_burst = self._whole_number(
            "RequestBurst",
            default=100,
            least=1,
            most=5_000,
            description="Requests that the API takes at one moment, after it had less to do.",
        )
        self.reserve_concurrency = None if concurrency_is_a_setting else self._reserve_concurrency()
        self.log_retention_days = self._log_retention_days()
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

    def _reserve_concurrency(self) -> cdk.CfnParameter:
        return self._one_of(
            "ReserveConcurrency",
            # A new account runs ten functions at a time and can reserve none: this must not keep it from deploying.
            default="false",
            allowed=("true", "false"),
            description=(
                "Whether the API's function has as many executions for itself as RequestsPerSecond, and no more: a "
                "throttled endpoint then takes none from the pipeline. An account with a concurrency of 10 refuses it."
            ),
        )
