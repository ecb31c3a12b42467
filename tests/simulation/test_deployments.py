"""Calm schedules about deployments, written by hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from tests.simulation.api import IMPORTER
from tests.simulation.installation import installed
from tests.simulation.many import run_plan
from tests.simulation.schedule import parameters
from tests.simulation.schedule.act import Act
from tests.simulation.schedule.documents import Author
from tests.simulation.schedule.plan import HOUR, Plan, Rates, draw_plan, labels_of
from tests.simulation.simulation import Run

QUICK = {
    "MinimumDocumentsPerLabel": "2",
    "MinimumScore": "0",
    "Evidence": "ITERATION",
    "PromotionMode": "AUTOMATIC",
    "QuietPeriodMinutes": "0",
    "MinimumHoursBetweenIterations": "0",
    "TriggerOnUpload": "true",
    "SelectionMetric": "F1Score",
    "RequireSameTestData": "false",
}


def author() -> Author:
    return Author(random=random.Random(1), kind="MULTI_CLASS", labels=labels_of("MULTI_CLASS"))


def calm(acts: list[Act], *, given: Mapping[str, str] | None = None) -> Plan:
    """Uploads of a first pair of files, and these acts."""
    drawn = next(plan for seed in range(100) if (plan := draw_plan(seed, bounded=True)).kind == "MULTI_CLASS")
    writer = author()
    uploads = [
        Act(at=10.0 * number, kind="upload", file=writer.file(split, "first", per_label=8))
        for number, split in enumerate(("test", "train"))
    ]
    flywheel = {**drawn.parameters["flywheel"], **QUICK, **(given or {})}
    return replace(
        drawn,
        rates=Rates(),
        acts=(*uploads, *acts),
        parameters={**drawn.parameters, "flywheel": flywheel},
        readings={**drawn.readings, "minimum_per_label": "none", "first_model_becomes_active": False},
        importing=None,
        smoke_test=None,
        destroyed=(),
    )


def importing(**given: str) -> dict[str, dict[str, str]]:
    """Parameters of the stacks that import the models."""
    draw = random.Random(1)
    found = {stack: parameters.drawn(draw, stack, imports=True) for stack in ("import", "serving", "analysis")}
    found["import"] |= parameters.source("news") | given
    return found


def told(run: Run) -> str:
    return "\n".join(f"{who}: {what}" for _, who, what in run.story)


def test_what_is_shared_is_imported_tried_and_served() -> None:
    plan = calm([], given={"TrustedAccounts": IMPORTER})
    given = importing(
        PromotionMode="AUTOMATIC", SmokeTestKey=parameters.SMOKE_TEST_KEY, SmokeTestMinimum="0", ModelsToKeep="5"
    )
    smoke = author().file("serving", "smoke", per_label=2)
    with installed():
        found = run_plan(replace(plan, importing=given, smoke_test=smoke))
    assert found.broken is None, found.broken
    for step in ("receive_announcement", "import_model", "try_model", "judge_model"):
        assert found.visits[f"function/{step}"], step
    assert "served-import-promote promotion-000001: is SUCCEEDED" in told(found)


def test_never_leaves_what_is_shared_to_people() -> None:
    plan = calm([], given={"TrustedAccounts": IMPORTER})
    with installed():
        found = run_plan(replace(plan, importing=importing(PromotionMode="NEVER")))
    assert found.broken is None, found.broken
    assert found.visits["function/receive_announcement"]
    assert not found.visits["function/import_model"]


def test_nobody_is_told_whom_the_deployment_does_not_trust() -> None:
    plan = calm([], given={"TrustedAccounts": "none"})
    with installed():
        found = run_plan(replace(plan, importing=importing()))
    assert found.broken is None, found.broken
    assert not found.visits["function/import_model"]


def test_a_new_generation_is_seeded_with_what_was_accepted() -> None:
    writer = author()
    writer.count, writer.labels = 1000, labels_of("MULTI_CLASS", 2)
    later = writer.file("train", "later", per_label=4)
    acts = [
        Act(at=5 * HOUR, kind="deploy a new generation"),
        Act(at=5 * HOUR + 600, kind="upload", file=later),
    ]
    with installed():
        found = run_plan(calm(acts))
    assert found.broken is None, found.broken
    # Of the new label there is no test document: the accepted test data wait for one.
    assert "'dataset': 'train-000003', 'documents': 52" in told(found)


def test_nothing_that_bills_by_the_hour_is_left() -> None:
    plan = calm([])
    serving = {**plan.parameters["serving"], "InferenceUnits": "1", "ServingHoursStart": "none"}
    given = {**plan.parameters, "serving": {**serving, "ServingHoursEnd": "none"}}
    with installed():
        found = run_plan(replace(plan, parameters=given, destroyed=("flywheel", "serving", "analysis")))
    assert found.broken is None, found.broken
    assert found.visits["claim/nothing_bills_by_the_hour"]
    assert found.visits["cloudformation/Delete Custom::EndpointRemoval/SUCCESS"]
