"""The CDK app: settings in, stacks out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk

from ops.deployment.environments import (
    SynthesisedEnvironment,
    SynthesisedEnvironments,
    digests,
    write_environments,
)
from ops.deployment.errors import WrongParametersError
from ops.deployment.given_parameters import check_parameters, given_to_cdk
from stacks.analysis_stack import AnalysisStack
from stacks.environments import Environment, untrusted
from stacks.flywheel_stack import FlywheelStack
from stacks.import_stack import ImportStack
from stacks.serving_stack import ServingStack
from stacks.settings import FlywheelSettings, NagPack, Role
from stacks.settings_context import SettingsError, cdk_json_context, read_environments, read_settings

ROOT = Path(__file__).parent


def add_stacks(stage: cdk.Stage, settings: FlywheelSettings) -> cdk.Stack:
    """The stacks of one deployment; the one that comes first is returned."""
    first = (
        FlywheelStack(stage, settings.stack_name, settings=settings)
        if settings.role is Role.TRAIN
        else ImportStack(stage, settings.import_stack_name, settings=settings)
    )
    for later in (
        ServingStack(stage, settings.serving_stack_name, settings=settings),
        AnalysisStack(stage, settings.analysis_stack_name, settings=settings),
    ):
        # They read what it publishes, and are destroyed before it is.
        later.add_stack_dependency(first)
    return first


def add_environments(app: cdk.App, environments: Mapping[str, Environment]) -> dict[str, cdk.Stage]:
    """A stage for each."""
    warnings = untrusted(environments)
    stages = {}
    for name, environment in environments.items():
        place = cdk.Environment(account=environment.account, region=environment.region)
        stages[name] = cdk.Stage(app, name, env=place)
        first = add_stacks(stages[name], environment)
        if name in warnings:
            cdk.Annotations.of(first).add_warning_v2("comprehend-flywheel:untrusted", warnings[name])
    return stages


def handover(
    environments: Mapping[str, Environment], *, folders: Mapping[str, Path], sources: dict[str, str]
) -> SynthesisedEnvironments:
    """What those need who deploy the environments; `folders` have their templates. Raises WrongParametersError."""
    for name, environment in environments.items():
        check_parameters(environment.given, assembly=folders[name], environment=name)
    return SynthesisedEnvironments(
        sources=sources,
        environments={
            name: SynthesisedEnvironment(
                flywheel=environment.name,
                role=environment.role.value,
                account=environment.account,
                region=environment.region,
                folder=folders[name].name,
                parameters=tuple(environment.given),
            )
            for name, environment in environments.items()
        },
    )


def main() -> None:
    context = cdk_json_context(path=ROOT / "cdk.json")
    app = cdk.App(context=context, analytics_reporting=False, outdir=os.environ.get("CDK_OUTDIR", "cdk.out"))
    context |= app.node.get_all_context()
    environments = read_environments(context=context)
    # Before anything is made of them: what changes meanwhile is newer than the templates.
    sources = digests(ROOT) if environments else {}
    stages = add_environments(app, environments)
    packs: dict[cdk.Stage, Sequence[NagPack]] = {stages[name]: each.nag_packs for name, each in environments.items()}
    if not environments:
        settings = read_settings(context=context)
        add_stacks(app, settings)
        packs = {app: settings.nag_packs}
    # The CDK's own switch for its checks of the templates: they take longer than all else, and no emulator needs them.
    if os.environ.get("CDK_VALIDATION") != "false":
        from stacks import nag_packs

        nag_packs.check(app, packs=packs)
    assembly = Path(app.synth().directory)
    folders = {name: Path(stage.outdir) for name, stage in stages.items()}
    found = handover(environments, folders=folders, sources=sources) if environments else None
    write_environments(assembly, found)
    check_parameters(given_to_cdk(), assembly=assembly)


try:
    main()
except (SettingsError, WrongParametersError) as error:
    sys.exit(str(error))
