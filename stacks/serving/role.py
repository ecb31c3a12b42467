"""The role with which Comprehend opens a model under a customer managed key, to answer with it."""

from __future__ import annotations

from constructs import Construct

from stacks.constructs.role import ServiceRole, on_behalf_of
from stacks.flywheel.encryption_key import EncryptionKey


class EndpointRole(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, encryption: EncryptionKey, endpoint_arn: str) -> None:
        super().__init__(scope, construct_id)
        self.role = ServiceRole(
            self,
            "Service",
            service="comprehend.amazonaws.com",
            description="Comprehend's endpoint opens the encrypted model.",
            permissions=encryption.job_permissions(),
            trust_condition=on_behalf_of(endpoint_arn),
        )

    @property
    def arn(self) -> str:
        return self.role.arn
