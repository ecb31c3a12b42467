"""What operators tune of a deployment that imports models: `cdk deploy --parameters <name>-import:<Name>=<value>`."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.stack_parameters import NONE, StackParameters, one_of, text
from stacks.flywheel.parameters import SCHEDULE, FlywheelParameters
from stacks.serving.parameters import ServingParameters

NO_ACCOUNT = "000000000000"


class ImportParameters(StackParameters):
    """The parameters of the Import stack. Those that the Flywheel and the Serving stack have too mean the same."""

    source_account = text(
        default=NO_ACCOUNT,
        pattern=r"^[0-9]{12}$",
        allowed="an account's 12 digits",
        most_characters=12,
        description="The account whose flywheel trains the models. Its TrustedAccounts must name this account.",
    )
    source_flywheel_name = text(
        default=NONE,
        pattern=r"^[a-zA-Z](-*[a-zA-Z0-9])*$",
        allowed="the setting name of a deployment: letters, digits and hyphens",
        # The longest that the setting takes.
        most_characters=54,
        description="The setting name of the deployment that trains the models.",
    )
    promotion_mode = FlywheelParameters.promotion_mode
    approval_hours = FlywheelParameters.approval_hours
    smoke_test_key = ServingParameters.smoke_test_key
    smoke_test_minimum = ServingParameters.smoke_test_minimum
    models_to_keep = FlywheelParameters.models_to_keep
    follow_withdrawals = one_of(
        default="false",
        allowed=("true", "false"),
        description="Whether a model that serves here is replaced when the source goes back to another one. If false, "
        "people are told.",
    )
    import_schedule = text(
        default="rate(1 hour)",
        pattern=SCHEDULE,
        allowed="an EventBridge schedule such as rate(1 hour), rate(2 days) or cron(0 6 * * ? *)",
        most_characters=256,
        description="When to look for a promotion that failed, or that nobody has started.",
    )
    poll_seconds = FlywheelParameters.poll_seconds
    notification_email = FlywheelParameters.notification_email

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        given = (
            cdk.Fn.condition_not(cdk.Fn.condition_equals(parameter.value_as_string, nothing))
            for parameter, nothing in ((self.source_account, NO_ACCOUNT), (self.source_flywheel_name, NONE))
        )
        rule = cdk.CfnRule(
            self,
            "SourceIsGiven",
            assertions=[
                cdk.CfnRuleAssertion(
                    assert_=cdk.Fn.condition_and(*given),
                    assert_description="Give SourceAccount and SourceFlywheelName: where the models are trained.",
                )
            ],
        )
        rule.override_logical_id("SourceIsGiven")
