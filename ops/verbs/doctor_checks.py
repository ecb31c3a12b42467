"""The checks of `flywheel doctor`, in the order in which a first deployment would meet them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from flywheel.records.uploads import Split
from flywheel.store.parameters import PARAMETER_ROOT
from ops.deployment.generations import list_flywheels
from ops.deployment.published import require_flywheel
from ops.deployment.service_errors import ServiceError, sentence_of
from ops.verbs.doctor import Check, Surroundings, ToDo, Unknown
from ops.verbs.status import DATASETS_A_FLYWHEEL, RUNNING_OUT, quota_of

REGIONS = (
    *("us-east-1", "us-east-2", "us-west-2", "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2", "ap-south-1"),
    *("ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2"),
)
"""Regions that have AWS::Comprehend::Flywheel (reference, CloudFormation)."""
BOOTSTRAP_VERSION = 6
"""The least version that the CDK's default synthesizer needs."""
BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BESIDE = 5
"""How many functions run beside those of a map: triggers, promotions, the endpoint, the API."""
UNRESERVED = 100
"""How much concurrency Lambda keeps for functions that reserve none."""
_LAYER = re.compile(r"/aws/service/powertools/[\w./-]+")
_MAP = re.compile(r'MaxConcurrency\\*"\s*:\s*(\d+)')
_ROLES = ("deploy", "file-publishing")
_PARAMETER = "AWS::SSM::Parameter"
_NAMES = {
    "AWS::Logs::LogGroup": "LogGroupName",
    _PARAMETER: "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::Comprehend::Flywheel": "FlywheelName",
}


def caller(at: Surroundings) -> str:
    try:
        return at.clients.caller()
    except ServiceError as error:
        raise ToDo(sentence_of(error)) from error


def region(at: Surroundings) -> str:
    if at.clients.region in REGIONS:
        return f"{at.clients.region} has flywheels"
    raise ToDo(f"{at.clients.region} has no AWS::Comprehend::Flywheel: choose one of {', '.join(REGIONS)}")


def bootstrap(at: Surroundings) -> str:
    parameter = _bootstrap_parameter(at)
    command = "PATH=.venv/bin:$PATH node_modules/.bin/cdk bootstrap"
    version = at.clients.parameter(parameter)
    if version is None:
        raise ToDo(f"{at.clients.region} is not bootstrapped for the CDK ({parameter} is not there): {command}")
    if not version.isdigit() or int(version) < BOOTSTRAP_VERSION:
        raise ToDo(f"the bootstrap stack has version {version}, of {BOOTSTRAP_VERSION} that is needed: {command}")
    return f"version {version}"


def powertools_layer(at: Surroundings) -> str:
    names = layer_parameters(at)
    for name in names:
        if at.clients.parameter(name) is None:
            raise ToDo(
                f"{at.clients.region} does not know {name}: set powertools_layer_version in cdk.json to a version "
                f"below {name.rpartition('/')[0]} there, or update the project"
            )
    return ", ".join(names)


def layer_parameters(at: Surroundings) -> list[str]:
    """Names of public parameters, one for each version and runtime that the functions use."""
    found = sorted({name for stack in at.templates.stacks for name in _LAYER.findall(json.dumps(stack.template))})
    if not found:
        raise Unknown("the templates name no layer of Powertools")
    return found


def comprehend_quotas(at: Surroundings) -> str:
    values = _quotas(at)
    needed = list(_needed(at))
    short = [
        f"{what}: {need} wanted, the quota {code} is {values[code]:g}"
        for what, code, need in needed
        if code in values and need > values[code]
    ]
    if short:
        raise ToDo(f"{'; '.join(short)}: ask for more in Service Quotas (Amazon Comprehend)")
    missing = [code for _, code, _ in needed if code not in values]
    if missing:
        raise Unknown(f"Service Quotas does not list {', '.join(missing)}")
    return ", ".join(f"{what} {need} of {values[code]:g}" for what, code, need in needed) or "no endpoint is wanted"


def _quotas(at: Surroundings) -> dict[str, float]:
    pages = at.clients.service_quotas.get_paginator("list_service_quotas").paginate(ServiceCode="comprehend")
    return {quota["QuotaCode"]: quota["Value"] for page in pages for quota in page["Quotas"]}


