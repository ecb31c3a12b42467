"""The CloudWatch dashboard of one flywheel: how good its models are, what its turns do, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from flywheel.measurement import NAMESPACE
from stacks.constructs.model_kind import ModelKind, model_kind
from stacks.constructs.stack_parameters import as_number
from stacks.flywheel.parameters import FlywheelParameters
from stacks.flywheel.queues import Queues
from stacks.monitoring.alarms import TRAIN_DATASETS_OF_A_FLYWHEEL, TRAIN_DATASETS_THAT_ALARM
from stacks.names import Names
from stacks.settings import FlywheelSettings

MOST_LABELS_SHOWN = 20
"""As many as report_turn measures one by one."""
FIVE_MINUTES, AN_HOUR, A_DAY = 300, 3600, 86_400
WIDTH, HEIGHT, IN_A_ROW = 8, 6, 3

Widget = dict[str, Any]
Metric = list[Any]
"""Namespace, name, dimensions as name and value in turn, and how to draw it: CloudWatch's own form."""


class Dashboard(Construct):
    """Named with the Region, because dashboards of all Regions share one list of names."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FlywheelSettings,
        turn_machine_arn: str,
        promote_machine_arn: str,
        queues: Queues,
        parameters: FlywheelParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._flywheel = ["Flywheel", settings.name]
        widgets = [
            *self._scores(parameters),
            *self._documents(settings.task_labels, model_kind(settings)),
            *self._turns(turn_machine_arn),
            *self._waiting(queues),
            *self._promotions(promote_machine_arn),
            *self._serving(Names(settings).endpoint_arn),
        ]
        body = {
            "start": "-P30D",
            "widgets": [
                {
                    "x": number % IN_A_ROW * WIDTH,
                    "y": number // IN_A_ROW * HEIGHT,
                    "width": WIDTH,
                    "height": HEIGHT,
                    **widget,
                }
                for number, widget in enumerate(widgets)
            ],
        }
        dashboard = cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=f"{settings.stack_name}-{cdk.Aws.REGION}",
            dashboard_body=cdk.Stack.of(self).to_json_string(body),
        )
        self.name = dashboard.ref

    def _own(self, name: str, *, label: str | None = None) -> Metric:
        return [NAMESPACE, name, *self._flywheel, *([{"label": label}] if label else [])]

    def _scores(self, parameters: FlywheelParameters) -> list[Widget]:
        metric = parameters.selection_metric.value_as_string
        return [
            _graph(
                f"SelectionMetric ({metric})",
                [
                    self._own(f"ActiveModel{metric}", label="active"),
                    self._own(f"CandidateModel{metric}", label="candidate"),
                    self._own("ActiveModelScoreOnNewTestData", label="active, on new test data"),
                ],
                period=AN_HOUR,
                statistic="Average",
                lines={
                    "MinimumScore": as_number(parameters.minimum_score),
                    "DriftFloor": as_number(parameters.drift_floor),
                },
                most=1,
            ),
            *(
                _graph(
                    f"All scores of the {which} model",
                    [
                        self._own(f"{which.title()}Model{name}", label=name)
                        for name in ("F1Score", "Precision", "Recall", "Accuracy")
                    ],
                    period=AN_HOUR,
                    statistic="Average",
                    most=1,
                )
                for which in ("active", "candidate")
            ),
        ]

    def _documents(self, labels: Sequence[str], kind: ModelKind) -> list[Widget]:
        return [
            _graph("Documents put into datasets", [self._own("DocumentsInDatasets")], period=A_DAY, statistic="Sum"),
            self._documents_by_label(labels, kind),
            _graph(
                "TRAIN datasets used",
                [self._own("TrainDatasetsUsed")],
                period=AN_HOUR,
                statistic="Maximum",
                lines={"alarm": TRAIN_DATASETS_THAT_ALARM, "quota": TRAIN_DATASETS_OF_A_FLYWHEEL},
            ),
        ]

    def _turns(self, machine_arn: str) -> list[Widget]:
        return [
            _graph("Turns by outcome", _executions(machine_arn), period=A_DAY, statistic="Sum"),
            _graph("Duration of turns, in seconds", [self._own("TurnDuration")], period=AN_HOUR, statistic="Maximum"),
            _graph("Rejected uploads", [self._own("UploadsRejected")], period=A_DAY, statistic="Sum"),
        ]

    def _waiting(self, queues: Queues) -> list[Widget]:
        return [
            _graph(
                "Oldest message in the turn queue, in seconds",
                [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queues.turns.queue_name]],
                period=FIVE_MINUTES,
                statistic="Maximum",
            ),
            _graph(
                "Dead letters",
                [
                    ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.queue_name]
                    for queue in (queues.turn_dead_letters, queues.promotion_dead_letters, queues.undelivered)
                ],
                period=FIVE_MINUTES,
                statistic="Maximum",
            ),
            _graph(
                "Waiting for a person",
                [self._own("WaitingForAPerson", label="turns"), self._own("PromotionsWaiting", label="a promotion")],
                period=FIVE_MINUTES,
                statistic="Maximum",
                most=1,
            ),
        ]

    def _promotions(self, machine_arn: str) -> list[Widget]:
        return [
            _graph(
                "Promotions",
                [
                    self._own("ModelsPromoted", label="models promoted"),
                    self._own("PromotionsFailed", label="promotions failed"),
                ],
                period=A_DAY,
                statistic="Sum",
            ),
            _graph(
                "Executions of the promote machine by outcome",
                _executions(machine_arn),
                period=A_DAY,
                statistic="Sum",
            ),
        ]

    def _serving(self, endpoint: str) -> list[Widget]:
        """Empty graphs where nothing is served."""
        return [
            _graph(
                "Confidence of live predictions",
                [self._own("PredictionConfidence", label="mean")],
                period=AN_HOUR,
                statistic="Average",
                most=1,
            ),
            _graph(
                "Live predictions that want attention",
                [
                    self._own("LowConfidencePredictions", label="low confidence"),
                    self._own("ThrottledPredictions", label="throttled"),
                ],
                period=AN_HOUR,
                statistic="Sum",
            ),
            _graph(
                "Utilisation of the endpoint, in percent",
                [["AWS/Comprehend", "InferenceUtilization", "EndpointArn", endpoint]],
                # Emitted with each request, to be added up over a minute (Comprehend's guide, reference 9.3).
                period=60,
                statistic="Sum",
            ),
            _graph(
                "Serving",
                [
                    self._own("ServingBehind", label="behind what is wanted"),
                    self._own("SmokeTestFailed", label="smoke test failed"),
                ],
                period=FIVE_MINUTES,
                statistic="Maximum",
                most=1,
            ),
        ]

    def _documents_by_label(self, labels: Sequence[str], kind: ModelKind) -> Widget:
        title = f"Training {kind.counted} by {kind.label_word}"
        if len(labels) > MOST_LABELS_SHOWN:
            return {
                "type": "text",
                "properties": {
                    "markdown": f"### {title}\n\nMeasured for up to {MOST_LABELS_SHOWN} {kind.label_word}s; this "
                    f"flywheel has {len(labels)}. `flywheel status` and the record of each turn count them all."
                },
            }
        return _graph(
            title,
            [
                [NAMESPACE, "TrainingDocuments", *self._flywheel, "Label", as_dimension(label), {"label": label}]
                for label in labels
            ],
            period=A_DAY,
            statistic="Sum",
        )


def _executions(machine_arn: str) -> list[Metric]:
    return [
        ["AWS/States", f"Executions{outcome}", "StateMachineArn", machine_arn, {"label": outcome}]
        for outcome in ("Succeeded", "Failed", "TimedOut", "Aborted")
    ]


def as_dimension(label: str) -> str:
    """As `flywheel.turn.metrics` writes a label: CloudWatch takes up to 1,024 characters of ASCII."""
    return label.encode("ascii", "backslashreplace").decode()[:1024]


def _graph(
    title: str,
    metrics: Sequence[Metric],
    *,
    period: int,
    statistic: str,
    lines: dict[str, float] | None = None,
    most: float | None = None,
) -> Widget:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "view": "timeSeries",
            "region": cdk.Aws.REGION,
            "metrics": list(metrics),
            "period": period,
            "stat": statistic,
            "yAxis": {"left": {"min": 0} | ({} if most is None else {"max": most})},
            **(
                {"annotations": {"horizontal": [{"label": label, "value": value} for label, value in lines.items()]}}
                if lines
                else {}
            ),
        },
    }
