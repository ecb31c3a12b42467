"""The CDK app: settings in, stacks out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import aws_cdk as cdk

from ops.deployment.errors import WrongParametersError
from ops.deployment.given_parameters import check_parameters, given_to_cdk
from stacks.analysis_stack import AnalysisStack
from stacks.flywheel_stack import FlywheelStack
from stacks.import_stack import ImportStack
from stacks.serving_stack import ServingStack
from stacks.settings import Role, SettingsError, cdk_json_context, read_settings

context = cdk_json_context(path=Path(__file__).with_name("cdk.json"))
app = cdk.App(context=context, analytics_reporting=False, outdir=os.environ.get("CDK_OUTDIR", "cdk.out"))
try:
    settings = read_settings(context={**context, **app.node.get_all_context()})
except SettingsError as error:
    sys.exit(str(error))
first = (
    ImportStack(app, settings.import_stack_name, settings=settings)
    if settings.role is Role.IMPORT
    else FlywheelStack(app, settings.stack_name, settings=settings)
)
for later in (
    ServingStack(app, settings.serving_stack_name, settings=settings),
    AnalysisStack(app, settings.analysis_stack_name, settings=settings),
):
    # They read what it publishes, and are destroyed before it is.
    later.add_stack_dependency(first)
# The CDK's own switch for its checks of the templates: they take longer than all else, and no emulator needs them.
if os.environ.get("CDK_VALIDATION") != "false":
    from stacks import nag_packs

    nag_packs.check(app, packs=settings.nag_packs)
assembly = app.synth()
try:
    check_parameters(given_to_cdk(), assembly=Path(assembly.directory))
except WrongParametersError as error:
    sys.exit(str(error))
