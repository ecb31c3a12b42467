"""The Flywheel stack: composes the constructs, gives each what it needs, and publishes what others may rely on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.arn import arn_of
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.function import Functions
from stacks.constructs.model_kind import model_kind
from stacks.constructs.project_stack import ProjectStack
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.buckets import Buckets
from stacks.flywheel.creation import Creation
from stacks.flywheel.deployment_parameters import DeploymentParameters
from stacks.flywheel.flywheel import Flywheel
from stacks.flywheel.parameters import FlywheelParameters
from stacks.flywheel.people_policies import PeoplePolicies
from stacks.flywheel.queues import Queues, let_rules_send
from stacks.flywheel.role import data_access_role
from stacks.flywheel.topic import NotificationTopic
from stacks.monitoring.alarms import Alarms
from stacks.monitoring.dashboard import Dashboard
from stacks.names import INTAKE_BUCKET, KEY_ARN, TOPIC_ARN
from stacks.promotions.machine import PromoteMachine
from stacks.promotions.runtime_parameters import RuntimeParameters
from stacks.promotions.steps import PromotionSteps
from stacks.promotions.triggers import PromotionTriggers
from stacks.review.review import Review
from stacks.settings import FlywheelSettings
from stacks.sharing.sharing import Sharing
from stacks.turn.machine import TurnMachine
from stacks.turn.steps import TurnSteps
from stacks.turn.triggers import TurnTriggers


class FlywheelStack(ProjectStack):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope, construct_id, settings=settings, description="A self-running Amazon Comprehend flywheel"
        )
        self._settings = settings
        self._parameters = FlywheelParameters(self, "Parameters")
        self._parameters.minimum_documents_per_label.default = str(model_kind(settings).minimum_per_label)
        encryption = self._encryption = EncryptionKey(self, "Encryption", encryption=settings.encryption)
        self._buckets = Buckets(self, "Buckets", key=encryption.key, parameters=self._parameters)
        self._queues = Queues(self, "Queues", key=encryption.key)
        notifications = NotificationTopic(
            self, "Notifications", key=encryption.key, email=self._parameters.notification_email
        )
        self._role = data_access_role(
            self, "DataAccess", settings=settings, buckets=self._buckets, encryption=encryption
        )
        self._access = FlywheelAccess(
            settings=settings, intake=self._buckets.intake, topic=notifications.topic, encryption=encryption
        )
        names = self._access.names
        functions = self._access.functions(
            self,
            parameters=self._parameters,
            environment={
                "TURN_MACHINE_ARN": names.turn_machine_arn,
                "TURN_QUEUE_URL": self._queues.turns.queue_url,
                "PROMOTION_MACHINE_ARN": names.promote_machine_arn,
                "PROMOTION_QUEUE_URL": self._queues.promotions.queue_url,
                "CREATE_MACHINE_ARN": names.create_machine_arn,
            },
        )
        self._creation = self._add_creation(functions) if settings.initial_model_arn else None
        self._flywheel = Flywheel(
            self,
            "Flywheel",
            settings=settings,
            lake=self._buckets.lake,
            role=self._role,
            encryption=encryption,
            creation=self._creation,
        )
        self._functions = dataclasses.replace(functions, flywheel=self._flywheel.resource)
        self._add_turn()
        self._add_review()
        self._add_promotions()
        self._let_accounts_import()
        self._let_rules_send()
        self._monitor()
        self._publish_deployment()

    def _add_creation(self, functions: Functions) -> Creation:
        return Creation(
            self,
            "Creation",
            functions=functions,
            access=self._access,
            role=self._role,
            undelivered=self._queues.undelivered,
            parameters=self._parameters,
        )

    def _add_turn(self) -> None:
        steps = TurnSteps(
            self,
            "Steps",
            functions=self._functions,
            access=self._access,
            role=self._role,
            promotion_queue=self._queues.promotions,
            undelivered=self._queues.undelivered,
        )
        self._turn = TurnMachine(
            self, "Turn", steps=steps, access=self._access, flywheel=self._flywheel, parameters=self._parameters
        )
        self._turn_triggers = TurnTriggers(
            self,
            "Triggers",
            queues=self._queues,
            functions=self._functions,
            access=self._access,
            machine_arn=self._turn.arn,
            report_turn=steps.report_turn,
            parameters=self._parameters,
        )

    def _add_review(self) -> None:
        self._review = Review(
            self,
            "Review",
            functions=self._functions,
            access=self._access,
            undelivered=self._queues.undelivered,
            parameters=self._parameters,
        )

    def _add_promotions(self) -> None:
        self._sharing = Sharing(
            self,
            "Sharing",
            functions=self._functions,
            access=self._access,
            undelivered=self._queues.undelivered,
            parameters=self._parameters,
        )
        steps = PromotionSteps(
            self,
            "PromotionSteps",
            functions=self._functions,
            access=self._access,
            role=self._role,
            undelivered=self._queues.undelivered,
        )
        self._promote = PromoteMachine(
            self,
            "Promote",
            steps=steps,
            share_model=self._sharing.share_model,
            access=self._access,
            flywheel=self._flywheel,
            parameters=self._parameters,
        )
        self._promotion_triggers = PromotionTriggers(
            self,
            "PromotionTriggers",
            queues=self._queues,
            functions=self._functions,
            access=self._access,
            machine_arn=self._promote.arn,
            report_promotion=steps.report_promotion,
            schedule=self._parameters.turn_schedule,
            begins_with_model=self._creation is not None,
        )
        # What it deletes belongs to no generation of the flywheel.
        functions = dataclasses.replace(self._functions, flywheel=None)
        RuntimeParameters(self, "RuntimeParameters", functions=functions, access=self._access)

    def _let_accounts_import(self) -> None:
        self._encryption.let_import(
            self._parameters.trusted_accounts,
            if_any=self._sharing.wanted,
            models=arn_of("comprehend", f"{self._access.kind.model}/*"),
        )

    def _let_rules_send(self) -> None:
        queues, turn, promotions = self._queues, self._turn_triggers, self._promotion_triggers
        rules: dict[sqs.Queue, Sequence[events.CfnRule]] = {
            queues.turns: turn.pokes,
            queues.promotions: promotions.pokes,
            queues.undelivered: [
                *turn.rules,
                *promotions.rules,
                *self._sharing.rules,
                *self._review.rules,
                *([self._creation.stopped] if self._creation else []),
            ],
            queues.turn_dead_letters: [],
            queues.promotion_dead_letters: [],
        }
        for queue, senders in rules.items():
            let_rules_send(queue, rules=senders)

    def _monitor(self) -> None:
        Alarms(
            self,
            "Alarms",
            topic=self._access.topic,
            queues=self._queues,
            turn_machine_arn=self._turn.arn,
            promote_machine_arn=self._promote.arn,
            start_turn=self._turn_triggers.start_turn,
            start_promotion=self._promotion_triggers.start_promotion,
            sharing_wanted=self._sharing.wanted,
            flywheel_name=self._settings.name,
            parameters=self._parameters,
        )
        dashboard = Dashboard(
            self,
            "Dashboard",
            settings=self._settings,
            turn_machine_arn=self._turn.arn,
            promote_machine_arn=self._promote.arn,
            queues=self._queues,
            parameters=self._parameters,
        )
        self._publish(DashboardName=dashboard.name)

    def _publish_deployment(self) -> None:
        buckets, queues, topic, key_arn = self._buckets, self._queues, self._access.topic, self._access.encryption.arn
        deployment = DeploymentParameters(
            self,
            "Deployment",
            settings=self._settings,
            flywheel=self._flywheel,
            resources={
                "intake_bucket": buckets.intake.bucket_name,
                "lake_bucket": buckets.lake.bucket_name,
                "turn_machine_arn": self._turn.arn,
                "turn_queue_url": queues.turns.queue_url,
                "promotion_machine_arn": self._promote.arn,
                "promotion_queue_url": queues.promotions.queue_url,
                "topic_arn": topic.topic_arn,
                "publish_answers_arn": self._review.publish_answers.arn,
            },
            parameters=self._parameters.values,
            for_later_stacks={
                INTAKE_BUCKET: buckets.intake.bucket_name,
                TOPIC_ARN: topic.topic_arn,
                **({KEY_ARN: key_arn} if key_arn else {}),
            },
        )
        if self._creation:
            # Its event makes start_promotion look for the model that the flywheel began with.
            for needed in (self._promotion_triggers, self._promote, self._queues):
                deployment.flywheel_arn.node.add_dependency(needed)
        people = PeoplePolicies(
            self, "People", access=self._access, queues=queues, publish_answers=self._review.publish_answers
        )
        self._publish(
            IntakeBucketName=buckets.intake.bucket_name,
            LakeBucketName=buckets.lake.bucket_name,
            FlywheelArn=self._flywheel.arn,
            TurnMachineArn=self._turn.arn,
            TurnQueueUrl=queues.turns.queue_url,
            PromotionMachineArn=self._promote.arn,
            PromotionQueueUrl=queues.promotions.queue_url,
            TopicArn=topic.topic_arn,
            TrainingUploadersPolicyArn=people.training_uploaders,
            TestUploadersPolicyArn=people.test_uploaders,
            RejectedReviewersPolicyArn=people.rejected_reviewers,
            OperatorsPolicyArn=people.operators,
            ApproversPolicyArn=people.approvers,
            ReviewersPolicyArn=people.reviewers,
            DataAccessRoleArn=self._role.arn,
        )
