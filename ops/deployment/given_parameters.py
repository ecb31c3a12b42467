"""Parameters of stacks as somebody gave them, checked against the templates: what no stack has is refused.

The CDK CLI drops a parameter of an unknown stack without a word, and CloudFormation refuses one that a stack lacks only
after the stacks before it were deployed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

from ops.deployment.errors import WrongParametersError

GIVEN_VARIABLE = "GIVEN_PARAMETERS"
"""In which `make deploy` tells the app, as a JSON list, what it gives to the CDK CLI."""
_NAMES_A_PARAMETER = "AWS::SSM::Parameter::"
_NEXT = re.compile(r"\s+(?=['\"]?(?:[A-Za-z][\w-]*:)?[A-Za-z]\w*=)")
_QUOTED = re.compile(r"""(?P<before>(?:[^'"=]*=)?)(?P<quote>['"])(?P<inside>.*)(?P=quote)""", re.DOTALL)
_GIVEN = re.compile(r"(?:(?P<stack>[^:=]+):)?(?P<name>[^:=]+)=(?P<value>.*)", re.DOTALL)
_ANCESTORS = 5
_CLI = {"cdk", "cdk.js"}

Parameters = Mapping[str, Mapping[str, Any]]
"""A template's section `Parameters`."""


def split_parameters(text: str) -> list[str]:
    """The single ones in `news-flywheel:TurnSchedule=rate(2 hours) news-flywheel:MinimumScore=0.8`.

    A new one begins where white space is followed by `Stack:Name=`, so a value may hold spaces. Quotes around one, or
    around its value, are none of it: no parameter begins with a quote.
    """
    return [_unquoted(part.strip()) for part in _NEXT.split(text.strip()) if part.strip()]


def _unquoted(part: str) -> str:
    match = _QUOTED.fullmatch(part)
    return match["before"] + match["inside"] if match else part


def templates_in(assembly: Path) -> dict[str, dict[str, Any]]:
    """The templates in a cloud assembly and its stages, by stack. Raises OSError and ValueError if it is none."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = {}
    for name, artifact in manifest["artifacts"].items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "aws:cloudformation:stack":
            template = (assembly / properties["templateFile"]).read_text(encoding="utf-8")
            found[properties.get("stackName", name)] = json.loads(template)
        elif artifact["type"] == "cdk:cloud-assembly":
            found |= templates_in(assembly / properties["directoryName"])
    return found


def check_parameters(given: Sequence[str], *, assembly: Path, environment: str | None = None) -> None:
    """Raises WrongParametersError with a line for each that no stack of the assembly has, or whose value it refuses.

    `environment` is whose templates the assembly holds, if they are those of one.
    """
    if not given:
        return
    stacks = {stack: template.get("Parameters", {}) for stack, template in templates_in(assembly).items()}
    wrong = [sentence for sentence in (_wrong(each, stacks) for each in given) if sentence is not None]
    if wrong:
        raise WrongParametersError(wrong, environment=environment)


def given_to_cdk() -> list[str]:
    """What the CDK CLI that runs this process was given as `--parameters`.

    It does not hand them to the app. `make deploy` tells them in GIVEN_VARIABLE; a CLI that somebody ran by hand shows
    them in its command line, where the system lets one read it (Linux); elsewhere none are found.
    """
    told = os.environ.get(GIVEN_VARIABLE)
    if told is not None:
        listed: list[str] = json.loads(told)
        return listed
    process = os.getppid()
    for _ in range(_ANCESTORS):
        command = _command_line(process)
        if any(Path(argument).name in _CLI for argument in command[:2]):
            return option_values(command, "--parameters")
        process = _parent(process)
    return []


def option_values(arguments: Sequence[str], option: str) -> list[str]:
    """What a repeated option of a command line is given."""
    after = [value for each, value in pairwise(arguments) if each == option]
    return after + [each.partition("=")[2] for each in arguments if each.startswith(f"{option}=")]


def near(wanted: str, known: Sequence[str]) -> str:
    """Which of `known` was meant, as a sentence; all of them if none is near."""
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(wanted.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"Did you mean {by_lower[found[0]]}?" if found else f"There are {', '.join(sorted(known))}."


def _wrong(given: str, stacks: Mapping[str, Parameters]) -> str | None:
    match = _GIVEN.fullmatch(given)
    if match is None:
        return f"{given!r} is no parameter: write STACK:NAME=VALUE, such as {next(iter(stacks))}:Name=value."
    stack, name, value = match["stack"], match["name"], match["value"]
    if stack is None:
        return _wrong_everywhere(name, value, stacks)
    if stack not in stacks:
        return f"{given}: there is no stack {stack}. {near(stack, list(stacks))}"
    known = stacks[stack]
    if name in known:
        return _wrong_value(f"{stack}:{name}", value, known[name])
    elsewhere = [other for other, parameters in stacks.items() if name in parameters]
    if elsewhere:
        return f"{given}: {name} is a parameter of {elsewhere[0]}: write {elsewhere[0]}:{name}={value}."
    return f"{given}: {stack} has no parameter {name}. {near(name, _tunable(known))}"


def _wrong_everywhere(name: str, value: str, stacks: Mapping[str, Parameters]) -> str | None:
    """Without a stack a parameter goes to all of them, and a deployment fails at the first that lacks it."""
    having = [stack for stack, parameters in stacks.items() if name in parameters]
    if not having:
        known = {each for parameters in stacks.values() for each in _tunable(parameters)}
        return f"{name}={value}: no stack has a parameter {name}. {near(name, sorted(known))}"
    if len(having) < len(stacks):
        return f"{name}={value}: not every stack has it: write {having[0]}:{name}={value}."
    return _wrong_value(name, value, stacks[having[0]][name])


def _tunable(parameters: Parameters) -> list[str]:
    """Those that are for people: the others name parameters of Parameter Store."""
    return [name for name, body in parameters.items() if not str(body.get("Type")).startswith(_NAMES_A_PARAMETER)]


def _wrong_value(name: str, value: str, body: Mapping[str, Any]) -> str | None:
    if _allows(value, body):
        return None
    return f"{name} is {value!r}: {body.get('ConstraintDescription') or 'the template does not allow that'}"


def _allows(value: str, body: Mapping[str, Any]) -> bool:
    allowed = body.get("AllowedValues")
    if allowed is not None and value not in map(str, allowed):
        return False
    pattern = body.get("AllowedPattern")
    if pattern is not None and re.fullmatch(pattern, value) is None:
        return False
    return len(value) <= int(body.get("MaxLength", len(value)))


def _command_line(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def _parent(process: int) -> int:
    try:
        # After the name of the program, which is in brackets and may hold anything: state, parent.
        return int(Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0
