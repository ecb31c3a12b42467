"""`flywheel cost --settings` counts in the templates what a deployment would make."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flywheel.records.decisions import Evidence
from ops.deployment.errors import NotSynthesisedError, WrongParametersError
from ops.deployment.synthesised import read_synthesised
from ops.verbs.cost import Per, planned_cost
from ops.verbs.usage import PLANNED_METRICS, planned_usage
from tests.infrastructure.synthesised import Synthesised

ALARM = "AWS::CloudWatch::Alarm"


@pytest.fixture
def folder(default: Synthesised, tmp_path: Path) -> Path:
    (tmp_path / "cdk.out").symlink_to(default.folder)
    return tmp_path


def test_every_stack_counts(folder: Path, default: Synthesised) -> None:
    stacks = [default, default.beside("serving"), default.beside("analysis")]
    unconditional = [alarm for stack in stacks for alarm in stack.of_type(ALARM) if "Condition" not in alarm.body]
    planned = planned_usage(read_synthesised(folder))
    assert planned.alarms == len(unconditional)
    assert (planned.dashboards, planned.keys, len(planned.buckets)) == (1, 0, 3)
    assert planned.wanted is None


@pytest.mark.parametrize(("labels", "measured"), [(20, 20), (21, 0)])
def test_labels_cost_a_metric_each_unless_they_are_too_many(folder: Path, labels: int, measured: int) -> None:
    synthesised = read_synthesised(folder)
    names = tuple(f"LABEL_{number}" for number in range(labels))
    given = synthesised.published.model_copy(update={"labels": names})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(synthesised), "published", given)
        assert planned_usage(synthesised).metrics == PLANNED_METRICS + measured


def test_parameters_count(folder: Path) -> None:
    without = planned_usage(read_synthesised(folder))
    given = (
        *("news-flywheel:DriftFloor=0.5", "news-flywheel:MaximumDaysWithoutTurn=7", "news-flywheel:Evidence=HOLDOUT"),
        *("news-serving:InferenceUnits=2", "news-serving:MaximumInferenceUnits=3"),
    )
    synthesised = read_synthesised(folder, parameters=given)
    planned = planned_usage(synthesised)
    assert planned.alarms == without.alarms + 2
    assert planned.wanted is not None
    assert (planned.wanted.inference_units, planned.wanted.most_units) == (2, 3)
    assert synthesised.published.parameters["Evidence"] == Evidence.HOLDOUT
    lines = {line.what: line for line in planned_cost(synthesised).lines}
    assert lines["Endpoint"].dollars.low == 2 * 730 * Decimal("1.80")
    assert lines["Hold-out"].dollars.high > 0


def test_an_unknown_parameter_is_refused(folder: Path) -> None:
    with pytest.raises(WrongParametersError, match="Did you mean InferenceUnits"):
        read_synthesised(folder, parameters=["news-serving:InferenceUnit=2"])


def test_without_templates_it_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(NotSynthesisedError, match="make synth"):
        read_synthesised(tmp_path)


def test_templates_of_former_settings_are_refused(folder: Path, default: Synthesised) -> None:
    settings = folder / "cdk.json"
    settings.write_text("{}")
    made = (default.folder / "manifest.json").stat().st_mtime
    os.utime(settings, (made - 60, made - 60))
    read_synthesised(folder)
    os.utime(settings, (made + 60, made + 60))
    with pytest.raises(NotSynthesisedError, match=r"cdk\.json is newer"):
        read_synthesised(folder)


def test_where_models_are_imported_nothing_is_trained(synthesis: Any, tmp_path: Path) -> None:
    assembly = synthesis("import")
    (tmp_path / "cdk.out").symlink_to(assembly.folder)
    synthesised = read_synthesised(tmp_path)
    assert synthesised.imports
    costs = planned_cost(synthesised)
    assert {line.per for line in costs.lines} == {Per.MONTH}
    assert next(line for line in costs.lines if line.what == "Alarms").quantity.low > 0
    assert any("smoke test of an import" in sentence for sentence in costs.left_out)
