"""The least stack that the operator's command line can work with: what a deployment publishes, without its functions.

The turn machine only waits, so that a test decides when a turn ends and what its record says. The promote machine asks
for approval with a real token, which lies in the queue `Asked`, and goes on as the real one does.
"""

from __future__ import annotations

import json
from typing import Any

from local.cloud import CloudAccount

LABELS = ("SPORTS", "WORLD")
_DO_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
_PROMOTE_MACHINE = {
    "QueryLanguage": "JSONata",
    "StartAt": "AskForApproval",
    "States": {
        "AskForApproval": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": {
                "QueueUrl": "${Asked}",
                "MessageBody": {
                    "promotion": "{% $states.context.Execution.Name %}",
                    "token": "{% $states.context.Task.Token %}",
                },
            },
            "Catch": [{"ErrorEquals": ["Declined"], "Output": "{% $states.errorOutput %}", "Next": "ReportDeclined"}],
            "Next": "UpdateActiveModel",
        },
        "ReportDeclined": {"Type": "Succeed"},
        "UpdateActiveModel": {"Type": "Wait", "Seconds": 86400, "End": True},
    },
}
_MACHINE = {"StartAt": "RunIteration", "States": {"RunIteration": {"Type": "Wait", "Seconds": 86400, "End": True}}}


def deploy(account: CloudAccount, *, name: str, physical_name: str) -> None:
    """Create the stack `<name>-flywheel`; the flywheel itself is called `physical_name`."""
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(
        StackName=f"{name}-flywheel",
        TemplateBody=json.dumps({"Resources": _resources(name=name, physical_name=physical_name)}),
        Capabilities=["CAPABILITY_IAM"],
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=f"{name}-flywheel", WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def deploy_beside(account: CloudAccount, *, stack: str, publishes: str | None) -> None:
    """Create another stack with an alarm; one of a flywheel's `publishes` a parameter."""
    resources: dict[str, Any] = {
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": stack,
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "Namespace": "N",
                "MetricName": "M",
                "Period": 60,
                "Statistic": "Sum",
            },
        }
    }
    if publishes:
        resources["Published"] = {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": publishes, "Type": "String", "Value": "{}"},
        }
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def destroy(account: CloudAccount, *, name: str, kind: str = "flywheel") -> None:
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName=f"{name}-{kind}")
    waiter = cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=f"{name}-{kind}", WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def _resources(*, name: str, physical_name: str) -> dict[str, Any]:
    bucket = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"VersioningConfiguration": {"Status": "Enabled"}},
    }
    published = {
        "intake_bucket": "${Intake}",
        "lake_bucket": "${Lake}",
        "turn_machine_arn": "${Machine}",
        "turn_queue_url": "${Queue}",
        "promotion_machine_arn": "${PromoteMachine}",
        "promotion_queue_url": "${PromotionQueue}",
        "topic_arn": "arn:aws:sns:us-east-1:123456789012:none",
        "mode": "MULTI_CLASS",
        "labels": LABELS,
        "label_delimiter": "|",
        "language": "en",
        "generation": 1,
        "parameters": {"MinimumDocumentsPerLabel": "50", "QuietPeriodMinutes": "5", "TriggerOnUpload": "true"},
    }
    return {
        "Intake": bucket,
        "Lake": bucket,
        "Key": {
            "Type": "AWS::KMS::Key",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "KeyPolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"},
                    ],
                }
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": ["comprehend.amazonaws.com", "states.amazonaws.com"]},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
                "Policies": [{"PolicyName": "everything", "PolicyDocument": _DO_EVERYTHING}],
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue"},
        "PromotionQueue": {"Type": "AWS::SQS::Queue"},
        "Asked": {"Type": "AWS::SQS::Queue"},
        "PromoteMachine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "DefinitionString": {"Fn::Sub": json.dumps(_PROMOTE_MACHINE)},
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "DefinitionString": json.dumps(_MACHINE)},
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "ComprehendFlywheel",
                "MetricName": "WaitingForAPerson",
                "Dimensions": [{"Name": "Flywheel", "Value": name}],
                "Statistic": "Maximum",
                "Period": 300,
                "EvaluationPeriods": 1,
                "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "ignore",
            },
        },
        "Dashboard": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {"DashboardName": f"{name}-flywheel", "DashboardBody": json.dumps({"widgets": []})},
        },
        "Flywheel": {
            "Type": "AWS::Comprehend::Flywheel",
            "Properties": {
                "FlywheelName": physical_name,
                "ModelType": "DOCUMENT_CLASSIFIER",
                "DataAccessRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "DataLakeS3Uri": {"Fn::Sub": "s3://${Lake}/flywheels/"},
                "TaskConfig": {
                    "LanguageCode": "en",
                    "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": LABELS},
                },
            },
        },
        "FlywheelArn": _parameter(name, "flywheel-arn", {"Fn::GetAtt": ["Flywheel", "Arn"]}),
        "Deployment": _parameter(name, "deployment", {"Fn::Sub": json.dumps(published)}),
    }


def _parameter(name: str, last: str, value: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": f"/comprehend-flywheel/{name}/{last}", "Type": "String", "Value": value},
    }
