"""A synthesised stack in the form in which tests look at it."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run_app(*, context: dict[str, Any], outdir: Path, checked: bool = False) -> subprocess.CompletedProcess[str]:
    """`python app.py` in a process of its own, with `context` as the CDK CLI's -c would give it.

    `checked` says whether cdk-nag and the CDK itself look at the templates, which takes longer than the synthesis.
    """
    left_out = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name not in left_out
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment |= {"CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": json.dumps(context), "PATH": path}
    environment["CDK_VALIDATION"] = "true" if checked else "false"
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def as_text(value: Any) -> str:
    """A value of the template as one readable string: references in angle brackets."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(as_text(part) for part in parts)
        case _:
            # As in the ids of acknowledgements, which have no blanks.
            return json.dumps(value, separators=(",", ":"))


DEPLOYMENT = as_text(
    {"Fn::Select": [0, {"Fn::Split": ["-", {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}]}]}
)
"""Ends the names of the machines whose executions are named by a number or by content."""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Resource:
    logical_id: str
    body: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.body["Type"])

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body.get("Properties", {})
        return properties


class Synthesised:
    """One stack's template; resources are named by the words that begin their logical ids."""

    def __init__(self, *, folder: Path, stack: str) -> None:
        self.folder = folder
        self.stack = stack
        self.template_path = folder / f"{stack}.template.json"
        self.template: dict[str, Any] = json.loads(self.template_path.read_text())

    def beside(self, kind: str) -> Synthesised:
        """Another stack of the same app: "flywheel" or "import", "serving", "analysis"."""
        return Synthesised(folder=self.folder, stack=f"{self.name}-{kind}")

    @property
    def name(self) -> str:
        """The setting, which begins the names of all stacks of an app."""
        return self.stack.rpartition("-")[0]

    @property
    def imports(self) -> bool:
        """Whether it is an app that imports models."""
        return not (self.folder / f"{self.name}-flywheel.template.json").exists()

    @property
    def first(self) -> Synthesised:
        """The stack that the others need."""
        return self.beside("import" if self.imports else "flywheel")

    @functools.cached_property
    def resources(self) -> dict[str, Resource]:
        return {name: Resource(name, body) for name, body in self.template["Resources"].items()}

    def of_type(self, kind: str) -> list[Resource]:
        return [found for found in self.resources.values() if found.type == kind]

    def one(self, prefix: str, kind: str) -> Resource:
        found = [resource for resource in self.of_type(kind) if resource.logical_id.startswith(prefix)]
        assert len(found) == 1, f"{prefix} {kind}: {[resource.logical_id for resource in found]}"
        return found[0]

    def functions(self) -> dict[str, Resource]:
        """By the module in `handlers`."""
        return {
            found.properties["Handler"].split(".")[2]: found
            for found in self.of_type("AWS::Lambda::Function")
            if found.properties["Handler"].startswith("handlers.")
        }

    def role_of(self, arn: Any) -> Resource:
        """The role whose ARN a property holds."""
        return self.resources[arn["Fn::GetAtt"][0]]

    def definition(self, machine_id: str = "Turn") -> dict[str, Any]:
        """The turn machine, or the one of that construct; its references as text."""
        machine = self.one(machine_id, "AWS::StepFunctions::StateMachine")
        text = re.sub(r'":<(\w+)>', r'":"<\1>"', as_text(machine.properties["DefinitionString"]))
        definition: dict[str, Any] = json.loads(text)
        return definition


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    return as_list(document["Statement"])


def inline_statements(role: Resource) -> list[dict[str, Any]]:
    return [
        statement
        for policy in role.properties.get("Policies", [])
        for statement in statements(policy["PolicyDocument"])
    ]
