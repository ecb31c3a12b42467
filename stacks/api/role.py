"""The role with which API Gateway writes the logs of all APIs of an account and Region."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct


class ApiLogAccess(Construct):
    """Sets the account's role, without which API Gateway refuses a stage with access logs.

    The setting outlives the stack: CloudFormation does not take it back. So the role stays too, or every other API of
    the account would lose its logs (decision 010).
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        role = iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "apigateway.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            managed_policy_arns=[
                f"arn:{cdk.Aws.PARTITION}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
            ],
            description="API Gateway writes the logs of every API of this account and Region.",
        )
        self.resource = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.attr_arn)
        for resource in (role, self.resource):
            resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        policy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        cdk.Validations.of(role).acknowledge(
            cdk.Acknowledgment(
                id=f"AwsSolutions-IAM4[Policy::{policy}]",
                reason="The policy that AWS's guide demands: the role serves every API of the account.",
            )
        )
