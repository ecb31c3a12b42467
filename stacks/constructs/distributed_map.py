"""What a machine needs to run the children of a distributed map, which are executions of the machine itself."""

from __future__ import annotations

import aws_cdk as cdk

from stacks.constructs.role import Permission

NAMED_BY_STEP_FUNCTIONS = "Step Functions names the children of a distributed map."


def permissions_for_children(*, machine_name: str) -> list[Permission]:
    states = f"arn:{cdk.Aws.PARTITION}:states:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"
    return [
        Permission(actions=["states:StartExecution"], resources=[f"{states}:stateMachine:{machine_name}"]),
        Permission(
            actions=["states:DescribeExecution", "states:StopExecution"],
            resources=[f"{states}:execution:{machine_name}:*"],
            wildcard_reason=NAMED_BY_STEP_FUNCTIONS,
        ),
        Permission(
            actions=["states:RedriveExecution"],
            resources=[f"{states}:execution:{machine_name}/*"],
            wildcard_reason=NAMED_BY_STEP_FUNCTIONS,
        ),
    ]
