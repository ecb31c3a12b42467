from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.machines.direct import UNDEFINED
from tests.simulation.machines.errors import StateFailed
from tests.simulation.machines.expressions import Expression, expression, template

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
    st.sampled_from(["$a", "$b", "$states", "$states.input", "$states.result"]),
    st.lists(NAMES, max_size=2),
)
LITERALS = st.sampled_from(["null", "true", "false", "0", "7", "2.5", "''", "'ab'"])
FORMS = (
    *(f"{{0}} {sign} {{1}}" for sign in "= != < <= > >= + - * / & and or".split()),
    *("({0})", "$exists({path})", "$exists({path}) ? {path} : {0}", "{0} ? {1} : {2}", "({0} in [{1}, {2}])"),
    *("$max([{0}, {1}])", "$floor({0})", "$ceil({0})", "($c := {0}; $c = {1})"),
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(PATHS | LITERALS)
    inner = [draw(expressions(depth - 1)) for _ in range(3)]
    return draw(st.sampled_from(FORMS)).format(*inner, path=draw(PATHS))


def outcome(found: Expression, variables: dict[str, Any], states: dict[str, Any], *, engine: bool) -> Any:
    try:
        return (found.ask if engine else found.value)(variables, states)
    except StateFailed as failure:
        return failure.error


@settings(max_examples=300)
@given(text=expressions(), a=VALUES, b=VALUES, taken=VALUES, result=VALUES)
def test_the_direct_way_gives_what_the_engine_gives(text: str, a: Any, b: Any, taken: Any, result: Any) -> None:
    found = expression(text)
    variables, states = {"a": a, "b": b}, {"input": taken, "result": result}

    assert found.is_direct
    direct, engine = (outcome(found, variables, states, engine=engine) for engine in (False, True))

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
        ("1 = true", False),
        ("0 != false", True),
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
