"""The alarms that call a person."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.function import FlywheelFunction
from stacks.constructs.stack_parameters import as_number
from stacks.flywheel.queues import Queues
from stacks.monitoring.watch import OWN_NAMESPACE, Watch, alarm, dead_letters, errors, executions
from stacks.turn.parameters import MOST_DAYS_WITHOUT_TURN, TurnParameters

TRAIN_DATASETS_OF_A_FLYWHEEL = 50
"""AWS's default quota. It can be raised on request; then the alarm comes early."""
TRAIN_DATASETS_THAT_ALARM = TRAIN_DATASETS_OF_A_FLYWHEEL * 8 // 10
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
        flywheel_name: str,
        parameters: TurnParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        drift_wanted = self._unless_zero("DriftWanted", parameters.drift_floor)
        no_turn_wanted = self._unless_zero("NoTurnWanted", parameters.maximum_days_without_turn)
        turns, promotions = ("StateMachineArn", turn_machine_arn), ("StateMachineArn", promote_machine_arn)
        flywheel = ("Flywheel", flywheel_name)
        watches = {
            "TurnDeadLetters": dead_letters(
                queues.turn_dead_letters, "start_turn could not handle pokes: its log says why."
            ),
            "PromotionDeadLetters": dead_letters(
                queues.promotion_dead_letters, "start_promotion could not handle pokes: its log says why."
            ),
            "UndeliveredEvents": dead_letters(
                queues.undelivered, "Events reached neither a queue nor the function that reports."
            ),
            "TurnFailed": executions("ExecutionsFailed", turns, "A turn failed: `flywheel show` says why."),
            "TurnTimedOut": executions("ExecutionsTimedOut", turns, "A turn did not end in its time."),
            "TurnAborted": executions("ExecutionsAborted", turns, "A turn was stopped from outside."),
            "PromotionFailed": executions(
                "ExecutionsFailed", promotions, "A promotion failed: `flywheel show` of its turn says why."
            ),
            "PromotionTimedOut": executions("ExecutionsTimedOut", promotions, "A promotion did not end in its time."),
            "PromotionAborted": executions("ExecutionsAborted", promotions, "A promotion was stopped from outside."),
            "StartTurnErrors": errors(start_turn, "start_turn fails: no turn may be starting."),
            "StartPromotionErrors": errors(start_promotion, "start_promotion fails: no promotion may be starting."),
            "ApprovalWaiting": Watch(
                description="A better model waits for approval: `flywheel approve` or `flywheel decline` answers.",
                namespace=OWN_NAMESPACE,
                metric="PromotionsWaiting",
                dimension=flywheel,
                missing="ignore",
            ),
            "WaitingForAPerson": Watch(
                description="Several turns in a row failed, and none starts by itself: `flywheel status` says why.",
                namespace=OWN_NAMESPACE,
                metric="WaitingForAPerson",
                dimension=flywheel,
                missing="ignore",
            ),
            "UploadsNotPrepared": Watch(
                description="Turns tried uploads and could not prepare them; they lie where they were dropped:"
                " `flywheel status` names them.",
                namespace=OWN_NAMESPACE,
                metric="UploadsNotPrepared",
                dimension=flywheel,
                missing="ignore",
            ),
            "TrainDatasetQuota": Watch(
                description="Four fifths of the flywheel's TRAIN datasets are used, and none can be deleted: have the"
                " quota raised, upload less often, or plan a new generation.",
                namespace=OWN_NAMESPACE,
                metric="TrainDatasetsUsed",
                dimension=flywheel,
                comparison="GreaterThanOrEqualToThreshold",
                threshold=TRAIN_DATASETS_THAT_ALARM,
                missing="ignore",
            ),
            "Drift": Watch(
                description="The active model's SelectionMetric on new test data is below DriftFloor.",
                namespace=OWN_NAMESPACE,
                metric="ActiveModelScoreOnNewTestData",
                dimension=flywheel,
                statistic="Minimum",
                comparison="LessThanThreshold",
                threshold=as_number(parameters.drift_floor),
                missing="ignore",
                condition=drift_wanted,
            ),
            "NoTurn": Watch(
                description="No turn began for MaximumDaysWithoutTurn.",
                namespace="AWS/States",
                metric="ExecutionsStarted",
                dimension=turns,
                statistic="Sum",
                comparison="LessThanThreshold",
                threshold=1,
                period=A_DAY,
                evaluation_periods=self._days(parameters.maximum_days_without_turn),
                missing="breaching",
                condition=no_turn_wanted,
            ),
        }
        for construct_id, watch in watches.items():
            alarm(self, construct_id, watch, topic_arn=topic.topic_arn)

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
