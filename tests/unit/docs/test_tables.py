"""What the documents' tables say is what the code has; what only templates know is compared in tests/infrastructure."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from policy_sentry.querying.actions import get_actions_for_service

from flywheel.api.errors import STATUSES
from flywheel.comprehend.model_kind import ModelType
from flywheel.model_kinds import kind_of
from handlers.api.openapi import NAMES
from ops.main import app
from ops.verbs import prices
from stacks.environments import Environment
from stacks.settings import FlywheelSettings
from tests.documents import ROOT, quoted, rows, section, table

OPERATING, REFERENCE, INTERFACES = "docs/operating.md", "docs/reference.md", "docs/interfaces.md"
FLYWHEEL, HANDLERS = ROOT / "lambdas" / "flywheel", ROOT / "lambdas" / "handlers"
NOTHING = "\N{EN DASH}"
VERBS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # it is a group
STEPS = {
    path.stem: path for path in HANDLERS.rglob("*.py") if re.search(r"^def handler\(", path.read_text(), re.MULTILINE)
}


def classes(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)}


class TestReference:
    def test_settings_are_these(self) -> None:
        assert list(rows(REFERENCE, "Settings")) == list(FlywheelSettings.model_fields)

    @pytest.mark.parametrize("name", FlywheelSettings.model_fields)
    def test_a_setting_has_this_default(self, name: str) -> None:
        field = FlywheelSettings.model_fields[name]
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        if not default:
            expected = NOTHING
        elif name == "encryption":
            expected = f"`{json.dumps(default.model_dump(mode='json', exclude_none=True))}`"
        else:
            expected = f"`{default}`"
        assert rows(REFERENCE, "Settings")[name]["default"] == expected

    @pytest.mark.parametrize("name", FlywheelSettings.model_fields)
    def test_every_value_of_a_setting_is_named(self, name: str) -> None:
        row = rows(REFERENCE, "Settings")[name]
        named = set(quoted(row["default"] + row["meaning"]))
        schema = FlywheelSettings.model_json_schema()
        listed = set(choices(schema["properties"][name], schema))
        assert not listed or listed == named

    def test_keys_of_environments_are_these(self) -> None:
        own = [name for name in Environment.model_fields if name not in FlywheelSettings.model_fields]
        assert list(rows(REFERENCE, "Environments")) == own

    def test_every_verb_that_needs_more_is_a_verb(self) -> None:
        assert set(rows(REFERENCE, "Permissions of the command line")) <= VERBS

    def test_every_action_that_a_verb_needs_is_one_of_awss(self) -> None:
        actions = {
            action
            for row in rows(REFERENCE, "Permissions of the command line").values()
            for action in quoted(row["actions"])
            if re.fullmatch(r"[a-z0-9-]+:\w+", action)
        }
        assert actions
        for action in actions:
            assert action in get_actions_for_service(action.partition(":")[0])

    def test_prices_are_those_that_are_counted_with(self) -> None:
        text = " ".join(row["price"] for row in table(REFERENCE, "Costs"))
        for name, price in vars(prices).items():
            if isinstance(price, prices.Price):
                # Transitions are priced by the thousand.
                dollars = price.dollars * 1000 if name == "TRANSITION" else price.dollars
                assert re.search(rf"\${dollars.normalize():f}0*\b", text), name


def choices(schema: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
    """The values that a string may have, where they are listed."""
    if "$ref" in schema:
        yield from choices(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    yield from schema.get("enum", [schema["const"]] if "const" in schema else [])
    for member in ("items", "anyOf", "allOf", "oneOf"):
        found = schema.get(member, [])
        for each in found if isinstance(found, list) else [found]:
            yield from choices(each, whole)


class TestOperating:
    def test_verbs_are_these(self) -> None:
        named = [name.split()[0] for row in table(OPERATING, "The command line") for name in quoted(row["verb"])]
        assert sorted(named) == sorted(VERBS)


class TestApi:
    @pytest.mark.parametrize("model_type", ModelType)
    def test_a_kinds_route_document_and_limit_are_these(self, model_type: ModelType) -> None:
        real_time = kind_of(model_type).real_time
        row = rows("docs/api.md", "The real-time API")[model_type]
        assert quoted(row["routes"]) == [f"POST {real_time.path}", "GET /model", "POST /feedback"]
        assert f"({NAMES[model_type]})" in row["described by"]
        assert row["most bytes of a document, in UTF-8"] == f"{real_time.most_text_bytes:,}"

    def test_errors_are_these(self) -> None:
        said = {
            code: int(row["status"])
            for row in table("docs/api.md", "Errors")
            if "AWS's names" not in row["`code`"]
            for code in quoted(row["`code`"])
        }
        assert said == {code.value: status.value for code, status in STATUSES.items()}


class TestReadme:
    def test_the_picture_has_every_step_of_the_turn(self) -> None:
        (picture,) = re.findall(r"```mermaid\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        steps = {name for name, path in STEPS.items() if path.parent.name == "turn"}
        assert {word for word in re.findall(r"[a-z]+_[a-z_]+", picture) if word in STEPS} == steps


class TestArchitecture:
    def test_the_order_of_imports_is_the_one_that_is_checked(self) -> None:
        contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
        checked = [name for layer in contract["layers"] for name in layer.split(" | ")]
        text = section("docs/architecture.md", "What may import what")
        (order,) = [paragraph for paragraph in text.split("\n\n") if "→" in paragraph]
        named = quoted(order)
        assert named == [name for name in checked if name in named]
        wings = set(rows("docs/architecture.md", "The wings"))
        assert wings <= set(named) <= {path.stem for path in FLYWHEEL.iterdir()}
        assert {path.parent.name for path in STEPS.values()} <= wings


class TestContributing:
    def test_make_has_these_verbs(self) -> None:
        verbs = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert sorted(rows("CONTRIBUTING.md", "Verbs")) == sorted(f"make {verb}" for verb in verbs)

    def test_tests_are_in_these_folders(self) -> None:
        folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("test_*.py")}
        assert set(rows("CONTRIBUTING.md", "Tests")) == {f"tests/{folder}" for folder in folders}


class TestInterfaces:
    WINGS = ("the turn", "promotions", "sharing", "serving", "imports", "the creation", "the API", "analysis jobs")

    def test_each_step_has_its_row(self) -> None:
        named = [name for wing in self.WINGS for name in rows(INTERFACES, f"Functions of {wing}")]
        assert sorted(named) == sorted(str(path.relative_to(ROOT / "lambdas")) for path in STEPS.values())

    @pytest.mark.parametrize("step", STEPS)
    def test_a_step_has_one_module_of_its_name_in_the_domain(self, step: str) -> None:
        assert len(list(FLYWHEEL.rglob(f"{step}.py"))) == 1

    def test_what_is_written_is_written_by_steps(self) -> None:
        for row in table(INTERFACES, "Intake bucket"):
            names = {name for name in quoted(row["written by"]) if re.fullmatch(r"[a-z]+(_[a-z]+)+", name)}
            assert names <= set(STEPS), row["key"]

    def test_records_are_classes_where_the_table_says(self) -> None:
        records = set().union(*(classes(path) for path in (FLYWHEEL / "records").glob("*.py")))
        for row in table(INTERFACES, "Intake bucket"):
            words = quoted(row["record"])
            elsewhere = [classes(ROOT / word) for word in words if word.endswith(".py")]
            known = elsewhere[0] if elsewhere else records
            assert {word for word in words if re.fullmatch(r"[A-Z]\w+", word)} <= known, row["key"]

    def test_errors_are_classes(self) -> None:
        known = set().union(*(classes(path) for path in FLYWHEEL.rglob("*.py")))
        for row in table(INTERFACES, "Errors"):
            assert set(quoted(row["error"])) <= known
