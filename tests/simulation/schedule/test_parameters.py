from __future__ import annotations

import random

import pytest

from tests.simulation.deployment.synthesis import IMPORTING, templates_of
from tests.simulation.schedule import parameters


@pytest.mark.parametrize("kind", ["classifier", "recognizer", IMPORTING])
def test_each_parameter_of_each_stack_is_drawn(kind: str) -> None:
    for name, template in templates_of(kind).items():
        stack = name.rpartition("-")[2]
        assert set(template["Parameters"]) == parameters.all_names(stack, imports=kind == IMPORTING)


@pytest.mark.parametrize("kind", ["classifier", IMPORTING])
def test_values_are_allowed(kind: str) -> None:
    for name, template in templates_of(kind).items():
        for parameter, values in parameters.STACKS[name.rpartition("-")[2]].items():
            allowed = template["Parameters"].get(parameter, {}).get("AllowedValues")
            assert allowed is None or set(values) <= set(map(str, allowed)), parameter


def test_serving_hours_begin_and_end() -> None:
    for seed in range(50):
        found = parameters.drawn(random.Random(seed), "serving")
        assert (found["ServingHoursStart"] == "none") == (found["ServingHoursEnd"] == "none")
