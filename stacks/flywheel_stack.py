"""The Flywheel stack: composes the constructs, gives each what it needs, and publishes what others may rely on."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.project_stack import ProjectStack
from stacks.deployed_flywheel import INTAKE_BUCKET, KEY_ARN, TOPIC_ARN
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.buckets import Buckets
from stacks.flywheel.data_access_role import DataAccessRole
from stacks.flywheel.deployment_parameters import DeploymentParameters
from stacks.flywheel.encryption_key import EncryptionKey
from stacks.flywheel.flywheel import Flywheel
from stacks.flywheel.people_policies import PeoplePolicies
from stacks.flywheel.queues import Queues, let_rules_send
from stacks.flywheel.runtime_parameters import RuntimeParameters
from stacks.flywheel.topic import NotificationTopic
from stacks.monitoring.alarms import Alarms
from stacks.monitoring.dashboard import Dashboard
from stacks.promotions.machine import PromoteMachine, promote_machine_arn
from stacks.promotions.steps import PromotionSteps
from stacks.promotions.triggers import PromotionTriggers
from stacks.settings import FlywheelSettings
from stacks.turn.machine import TurnMachine, turn_machine_arn
from stacks.turn.parameters import TurnParameters
from stacks.turn.steps import TurnSteps
from stacks.turn.triggers import Triggers


class FlywheelStack(ProjectStack):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope, construct_id, settings=settings, description="A self-running Amazon Comprehend flywheel"
        )
        self._settings = settings
        self._parameters = TurnParameters(self, "Parameters")
        encryption = EncryptionKey(self, "Encryption", encryption=settings.encryption)
        self._buckets = Buckets(self, "Buckets", key=encryption.key)
        self._queues = Queues(self, "Queues", key=encryption.key)
        notifications = NotificationTopic(
            self, "Notifications", key=encryption.key, email=self._parameters.notification_email
        )
        self._role = DataAccessRole(
            self,
            "DataAccess",
            intake=self._buckets.intake,
            lake=self._buckets.lake,
            encryption=encryption,
            in_vpc=settings.training_vpc is not None,
        )
        self._flywheel = Flywheel(
            self, "Flywheel", settings=settings, lake=self._buckets.lake, role=self._role, encryption=encryption
        )
        self._access = FlywheelAccess(
            settings=settings, intake=self._buckets.intake, topic=notifications.topic, encryption=encryption
        )
        self._functions = self._access.functions(
            self,
            parameters=self._parameters,
            environment={
                "TURN_MACHINE_ARN": turn_machine_arn(settings=settings),
                "TURN_QUEUE_URL": self._queues.turns.queue_url,
                "PROMOTION_MACHINE_ARN": promote_machine_arn(settings=settings),
                "PROMOTION_QUEUE_URL": self._queues.promotions.queue_url,
                "SELECTION_METRIC": self._parameters.selection_metric.value_as_string,
                "MINIMUM_SCORE": self._parameters.minimum_score.value_as_string,
                "MINIMUM_IMPROVEMENT": self._parameters.minimum_improvement.value_as_string,
                "MAXIMUM_REGRESSION": self._parameters.maximum_regression.value_as_string,
                "PROMOTION_MODE": self._parameters.promotion_mode.value_as_string,
                "APPROVAL_HOURS": self._parameters.approval_hours.value_as_string,
                "MODELS_TO_KEEP": self._parameters.models_to_keep.value_as_string,
                "EVIDENCE": self._parameters.evidence.value_as_string,
                "HOLDOUT_DOCUMENTS": self._parameters.holdout_documents.value_as_string,
                "CONFIDENCE_LEVEL": self._parameters.confidence_level.value_as_string,
                "MINIMUM_DOCUMENTS_PER_LABEL": self._parameters.minimum_documents_per_label.value_as_string,
                "MAXIMUM_BAD_LINES_PERCENT": self._parameters.maximum_bad_lines_percent.value_as_string,
                "CONFLICTING_LABELS": self._parameters.conflicting_labels.value_as_string,
                "QUIET_PERIOD_MINUTES": self._parameters.quiet_period_minutes.value_as_string,
                "MINIMUM_HOURS_BETWEEN_ITERATIONS": self._parameters.minimum_hours_between_iterations.value_as_string,
            },
        )
        turn, turn_triggers = self._turn()
        promote, promotion_triggers = self._promotions()
        self._let_rules_send(turn_triggers, promotion_triggers)
        self._monitor(turn, turn_triggers, promote, promotion_triggers)
        self._publish_deployment(turn, promote)

    def _turn(self) -> tuple[TurnMachine, Triggers]:
        steps = TurnSteps(
            self,
            "Steps",
            functions=self._functions,
            access=self._access,
            flywheel=self._flywheel.resource,
            data_access_role=self._role,
            promotion_queue=self._queues.promotions,
            undelivered=self._queues.undelivered,
        )
        machine = TurnMachine(
            self, "Turn", steps=steps, access=self._access, flywheel=self._flywheel, parameters=self._parameters
        )
        triggers = Triggers(
            self,
            "Triggers",
            queues=self._queues,
            functions=self._functions,
            access=self._access,
            flywheel=self._flywheel.resource,
            machine_arn=machine.arn,
            report_turn=steps.report_turn,
            parameters=self._parameters,
        )
        return machine, triggers

    def _promotions(self) -> tuple[PromoteMachine, PromotionTriggers]:
        steps = PromotionSteps(
            self,
            "PromotionSteps",
            functions=self._functions,
            access=self._access,
            flywheel=self._flywheel.resource,
            data_access_role=self._role,
            undelivered=self._queues.undelivered,
        )
        machine = PromoteMachine(
            self, "Promote", steps=steps, access=self._access, flywheel=self._flywheel, parameters=self._parameters
        )
        triggers = PromotionTriggers(
            self,
            "PromotionTriggers",
            queues=self._queues,
            functions=self._functions,
            access=self._access,
            flywheel=self._flywheel.resource,
            machine_arn=machine.arn,
            report_promotion=steps.report_promotion,
            parameters=self._parameters,
        )
        RuntimeParameters(self, "RuntimeParameters", functions=self._functions, access=self._access)
        return machine, triggers

    def _let_rules_send(self, turn: Triggers, promotions: PromotionTriggers) -> None:
        queues = self._queues
        rules: dict[sqs.Queue, Sequence[events.CfnRule]] = {
            queues.turns: turn.pokes,
            queues.promotions: promotions.pokes,
            queues.undelivered: [*turn.rules, *promotions.rules],
            queues.turn_dead_letters: [],
            queues.promotion_dead_letters: [],
        }
        for queue, senders in rules.items():
            let_rules_send(queue, rules=senders)

    def _monitor(
        self, turn: TurnMachine, turn_triggers: Triggers, promote: PromoteMachine, promotion_triggers: PromotionTriggers
    ) -> None:
        Alarms(
            self,
            "Alarms",
            topic=self._access.topic,
            queues=self._queues,
            turn_machine_arn=turn.arn,
            promote_machine_arn=promote.arn,
            start_turn=turn_triggers.start_turn,
            start_promotion=promotion_triggers.start_promotion,
            flywheel_name=self._settings.name,
            parameters=self._parameters,
        )
        dashboard = Dashboard(
            self,
            "Dashboard",
            settings=self._settings,
            turn_machine_arn=turn.arn,
            promote_machine_arn=promote.arn,
            queues=self._queues,
            parameters=self._parameters,
        )
        self._publish(DashboardName=dashboard.name)

    def _publish_deployment(self, turn: TurnMachine, promote: PromoteMachine) -> None:
        buckets, queues, topic, key_arn = self._buckets, self._queues, self._access.topic, self._access.encryption.arn
        DeploymentParameters(
            self,
            "Deployment",
            settings=self._settings,
            flywheel=self._flywheel,
            resources={
                "intake_bucket": buckets.intake.bucket_name,
                "lake_bucket": buckets.lake.bucket_name,
                "turn_machine_arn": turn.arn,
                "turn_queue_url": queues.turns.queue_url,
                "promotion_machine_arn": promote.arn,
                "promotion_queue_url": queues.promotions.queue_url,
                "topic_arn": topic.topic_arn,
            },
            parameters=self._parameters.values,
            for_later_stacks={
                INTAKE_BUCKET: buckets.intake.bucket_name,
                TOPIC_ARN: topic.topic_arn,
                **({KEY_ARN: key_arn} if key_arn else {}),
            },
        )
        people = PeoplePolicies(self, "People", access=self._access, queues=queues)
        self._publish(
            IntakeBucketName=buckets.intake.bucket_name,
            LakeBucketName=buckets.lake.bucket_name,
            FlywheelArn=self._flywheel.arn,
            TurnMachineArn=turn.arn,
            TurnQueueUrl=queues.turns.queue_url,
            PromotionMachineArn=promote.arn,
            PromotionQueueUrl=queues.promotions.queue_url,
            TopicArn=topic.topic_arn,
            TrainingUploadersPolicyArn=people.training_uploaders,
            TestUploadersPolicyArn=people.test_uploaders,
            RejectedReviewersPolicyArn=people.rejected_reviewers,
            OperatorsPolicyArn=people.operators,
            ApproversPolicyArn=people.approvers,
            DataAccessRoleArn=self._role.arn,
        )
