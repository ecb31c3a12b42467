"""The Import stack: imports the models that a flywheel of another account shares, and chooses the one that serves."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.project_stack import ProjectStack
from stacks.constructs.role import ServiceRole
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.buckets import IntakeBucket
from stacks.flywheel.deployment_parameters import DeploymentParameters
from stacks.flywheel.people_policies import ImportPeoplePolicies
from stacks.flywheel.queues import PromotionQueues, let_rules_send
from stacks.flywheel.topic import NotificationTopic
from stacks.imports.alarms import ImportAlarms
from stacks.imports.machine import ImportStates
from stacks.imports.parameters import ImportParameters
from stacks.imports.role import import_role
from stacks.imports.steps import ImportSteps
from stacks.imports.triggers import ImportTriggers
from stacks.names import INTAKE_BUCKET, KEY_ARN, TOPIC_ARN
from stacks.promotions.machine import PromoteMachine
from stacks.promotions.runtime_parameters import RuntimeParameters
from stacks.promotions.steps import PromotionSteps
from stacks.promotions.triggers import PromotionTriggers
from stacks.settings import FlywheelSettings


class ImportStack(ProjectStack):
    """Where the Flywheel stack is where models are trained: the Serving and the Analysis stack are the same, and come
    after it."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            description="Imported models of an Amazon Comprehend flywheel in another account",
        )
        self._parameters = ImportParameters(self, "Parameters")
        encryption = EncryptionKey(self, "Encryption", encryption=settings.encryption)
        self._queues = PromotionQueues(self, "Queues", key=encryption.key)
        notifications = NotificationTopic(
            self, "Notifications", key=encryption.key, email=self._parameters.notification_email
        )
        self._access = FlywheelAccess(
            settings=settings,
            intake=IntakeBucket(self, "Buckets", key=encryption.key).intake,
            topic=notifications.topic,
            encryption=encryption,
        )
        self._role = import_role(self, "DataAccess", access=self._access)
        self._functions = self._access.functions(
            self,
            parameters=self._parameters,
            environment={
                "PROMOTION_MACHINE_ARN": self._access.names.promote_machine_arn,
                "PROMOTION_QUEUE_URL": self._queues.promotions.queue_url,
                "DATA_ACCESS_ROLE_ARN": self._role.arn,
            },
        )
        self._triggers = ImportTriggers(
            self,
            "Triggers",
            functions=self._functions,
            access=self._access,
            queues=self._queues,
            parameters=self._parameters,
        )
        self._add_promotions()
        self._let_rules_send()
        self._publish_deployment(role=self._role)

    def _add_promotions(self) -> None:
        imports = ImportSteps(
            self,
            "ImportSteps",
            functions=self._functions,
            access=self._access,
            role=self._role,
            parameters=self._parameters,
        )
        steps = PromotionSteps(
            self,
            "PromotionSteps",
            functions=self._functions,
            access=self._access,
            role=None,
            undelivered=self._queues.undelivered,
        )
        self._promote = PromoteMachine(
            self,
            "Promote",
            steps=steps,
            access=self._access,
            flywheel=None,
            parameters=self._parameters,
            imports=ImportStates(steps=imports, access=self._access, parameters=self._parameters),
        )
        self._promotion_triggers = PromotionTriggers(
            self,
            "PromotionTriggers",
            queues=self._queues,
            functions=self._functions,
            access=self._access,
            machine_arn=self._promote.arn,
            report_promotion=steps.report_promotion,
            schedule=self._parameters.import_schedule,
        )
        RuntimeParameters(self, "RuntimeParameters", functions=self._functions, access=self._access)
        ImportAlarms(
            self,
            "Alarms",
            topic=self._access.topic,
            queues=self._queues,
            promote_machine_arn=self._promote.arn,
            start_promotion=self._promotion_triggers.start_promotion,
            receive_announcement=self._triggers.receive_announcement,
            flywheel_name=self._access.settings.name,
        )

    def _let_rules_send(self) -> None:
        queues = self._queues
        rules: dict[sqs.Queue, Sequence[events.CfnRule]] = {
            queues.promotions: self._promotion_triggers.pokes,
            queues.undelivered: [*self._promotion_triggers.rules, self._triggers.announced],
            queues.promotion_dead_letters: [],
        }
        for queue, senders in rules.items():
            let_rules_send(queue, rules=senders)

    def _publish_deployment(self, *, role: ServiceRole) -> None:
        access, queues = self._access, self._queues
        bucket, topic, key_arn = access.intake.bucket_name, access.topic.topic_arn, access.encryption.arn
        DeploymentParameters(
            self,
            "Deployment",
            settings=access.settings,
            flywheel=None,
            resources={
                "intake_bucket": bucket,
                "promotion_machine_arn": self._promote.arn,
                "promotion_queue_url": queues.promotions.queue_url,
                "topic_arn": topic,
            },
            parameters=self._parameters.values,
            for_later_stacks={
                INTAKE_BUCKET: bucket,
                TOPIC_ARN: topic,
                **({KEY_ARN: key_arn} if key_arn else {}),
            },
        )
        people = ImportPeoplePolicies(self, "People", access=access, queues=queues)
        self._publish(
            IntakeBucketName=bucket,
            PromotionMachineArn=self._promote.arn,
            PromotionQueueUrl=queues.promotions.queue_url,
            TopicArn=topic,
            OperatorsPolicyArn=people.operators,
            ApproversPolicyArn=people.approvers,
            DataAccessRoleArn=role.arn,
        )
