"""What would be deployed: the templates that `make synth` wrote, with parameters filled in, without AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flywheel.serving.target import SERVING, EndpointTarget
from flywheel.store.parameters import PARAMETER_ROOT
from ops.deployment.environments import ASSEMBLY, find_environment, read_environments, with_given
from ops.deployment.errors import NotSynthesisedError
from ops.deployment.given_parameters import check_parameters, templates_in
from ops.deployment.published import SETTINGS_FILE, Published, PublishedImports

_PARAMETER = "AWS::SSM::Parameter"
FLYWHEEL_STACK, IMPORT_STACK = "-flywheel", "-import"
"""How the name of the first stack ends, by the setting `role`."""


@dataclass(frozen=True, kw_only=True)
class SynthesisedStack:
    name: str
    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    """Every parameter of the template with its value: what was given, else its default."""

    def resources(self) -> Iterator[Mapping[str, Any]]:
        """Those whose condition holds."""
        for body in self.template["Resources"].values():
            condition = body.get("Condition")
            if condition is None or self._holds(self.template["Conditions"][condition]):
                yield body

    def text(self, value: Any) -> str:
        """A value of the template; what only a deployment knows stands as its logical id."""
        match value:
            case {"Ref": name}:
                return self.parameters.get(name, str(name))
            case {"Fn::GetAtt": [resource, attribute]}:
                return f"{resource}.{attribute}"
            case {"Fn::Join": [delimiter, parts]}:
                return str(delimiter).join(self.text(part) for part in parts)
            case {"Fn::If": [condition, yes, no]}:
                return self.text(yes if self._holds(self.template["Conditions"][condition]) else no)
        return str(value)

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Fn::Equals": [left, right]}:
                return self.text(left) == self.text(right)
            case {"Fn::Not": [inner]}:
                return not self._holds(inner)
            case {"Fn::And": several}:
                return all(self._holds(each) for each in several)
            case {"Fn::Or": several}:
                return any(self._holds(each) for each in several)
            case {"Condition": name}:
                return self._holds(self.template["Conditions"][name])
        raise NotSynthesisedError(f"{self.name} has a condition that this version of `flywheel` cannot read.")


@dataclass(frozen=True, kw_only=True)
class SynthesisedFlywheel:
    name: str
    stacks: tuple[SynthesisedStack, ...]

    def resources(self) -> Iterator[tuple[SynthesisedStack, Mapping[str, Any]]]:
        for stack in self.stacks:
            yield from ((stack, body) for body in stack.resources())

    @property
    def imports(self) -> bool:
        return any(stack.name == f"{self.name}{IMPORT_STACK}" for stack in self.stacks)

    @property
    def published(self) -> Published | PublishedImports:
        value = self.parameter("deployment")
        if value is None:
            raise NotSynthesisedError(f"{ASSEMBLY} holds no flywheel of this version: run `make synth` again.")
        return (PublishedImports if self.imports else Published).model_validate_json(value)

    @property
    def endpoint_target(self) -> EndpointTarget | None:
        """None without a Serving stack."""
        published = self.parameter(SERVING)
        return EndpointTarget.model_validate_json(published) if published else None

    def parameter(self, last: str) -> str | None:
        """What CloudFormation would publish as `/comprehend-flywheel/<name>/<last>`."""
        wanted = f"{PARAMETER_ROOT}/{self.name}/{last}"
        for stack, body in self.resources():
            if body["Type"] == _PARAMETER and body["Properties"]["Name"] == wanted:
                return stack.text(body["Properties"]["Value"])
        return None


def read_synthesised(
    folder: Path | None = None, *, parameters: Sequence[str] = (), environment: str | None = None
) -> SynthesisedFlywheel:
    """The flywheel in the `cdk.out` of `folder` (default: the current one), with `parameters` (`Stack:Name=value`).

    If the assembly has environments, one has to be named; its own parameters are among those of the result. Raises
    NotSynthesisedError if there is none, or settings were changed since, UnknownEnvironmentError and
    WrongParametersError.
    """
    folder = folder or Path.cwd()
    assembly = folder / ASSEMBLY
    if environment is None:
        templates = _current_templates(assembly, settings=folder / SETTINGS_FILE)
    else:
        found = find_environment(folder, environment)
        assembly /= found.folder
        templates, parameters = templates_in(assembly), with_given(found.parameters, parameters)
    check_parameters(parameters, assembly=assembly, environment=environment)
    first = re.compile(rf"(.+)({FLYWHEEL_STACK}|{IMPORT_STACK})")
    names = [found[1] for found in map(first.fullmatch, templates) if found]
    if not names:
        raise NotSynthesisedError(f"{assembly} holds no flywheel: run `make synth`.")
    return SynthesisedFlywheel(
        name=names[0],
        stacks=tuple(
            SynthesisedStack(name=stack, template=template, parameters=_values(stack, template, parameters))
            for stack, template in templates.items()
        ),
    )


def _current_templates(assembly: Path, *, settings: Path) -> dict[str, dict[str, Any]]:
    """Those of an assembly without environments."""
    try:
        templates = templates_in(assembly)
        stale = settings.is_file() and settings.stat().st_mtime > (assembly / "manifest.json").stat().st_mtime
    except (OSError, ValueError, KeyError) as error:
        raise NotSynthesisedError(f"There are no templates in {assembly}: run `make synth` first.") from error
    if stale:
        raise NotSynthesisedError(f"{SETTINGS_FILE} is newer than the templates in {assembly}: run `make synth` first.")
    environments = read_environments(assembly)
    if environments:
        raise NotSynthesisedError(
            f"{assembly} holds the environments {', '.join(environments)}: say which, such as --env "
            f"{next(iter(environments))}."
        )
    return templates


def _values(stack: str, template: Mapping[str, Any], given: Sequence[str]) -> dict[str, str]:
    values = {name: str(body["Default"]) for name, body in template.get("Parameters", {}).items() if "Default" in body}
    for each in given:
        name, _, value = each.partition("=")
        named, _, last = name.rpartition(":")
        if named in ("", stack):
            values[last] = value
    return values
