"""Which entity types and settings can be."""

from __future__ import annotations

import pytest

from flywheel.preparation.entities import EntityRules


@pytest.mark.parametrize("types", [("A",), ("a b", "ü" * 64), tuple(map(str, range(25)))])
def test_types_that_can_be(types: tuple[str, ...]) -> None:
    assert EntityRules(types).types == types


@pytest.mark.parametrize(
    "types",
    [
        (),
        tuple(map(str, range(26))),
        ("A", "A"),
        ("",),
        (" A",),
        ("A\u200b",),
        ("A\u200bB",),
        ("e\u0301",),
        ("A,B",),
        ("A\tB",),
        ("A\\nB",),
        ("x" * 65,),
        ("\ud83d",),
    ],
)
def test_types_that_cannot_be(types: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"type|types"):
        EntityRules(types)
