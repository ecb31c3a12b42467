"""The functions that import a model and try it, which the promote machine calls, and those that start and tidy up."""

from __future__ import annotations

import functools

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.model_kind import ModelKind
from stacks.constructs.retries import BUSY_ATTEMPTS
from stacks.constructs.role import Permission, ServiceRole, pass_to_comprehend
from stacks.flywheel.access import READ, WRITE, FlywheelAccess
from stacks.imports.parameters import ImportParameters
from stacks.imports.role import TRIALS, use_source_key
from stacks.names import RUNTIME_PARAMETERS

TIMEOUT = cdk.Duration.minutes(2)


class ImportSteps(Construct):
    """What each may do is what it does: its row in docs/interfaces.md."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        role: ServiceRole,
        parameters: ImportParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        step = functools.partial(FlywheelFunction, self, wing="imports", functions=functions)
        self.import_model = step(
            "import_model",
            description="Imports the model of a promotion from the account that trained it.",
            timeout=TIMEOUT,
            environment=[*access.identity, "DATA_ACCESS_ROLE_ARN"],
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("promotions/*", actions=READ),
                access.objects("imports/models/*/import.json", actions=("PutObject",)),
                access.list_intake(),
                access.tags(),
                _import_from(access.kind, account=parameters.source_account.value_as_string),
                access.models(access.kind.describe_model, access.kind.delete_model, "ImportModel", "TagResource"),
                pass_to_comprehend(role.arn),
                *access.encryption.job_permissions(),
                *use_source_key(access),
            ],
        )
        self.try_model = step(
            "try_model",
            description="Has an imported model answer the smoke test's documents, before anything serves it.",
            timeout=TIMEOUT,
            environment=[
                *access.identity,
                "LABEL_DELIMITER",
                "DATA_ACCESS_ROLE_ARN",
                "SMOKE_TEST_KEY",
                "SMOKE_TEST_MINIMUM",
            ],
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("promotions/*", actions=READ),
                access.objects(TRIALS, actions=WRITE),
                access.objects(parameters.smoke_test_key.value_as_string, actions=READ),
                access.list_intake(),
                access.active_model(),
                access.models(access.kind.describe_model, access.kind.start_job),
                access.jobs(access.kind.start_job, access.kind.describe_job),
                pass_to_comprehend(role.arn),
                *access.encryption.job_permissions(),
            ],
        )
        self.judge_model = step(
            "judge_model",
            description="Compares an imported model's answers to the smoke test with the documents' labels.",
            timeout=TIMEOUT,
            environment=access.identity,
            permissions=[
                access.objects("promotions/*", actions=READ),
                access.objects(TRIALS, actions=WRITE),
                access.objects("serving/smoke-tests/*", actions=("PutObject",)),
                *access.thresholds("GetObject"),
                access.list_intake(),
                access.models(access.kind.describe_model),
                access.jobs(access.kind.describe_job),
            ],
        )
        self.delete_old_imports = step(
            "delete_old_imports",
            description="Deletes the oldest imported models beyond ModelsToKeep.",
            timeout=cdk.Duration.minutes(5),
            environment=[*access.identity, "PARAMETER_PREFIX", "MODELS_TO_KEEP"],
            permissions=[
                access.objects("promotions/*", actions=WRITE),
                access.list_intake(),
                access.active_model(),
                access.list_models(),
                access.models(access.kind.delete_model),
                access.parameters(*RUNTIME_PARAMETERS, actions=("GetParameter",)),
            ],
        )


def _import_from(kind: ModelKind, *, account: str) -> Permission:
    """On the source model: its own policy lets this account import it, version by version."""
    place = f"arn:{cdk.Aws.PARTITION}:comprehend:{cdk.Aws.REGION}:{account}"
    return Permission(
        actions=["comprehend:ImportModel"],
        resources=[f"{place}:{kind.model}/*"],
        wildcard_reason="The name of a flywheel's models is Comprehend's choice and not documented.",
    )
