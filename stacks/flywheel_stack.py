"""The Flywheel stack: composes the constructs, gives each what it needs, and publishes what others may rely on."""

from __future__ import annotations

from constructs import Construct

from stacks.constructs.function import Functions, function_code, powertools_layer_arn
from stacks.constructs.project_stack import ProjectStack
from stacks.constructs.state_machine import name_in_deployment
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.buckets import Buckets
from stacks.flywheel.data_access_role import DataAccessRole
from stacks.flywheel.deployment_parameters import DeploymentParameters
from stacks.flywheel.encryption_key import EncryptionKey
from stacks.flywheel.flywheel import Flywheel, any_generation_arn, flywheel_arn
from stacks.flywheel.people_policies import PeoplePolicies
from stacks.flywheel.queues import Queues
from stacks.flywheel.runtime_parameters import RuntimeParameters
from stacks.flywheel.topic import NotificationTopic
from stacks.monitoring.alarms import Alarms
from stacks.monitoring.dashboard import Dashboard
from stacks.promotions.machine import PromoteMachine
from stacks.promotions.steps import PromotionSteps
from stacks.promotions.triggers import PromotionTriggers
from stacks.serving.machine import serve_machine_arn
from stacks.serving.wanted import SERVING_WISH
from stacks.turn.machine import TurnMachine
from stacks.turn.parameters import TurnParameters
from stacks.turn.steps import TurnSteps
from stacks.turn.triggers import Triggers

from .deployed_flywheel import INTAKE_BUCKET, KEY_ARN, TOPIC_ARN
from .settings import FlywheelSettings


