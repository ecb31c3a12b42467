"""The alarms that call a person."""

from __future__ import annotations

import dataclasses

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.function import FlywheelFunction
from stacks.constructs.stack_parameters import as_number
from stacks.constructs.watch import Watch, alarms, dead_letters, errors, executions, own
from stacks.flywheel.parameters import MOST_DAYS_WITHOUT_TURN, FlywheelParameters
from stacks.flywheel.queues import Queues
from stacks.promotions.alarms import of_promotions

DATASETS_OF_A_FLYWHEEL = 50
"""AWS's default quota of TRAIN and of TEST datasets. It can be raised on request; then the alarms come early."""
DATASETS_THAT_ALARM = DATASETS_OF_A_FLYWHEEL * 8 // 10
A_DAY = 86_400


class Alarms(Construct):
    """Each watches one metric and tells the topic."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        queues: Queues,
        turn_machine_arn: str,
        promote_machine_arn: str,
        start_turn: FlywheelFunction,
        start_promotion: FlywheelFunction,
        sharing_wanted: cdk.CfnCondition,
        flywheel_name: str,
        parameters: FlywheelParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._flywheel_name = flywheel_name
        alarms(
            self,
            topic=topic,
            watches={
                **self._pokes(queues, start_turn=start_turn, start_promotion=start_promotion),
                **self._turns(turn_machine_arn, maximum_days=parameters.maximum_days_without_turn),
                **of_promotions(promote_machine_arn, flywheel_name=flywheel_name),
                "SharingBehind": dataclasses.replace(
                    own(
                        "SharingBehind",
                        flywheel_name,
                        "Accounts may not import what they should, or may import what they should not: "
                        "`flywheel share` says which models and why.",
                    ),
                    condition=sharing_wanted,
                ),
                **self._data(drift_floor=parameters.drift_floor),
            },
        )

    def _pokes(
        self, queues: Queues, *, start_turn: FlywheelFunction, start_promotion: FlywheelFunction
    ) -> dict[str, Watch]:
        return {
            "TurnDeadLetters": dead_letters(
                queues.turn_dead_letters, "start_turn could not handle pokes: its log says why."
            ),
            "PromotionDeadLetters": dead_letters(
                queues.promotion_dead_letters, "start_promotion could not handle pokes: its log says why."
            ),
            "UndeliveredEvents": dead_letters(
                queues.undelivered, "Events reached neither a queue nor the function that reports."
            ),
            "StartTurnErrors": errors(start_turn, "start_turn fails: no turn may be starting."),
            "StartPromotionErrors": errors(start_promotion, "start_promotion fails: no promotion may be starting."),
        }

    def _turns(self, machine_arn: str, *, maximum_days: cdk.CfnParameter) -> dict[str, Watch]:
        return {
            "TurnFailed": executions("Failed", machine_arn, "A turn failed: `flywheel show` says why."),
            "TurnTimedOut": executions("TimedOut", machine_arn, "A turn did not end in its time."),
            "TurnAborted": executions("Aborted", machine_arn, "A turn was stopped from outside."),
            "WaitingForAPerson": own(
                "WaitingForAPerson",
                self._flywheel_name,
                "Several turns in a row failed, and none starts by itself: `flywheel status` says why.",
            ),
            "NoTurn": dataclasses.replace(
                executions("Started", machine_arn, "No turn began for MaximumDaysWithoutTurn."),
                comparison="LessThanThreshold",
                threshold=1,
                period=A_DAY,
                evaluation_periods=self._days(maximum_days),
                missing="breaching",
                condition=self._unless_zero("NoTurnWanted", maximum_days),
            ),
        }

    def _data(self, *, drift_floor: cdk.CfnParameter) -> dict[str, Watch]:
        return {
            "UploadsNotPrepared": own(
                "UploadsNotPrepared",
                self._flywheel_name,
                "Turns tried uploads and could not prepare them; they lie where they were dropped: `flywheel status` "
                "names them.",
            ),
            "TrainDatasetQuota": self._quota("Train"),
            "TestDatasetQuota": self._quota("Test"),
            "Drift": dataclasses.replace(
                own(
                    "ActiveModelScoreOnNewTestData",
                    self._flywheel_name,
                    "The active model's SelectionMetric on new test data is below DriftFloor.",
                ),
                statistic="Minimum",
                comparison="LessThanThreshold",
                threshold=as_number(drift_floor),
                condition=self._unless_zero("DriftWanted", drift_floor),
            ),
        }

    def _quota(self, split: str) -> Watch:
        watch = own(
            f"{split}DatasetsUsed",
            self._flywheel_name,
            f"Four fifths of the flywheel's {split.upper()} datasets are used, and none can be deleted: "
            "`flywheel generation new` makes a new flywheel with all that was accepted in as few datasets as hold it. "
            "Or have the quota raised, or upload less often.",
        )
        return dataclasses.replace(watch, comparison="GreaterThanOrEqualToThreshold", threshold=DATASETS_THAT_ALARM)

    def _unless_zero(self, construct_id: str, parameter: cdk.CfnParameter) -> cdk.CfnCondition:
        return cdk.CfnCondition(
            self,
            construct_id,
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(parameter.value_as_string, "0")),
        )

    def _days(self, parameter: cdk.CfnParameter) -> float:
        """The parameter's value, but 1 where it is 0: no alarm may have 0 periods, and rules also check an alarm that
        its condition leaves out."""
        periods = {str(days): {"Periods": max(days, 1)} for days in range(MOST_DAYS_WITHOUT_TURN + 1)}
        table = cdk.CfnMapping(self, "Days", mapping=periods)
        return cdk.Token.as_number(cdk.Fn.find_in_map(table.logical_id, parameter.value_as_string, "Periods"))