def _needed(at: Surroundings) -> Iterator[tuple[str, str, int]]:
    """What it is, the code of its quota (reference 4.7), and how many there will be."""
    comprehend, wanted = at.clients.comprehend, at.wanted
    if not at.imports:
        flywheels = len(list(list_flywheels(at.clients))) + (at.deployment is None)
        yield "flywheels", "L-AE5B911F", flywheels
        yield "training datasets of a flywheel", "L-7CC66BB8", DATASETS_A_FLYWHEEL
    if wanted is None or not wanted.inference_units:
        return
    pages = comprehend.get_paginator("list_endpoints").paginate()
    endpoints = [endpoint for page in pages for endpoint in page.get("EndpointPropertiesList", [])]
    mine = at.deployment.models.endpoint() if at.deployment else None
    others = [endpoint for endpoint in endpoints if endpoint.get("EndpointArn") != mine]
    yield "endpoints", "L-55642075", len(others) + 1
    yield "inference units of an endpoint", "L-70EC2949", wanted.most_units
    units = sum(int(endpoint.get("DesiredInferenceUnits", 0)) for endpoint in others)
    yield "inference units", "L-2A73DEBC", units + wanted.most_units


def datasets(at: Surroundings) -> str:
    """A flywheel's datasets cannot be deleted."""
    if at.deployment is None:
        return "none yet"
    if at.imports:
        return "none: the models are imported"
    there = require_flywheel(at.deployment).service.datasets()
    quotas = [quota_of(split, there) for split in Split]
    used = ", ".join(f"{each.used} of {each.limit} {each.split.dataset_type} datasets are used" for each in quotas)
    if any(each.running_out for each in quotas):
        raise ToDo(f"{used}. {RUNNING_OUT}")
    return used


def function_concurrency(at: Surroundings) -> str:
    limits = at.clients.functions.get_account_settings()["AccountLimit"]
    limit, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    needed, reserved = concurrency(at)
    ask = "ask for more in Service Quotas (AWS Lambda, Concurrent executions)"
    if limit < needed:
        raise ToDo(f"{limit} functions run at once in this account, and a turn runs up to {needed}: {ask}")
    first = at.first_stack not in at.stacks
    if first and reserved and unreserved < reserved + UNRESERVED:
        raise ToDo(
            f"{reserved} are to be reserved, but of {unreserved} Lambda keeps {UNRESERVED} for functions that reserve "
            f"none: {ask}"
        )
    return f"{limit} at once, {unreserved} of them not reserved; a turn runs up to {needed}"


def concurrency(at: Surroundings) -> tuple[int, int]:
    """How many functions run at once at most, and how many the stacks reserve."""
    maps: list[int] = []
    reserved = 0
    for stack, body in at.templates.resources():
        properties = body.get("Properties", {})
        # MapConcurrency is a parameter.
        maps += map(int, _MAP.findall(stack.text(properties.get("DefinitionString", ""))))
        value = stack.text(properties.get("ReservedConcurrentExecutions", 0))
        reserved += int(float(value)) if re.fullmatch(r"[0-9.]+", value) else 0
    return max(maps, default=0) + BESIDE, reserved


def deployer(at: Surroundings) -> str:
    """The CLI deploys with roles of the bootstrap stack: all that the deployer needs is to assume them."""
    arn = at.clients.caller()
    _, partition, _, _, account, who = arn.split(":", 5)
    if who == "root":
        return "the account's root may do everything; people should deploy with a role"
    if who.startswith("assumed-role/"):
        arn = at.clients.iam.get_role(RoleName=who.split("/")[1])["Role"]["Arn"]
    roles = [
        f"arn:{partition}:iam::{account}:role/cdk-{_qualifier(at)}-{kind}-role-{account}-{at.clients.region}"
        for kind in _ROLES
    ]
    answer = at.clients.iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["sts:AssumeRole"], ResourceArns=roles
    )
    refused = [each["EvalResourceName"] for each in answer["EvaluationResults"] if each["EvalDecision"] != "allowed"]
    if refused:
        raise ToDo(f"{arn} may not do sts:AssumeRole on {', '.join(refused)}, by which the CDK deploys: allow it")
    return f"{arn} may take on the CDK's roles"