class FlywheelStack(ProjectStack):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope, construct_id, settings=settings, description="A self-running Amazon Comprehend flywheel"
        )

        machines = f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine"
        turn_machine_name, promote_machine_name = f"{settings.stack_name}-turn", f"{settings.stack_name}-promote"
        turn_machine_arn = f"{machines}:{name_in_deployment(turn_machine_name)}"
        promote_machine_arn = f"{machines}:{name_in_deployment(promote_machine_name)}"
        parameters = TurnParameters(self, "Parameters")
        encryption = EncryptionKey(self, "Encryption", encryption=settings.encryption)
        buckets = Buckets(self, "Buckets", key=encryption.key)
        queues = Queues(self, "Queues", key=encryption.key)
        notifications = NotificationTopic(
            self, "Notifications", key=encryption.key, email=parameters.notification_email
        )
        data_access_role = DataAccessRole(
            self,
            "DataAccess",
            intake=buckets.intake,
            lake=buckets.lake,
            encryption=encryption,
            in_vpc=settings.training_vpc is not None,
        )
        flywheel = Flywheel(
            self,
            "Flywheel",
            settings=settings,
            lake=buckets.lake,
            role=data_access_role,
            encryption=encryption,
        )
        access = FlywheelAccess(
            intake=buckets.intake,
            flywheel_arn=flywheel.arn,
            any_generation_arn=any_generation_arn(settings=settings),
            parameter_prefix=settings.parameter_prefix,
        )
        functions = Functions(
            flywheel_name=settings.name,
            code=function_code(self),
            powertools_layer_arn=powertools_layer_arn(version=settings.powertools_layer_version),
            log_retention_days=parameters.log_retention_days,
            encryption=encryption,
            vpc=settings.functions_vpc,
            reserved_concurrency=settings.reserved_concurrency,
            environment={
                "FLYWHEEL_NAME": settings.name,
                "FLYWHEEL_ARN": flywheel_arn(settings=settings),
                "INTAKE_BUCKET": buckets.intake.bucket_name,
                "PARAMETER_PREFIX": settings.parameter_prefix,
                "LABEL_DELIMITER": settings.label_delimiter,
                "TURN_MACHINE_ARN": turn_machine_arn,
                "TURN_QUEUE_URL": queues.turns.queue_url,
                "PROMOTION_MACHINE_ARN": promote_machine_arn,
                "PROMOTION_QUEUE_URL": queues.promotions.queue_url,
                "TOPIC_ARN": notifications.topic.topic_arn,
                "SELECTION_METRIC": parameters.selection_metric.value_as_string,
                "MINIMUM_SCORE": parameters.minimum_score.value_as_string,
                "MINIMUM_IMPROVEMENT": parameters.minimum_improvement.value_as_string,
                "MAXIMUM_REGRESSION": parameters.maximum_regression.value_as_string,
                "PROMOTION_MODE": parameters.promotion_mode.value_as_string,
                "APPROVAL_HOURS": parameters.approval_hours.value_as_string,
                "MODELS_TO_KEEP": parameters.models_to_keep.value_as_string,
                "EVIDENCE": parameters.evidence.value_as_string,
                "HOLDOUT_DOCUMENTS": parameters.holdout_documents.value_as_string,
                "CONFIDENCE_LEVEL": parameters.confidence_level.value_as_string,
                "MINIMUM_DOCUMENTS_PER_LABEL": parameters.minimum_documents_per_label.value_as_string,
                "MAXIMUM_BAD_LINES_PERCENT": parameters.maximum_bad_lines_percent.value_as_string,
                "CONFLICTING_LABELS": parameters.conflicting_labels.value_as_string,
                "QUIET_PERIOD_MINUTES": parameters.quiet_period_minutes.value_as_string,
                "MINIMUM_HOURS_BETWEEN_ITERATIONS": parameters.minimum_hours_between_iterations.value_as_string,
            },
        )
        steps = TurnSteps(
            self,
            "Steps",
            functions=functions,
            access=access,
            flywheel=flywheel.resource,
            data_access_role=data_access_role,
            promotion_queue=queues.promotions,
            topic=notifications.topic,
            undelivered=queues.undelivered,
        )
        machine = TurnMachine(
            self,
            "Turn",
            machine_name=turn_machine_name,
            steps=steps,
            intake=buckets.intake,
            flywheel=flywheel,
            parameters=parameters,
            encryption=encryption,
        )
        triggers = Triggers(
            self,
            "Triggers",
            queues=queues,
            functions=functions,
            access=access,
            flywheel=flywheel.resource,
            intake=buckets.intake,
            machine_arn=machine.arn,
            report_turn=steps.report_turn,
            parameters=parameters,
        )
        promotion_steps = PromotionSteps(
            self,
            "PromotionSteps",
            functions=functions,
            access=access,
            flywheel=flywheel.resource,
            data_access_role=data_access_role,
            topic=notifications.topic,
            undelivered=queues.undelivered,
        )
        promote_machine = PromoteMachine(
            self,
            "Promote",
            machine_name=promote_machine_name,
            steps=promotion_steps,
            flywheel=flywheel,
            parameters=parameters,
            encryption=encryption,
            serving_parameter=f"{settings.parameter_prefix}/{SERVING_WISH}",
            serve_machine_arn=serve_machine_arn(settings=settings),
        )
        promotion_triggers = PromotionTriggers(
            self,
            "PromotionTriggers",
            queues=queues,
            functions=functions,
            access=access,
            flywheel=flywheel.resource,
            machine_arn=promote_machine.arn,
            topic=notifications.topic,
            report_promotion=promotion_steps.report_promotion,
            parameters=parameters,
        )
        queues.let_rules_send(
            rules={
                queues.turns: [rule.attr_arn for rule in triggers.pokes],
                queues.promotions: [rule.attr_arn for rule in promotion_triggers.pokes],
                queues.undelivered: [rule.attr_arn for rule in [*triggers.rules, *promotion_triggers.rules]],
                queues.turn_dead_letters: [],
                queues.promotion_dead_letters: [],
            }
        )
        Alarms(
            self,
            "Alarms",
            topic=notifications.topic,
            queues=queues,
            turn_machine_arn=machine.arn,
            promote_machine_arn=promote_machine.arn,
            start_turn=triggers.start_turn,
            start_promotion=promotion_triggers.start_promotion,
            flywheel_name=settings.name,
            parameters=parameters,
        )
        dashboard = Dashboard(
            self,
            "Dashboard",
            settings=settings,
            machine_arn=machine.arn,
            promote_machine_arn=promote_machine.arn,
            turns=queues.turns,
            dead_letters=[queues.turn_dead_letters, queues.promotion_dead_letters, queues.undelivered],
            parameters=parameters,
        )
        people = PeoplePolicies(
            self,
            "People",
            settings=settings,
            intake=buckets.intake,
            access=access,
            encryption=encryption,
            turn_machine_arn=turn_machine_arn,
            promote_machine_arn=promote_machine_arn,
            turn_queue=queues.turns,
            promotion_queue=queues.promotions,
        )
        RuntimeParameters(self, "RuntimeParameters", functions=functions, access=access)
        resources = {
            "intake_bucket": buckets.intake.bucket_name,
            "lake_bucket": buckets.lake.bucket_name,
            "turn_machine_arn": machine.arn,
            "turn_queue_url": queues.turns.queue_url,
            "promotion_machine_arn": promote_machine.arn,
            "promotion_queue_url": queues.promotions.queue_url,
            "topic_arn": notifications.topic.topic_arn,
        }
        DeploymentParameters(
            self,
            "Deployment",
            settings=settings,
            flywheel=flywheel,
            resources=resources,
            parameters=parameters.values,
            for_later_stacks={
                INTAKE_BUCKET: buckets.intake.bucket_name,
                TOPIC_ARN: notifications.topic.topic_arn,
                **({KEY_ARN: encryption.arn} if encryption.arn else {}),
            },
        )
        self._publish(
            IntakeBucketName=buckets.intake.bucket_name,
            LakeBucketName=buckets.lake.bucket_name,
            FlywheelArn=flywheel.arn,
            TurnMachineArn=machine.arn,
            TurnQueueUrl=queues.turns.queue_url,
            PromotionMachineArn=promote_machine.arn,
            PromotionQueueUrl=queues.promotions.queue_url,
            TopicArn=notifications.topic.topic_arn,
            TrainingUploadersPolicyArn=people.training_uploaders,
            TestUploadersPolicyArn=people.test_uploaders,
            RejectedReviewersPolicyArn=people.rejected_reviewers,
            OperatorsPolicyArn=people.operators,
            ApproversPolicyArn=people.approvers,
            DataAccessRoleArn=data_access_role.arn,
            DashboardName=dashboard.name,
        )
