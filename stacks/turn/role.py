"""The role of the turn machine: what its states do, and no more."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.distributed_map import permissions_for_children
from stacks.constructs.function import FlywheelFunction
from stacks.constructs.role import Permission, ServiceRole
from stacks.constructs.state_machine import logs_and_traces, name_in_deployment, trust_of_own_machines
from stacks.flywheel.access import DATASETS_COME, classification_jobs
from stacks.flywheel.encryption_key import EncryptionKey
from stacks.flywheel.flywheel import Flywheel


class TurnMachineRole(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine_name: str,
        functions: Sequence[FlywheelFunction],
        intake: s3.IBucket,
        flywheel: Flywheel,
        encryption: EncryptionKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = ServiceRole(
            self,
            "Service",
            service="states.amazonaws.com",
            description="The turn machine calls its functions and asks Comprehend how far things are.",
            trust_condition=trust_of_own_machines(),
            permissions=[
                Permission(actions=["lambda:InvokeFunction"], resources=[function.arn for function in functions]),
                Permission(
                    actions=["comprehend:DescribeDataset"],
                    resources=[f"{flywheel.arn}/dataset/*"],
                    wildcard_reason=DATASETS_COME,
                ),
                Permission(actions=["comprehend:DescribeFlywheelIteration"], resources=[flywheel.arn]),
                classification_jobs("DescribeDocumentClassificationJob"),
                Permission(
                    actions=["s3:GetObject"],
                    resources=[intake.arn_for_objects("turns/*")],
                    wildcard_reason="The batches that a distributed map reads lie below the turn's own prefix.",
                ),
                *permissions_for_children(machine_name=name_in_deployment(machine_name)),
                *encryption.permissions(through=["s3"]),
                logs_and_traces(),
            ],
        )

        # It names the flywheel by its computed ARN, as the functions' roles do.
        self.role.resource.add_resource_dependency(flywheel.resource)

    @property
    def arn(self) -> str:
        return self.role.arn
