"""Names and ARNs of a flywheel's parts, computed from the settings: whoever names a part need not import it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from stacks.constructs.arn import arn_of
from stacks.constructs.model_kind import model_kind
from stacks.constructs.state_machine import name_in_deployment
from stacks.settings import FlywheelSettings, Role

LAKE_PREFIX = "flywheels/"
"""Comprehend appends the flywheel's name and its creation time, so generations share the prefix. The slash at the end
is what CloudFormation's read handler gives back; without it every drift detection reports a difference."""
HASH_LENGTH = 8
LONGEST_ENDPOINT_NAME = 40
"""By Comprehend's API model; a flywheel's setting `name` may be longer."""

# In Parameter Store, below the flywheel's prefix.
RUNTIME_PARAMETERS = ("active-model-arn", "previous-model-arn", "desired-model-arn")
INTAKE_BUCKET = "intake-bucket"
TOPIC_ARN = "topic-arn"
KEY_ARN = "key-arn"
SERVING_TARGET = "serving"
API = "api"
ANALYSIS = "analysis"


@dataclass(frozen=True)
class Names:
    settings: FlywheelSettings

    @property
    def flywheel(self) -> str:
        """It changes with exactly what only a new flywheel can take.

        CloudFormation creates the new flywheel before it removes the old one, so equal names would collide. The key of
        the data lake is part of it because an update ignores a changed one silently.
        """
        settings = self.settings
        fixed_at_creation = {
            "name": settings.name,
            "model_type": settings.model_type,
            "language": settings.language,
            **(
                {"entity_types": settings.entity_types}
                if settings.entity_types
                else {"mode": settings.mode, "labels": settings.labels}
            ),
            "lake_prefix": LAKE_PREFIX,
            "lake_key": settings.encryption.key_arn or settings.encryption.mode,
            "generation": settings.generation,
            # Only where there is one: other flywheels keep the names that they have.
            **({"initial_model": settings.initial_model_arn} if settings.initial_model_arn else {}),
        }
        digest = hashlib.sha256(json.dumps(fixed_at_creation, sort_keys=True).encode()).hexdigest()
        return f"{settings.name}-{digest[:HASH_LENGTH]}"

    @property
    def flywheel_arn(self) -> str:
        return arn_of("comprehend", f"flywheel/{self.flywheel}")

    @property
    def imported_model_arn(self) -> str:
        """Of the model whose versions are the imported ones; without a version."""
        return arn_of("comprehend", f"{model_kind(self.settings).model}/{self.settings.name}")

    @property
    def any_generation_arn(self) -> str:
        """A pattern for IAM: a former generation serves on until a model of the present one is better."""
        return arn_of("comprehend", f"flywheel/{self.settings.name}-{'?' * HASH_LENGTH}")

    @property
    def endpoint_arn(self) -> str:
        """Its name is fixed: whoever calls it needs to look nothing up, and there is never a second one."""
        name = self.settings.name
        if len(name) > LONGEST_ENDPOINT_NAME:
            name = f"{name[:31].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        return arn_of("comprehend", f"{model_kind(self.settings).endpoint}/{name}")

    @property
    def create_machine(self) -> str:
        return f"{self.settings.stack_name}-create"

    @property
    def turn_machine(self) -> str:
        return f"{self.settings.stack_name}-turn"

    @property
    def promote_machine(self) -> str:
        settings = self.settings
        stack = settings.import_stack_name if settings.role is Role.IMPORT else settings.stack_name
        return f"{stack}-promote"

    @property
    def serve_machine(self) -> str:
        return f"{self.settings.serving_stack_name}-serve"

    @property
    def analysis_machine(self) -> str:
        return f"{self.settings.analysis_stack_name}-analyze"

    @property
    def create_machine_arn(self) -> str:
        """Its executions have CloudFormation's ids, which are never given twice."""
        return _machine_arn(self.create_machine)

    @property
    def turn_machine_arn(self) -> str:
        return _machine_arn(name_in_deployment(self.turn_machine))

    @property
    def promote_machine_arn(self) -> str:
        return _machine_arn(name_in_deployment(self.promote_machine))

    @property
    def serve_machine_arn(self) -> str:
        """The same in each deployment: the Flywheel stack, which starts it, knows nothing of the other stack's."""
        return _machine_arn(self.serve_machine)

    @property
    def analysis_machine_arn(self) -> str:
        return _machine_arn(name_in_deployment(self.analysis_machine))

    def parameter(self, name: str) -> str:
        return f"{self.settings.parameter_prefix}/{name}"


def _machine_arn(name: str) -> str:
    return arn_of("states", f"stateMachine:{name}")
