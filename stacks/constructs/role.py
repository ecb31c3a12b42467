"""Roles and policies with exactly the permissions they are given, and nothing the CDK would add."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

Condition = Mapping[str, Mapping[str, str | Sequence[str]]]


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One statement of a policy."""

    actions: Sequence[str]
    resources: Sequence[str]
    condition: Condition = field(default_factory=dict)
    wildcard_reason: str | None = None
    """Why a resource has to hold a wildcard: cdk-nag refuses one that has no reason."""

    def statement(self) -> dict[str, Any]:
        """The statement as it stands in the template."""
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Action": list(self.actions) if len(self.actions) > 1 else self.actions[0],
            "Resource": list(self.resources) if len(self.resources) > 1 else self.resources[0],
        }
        if self.condition:
            statement["Condition"] = self.condition
        return statement


def on_behalf_of(source_arn: str) -> Condition:
    """A service may act for this resource of this account only; `source_arn` may be a pattern."""
    return {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}, "ArnLike": {"aws:SourceArn": source_arn}}


def permission_to_send(queue: sqs.IQueue) -> Permission:
    return Permission(actions=["sqs:SendMessage"], resources=[queue.queue_arn])


def pass_to_comprehend(role_arn: str) -> Permission:
    """To name the role in a request to Comprehend."""
    return Permission(
        actions=["iam:PassRole"],
        resources=[role_arn],
        condition={"StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}},
    )


class ServiceRole(Construct):
    """The policy is part of the role, so whoever uses the role's ARN waits for the permissions too."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: str,
        permissions: Sequence[Permission],
        trust_condition: Condition | None = None,
        description: str,
    ) -> None:
        super().__init__(scope, construct_id)
        trust: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
        }
        if trust_condition:
            trust["Condition"] = trust_condition
        self.resource = iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document=_document([trust]),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="Permissions", policy_document=_document(each.statement() for each in permissions)
                )
            ],
            description=description,
        )
        _acknowledge_wildcards(self.resource, permissions=permissions)

    @property
    def arn(self) -> str:
        return self.resource.attr_arn


class ManagedPolicy(Construct):
    """For people's roles and groups, which are the organisation's to make."""

    def __init__(
        self, scope: Construct, construct_id: str, *, description: str, permissions: Sequence[Permission]
    ) -> None:
        super().__init__(scope, construct_id)
        policy = iam.CfnManagedPolicy(
            self, "Policy", description=description, policy_document=_document(each.statement() for each in permissions)
        )
        _acknowledge_wildcards(policy, permissions=permissions)
        self.arn = policy.ref


def _document(statements: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _acknowledge_wildcards(resource: cdk.CfnResource, *, permissions: Sequence[Permission]) -> None:
    """Tells cdk-nag the reason of each wildcard, by the finding's own id, at the resource that holds the policy."""
    stack = cdk.Stack.of(resource)
    reasons = {
        f"AwsSolutions-IAM5[Resource::{resource}]": permission.wildcard_reason
        for permission in permissions
        if permission.wildcard_reason
        for resource in (_as_cdk_nag_writes(stack.resolve(target)) for target in permission.resources)
        if "*" in resource
    }
    if reasons:
        cdk.Validations.of(resource).acknowledge(
            *(cdk.Acknowledgment(id=finding, reason=reason) for finding, reason in reasons.items())
        )


def _as_cdk_nag_writes(value: Any) -> str:
    """An intrinsic function in the flat form that cdk-nag gives it in a finding's id."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(_as_cdk_nag_writes(part) for part in parts)
        case _:
            return json.dumps(value, separators=(",", ":"))