def _bootstrap_parameter(at: Surroundings) -> str:
    stacks = at.synthesised.stacks if at.synthesised else ()
    versions = (stack.parameters.get("BootstrapVersion") for stack in stacks)
    return next(filter(None, versions), BOOTSTRAP_PARAMETER)


def _qualifier(at: Surroundings) -> str:
    """Of `/cdk-bootstrap/<qualifier>/version`."""
    parts = _bootstrap_parameter(at).split("/")
    return parts[2] if len(parts) == 4 else BOOTSTRAP_PARAMETER.split("/")[2]


def names(at: Surroundings) -> str:
    """Stacks that are there own their names; a name of one that is not there yet must be free."""
    broken = {name: status for name, status in at.stacks.items() if status.endswith(("_FAILED", "ROLLBACK_COMPLETE"))}
    unusable = [f"{name} is {status}" for name, status in broken.items() if status != "UPDATE_ROLLBACK_COMPLETE"]
    if unusable:
        raise ToDo(f"{'; '.join(unusable)}: look into its events, delete it, then deploy again")
    wanted = named_resources(at)
    existing = set(_existing(at))
    # A new pipeline would take what an earlier one left there for its own.
    left = {each for each in existing if each[0] == _PARAMETER} if at.first_stack not in at.stacks else set()
    taken = sorted(left | wanted & existing)
    if taken:
        shown = ", ".join(f"{kind} {name}" for kind, name in taken[:5])
        more = f" and {len(taken) - 5} more" if len(taken) > 5 else ""
        raise ToDo(
            f"these are there, and no stack of {at.name} made them: {shown}{more}: delete them, or change `name`"
        )
    there = f"there are {', '.join(sorted(at.stacks))}; " if at.stacks else ""
    return f"{there}what would be created besides is free" if there else "all that would be created is free"


def named_resources(at: Surroundings) -> set[tuple[str, str]]:
    """Type and name of what the stacks that are not there yet would create under a name of its own."""
    return {
        (body["Type"], stack.text(body["Properties"][_NAMES[body["Type"]]]))
        for stack, body in at.templates.resources()
        if stack.name not in at.stacks and _NAMES.get(body["Type"], "") in body.get("Properties", {})
    }


def _existing(at: Surroundings) -> Iterator[tuple[str, str]]:
    clients = at.clients
    path = f"{PARAMETER_ROOT}/{at.name}"
    for page in clients.ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True):
        yield from ((_PARAMETER, parameter["Name"]) for parameter in page["Parameters"])
    for prefix in (f"/comprehend-flywheel/{at.name}/", f"/aws/vendedlogs/states/{at.name}-"):
        for groups in clients.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
            yield from (("AWS::Logs::LogGroup", group["logGroupName"]) for group in groups["logGroups"])
    for machines in clients.stepfunctions.get_paginator("list_state_machines").paginate():
        yield from (("AWS::StepFunctions::StateMachine", machine["name"]) for machine in machines["stateMachines"])
    yield from (
        ("AWS::Comprehend::Flywheel", each["FlywheelArn"].rpartition("/")[2]) for each in list_flywheels(clients)
    )


def api_log_role(at: Surroundings) -> str:
    role = at.clients.apigateway.get_account().get("cloudwatchRoleArn")
    sets_one = any(body["Type"] == "AWS::ApiGateway::Account" for _, body in at.templates.resources())
    if not role and not sets_one:
        raise ToDo("API Gateway has no role to write logs with, and api_log_role is `existing`: set one, or use `new`")
    if role and sets_one and f"{at.name}-serving" not in at.stacks:
        return f"{role}, which the Serving stack will replace; with api_log_role `existing` it stays"
    return str(role) if role else "the Serving stack sets one"


CHECKS: tuple[tuple[str, Check], ...] = (
    ("Caller", caller),
    ("Region", region),
    ("CDK bootstrap", bootstrap),
    ("Deployer", deployer),
    ("Powertools layer", powertools_layer),
    ("Comprehend quotas", comprehend_quotas),
    ("Datasets", datasets),
    ("Lambda concurrency", function_concurrency),
    ("Names", names),
    ("API log role", api_log_role),
)
