from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.machines.errors import StateFailed
from tests.simulation.machines.expressions import UNDEFINED, Expression, expression, template

NAMES = st.sampled_from(["a", "b", "Error", "input"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.integers(-5, 5).map(lambda number: number + 0.5)
    | st.text(string.ascii_letters, max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
PATHS = st.builds(
    lambda root, steps: ".".join([root, *steps]),
    st.sampled_from(["$a", "$b", "$states", "$states.input", "$states.context"]),
    st.lists(NAMES, max_size=3),
)


def outcome(found: Expression, variables: dict[str, Any], states: dict[str, Any], *, engine: bool) -> Any:
    try:
        return (found.ask if engine else found.value)(variables, states)
    except StateFailed as failure:
        return failure.error


@given(path=PATHS, text=st.none() | st.text("abc ", max_size=3), a=VALUES, taken=VALUES, context=VALUES)
def test_the_direct_way_gives_what_the_engine_gives(
    path: str, text: str | None, a: Any, taken: Any, context: Any
) -> None:
    found = expression(path if text is None else f"$exists({path}) ? {path} : '{text}'")
    states = {"input": taken, "context": context}

    assert found.is_direct
    direct, engine = (outcome(found, {"a": a}, states, engine=engine) for engine in (False, True))

    assert repr(direct) == repr(engine)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("$a", None),
        ("$a != null", False),
        ("$n + $max([30, $floor($n / 100)])", 4040),
        ("$n / 8", 500),
        ("{'reason': null, 'behind': false}", {"reason": None, "behind": False}),
        ("[$a, $list[0], $list.x]", [None, None, 1]),
        ("$list.x", 1),
        ("$list", [None, {"x": 1}]),
        ("$count($list)", 2),
        ("$nothing", []),
        ("$states.input.and", UNDEFINED),
        ("$states.input.Status in ['A', 'B']", True),
        ("$exists($states.input.absent) ? 1 : $a", None),
        ("$parse('[1, null]')", [1, None]),
        ("($found := $states.input; $found.Status = 'A' ? $found : 'no')", {"Status": "A", "none": None}),
    ],
)
def test_values_are_plain_and_null_is_not_undefined(text: str, value: Any) -> None:
    variables = {"a": None, "n": 4000, "list": [None, {"x": 1}], "nothing": []}
    states = {"input": {"Status": "A", "none": None}}

    found = expression(text).value(variables, states)

    assert found == value
    assert type(found) is type(value)
    assert variables["list"] == [None, {"x": 1}]
    assert states == {"input": {"Status": "A", "none": None}}


@pytest.mark.parametrize(
    "text", ["$absent", "$absent.a", "$absent != null", "$a + 'x'", "$parse('{')", "$states.output"]
)
def test_what_gives_nothing_or_cannot_be_evaluated_is_an_error(text: str) -> None:
    evaluate = template({"deep": [{"field": f"{{% {text} %}}"}]}, "Output")

    with pytest.raises(StateFailed) as failed:
        evaluate({"a": 1}, {"input": {}})

    assert failed.value.error == "States.QueryEvaluationError"
    assert text in str(failed.value.cause)


def test_a_text_is_an_expression_only_in_its_braces() -> None:
    evaluate = template(["$a", "{% $a %}", " {% $a %}", {"{% $a %}": 1}], "Output")

    assert evaluate({"a": 5}, {}) == ["$a", 5, " {% $a %}", {"{% $a %}": 1}]


@pytest.mark.parametrize("text", ["$now()", "$uuid()", "$random()"])
def test_what_the_seed_does_not_decide_is_refused(text: str) -> None:
    with pytest.raises(NotImplementedError, match=r"no JSONata function"):
        expression(text)
