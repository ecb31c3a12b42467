"""The answer of `flywheel cost`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from ops.tables.listing import Column, Listing
from ops.verbs.cost import Costs, Line, Per, Range, total

_TITLES = {Per.MONTH: "A month", Per.TURN: "A turn that trains"}
_CENT = Decimal("0.01")
_THOUSANDTH = Decimal("0.001")


def costs_view(costs: Costs) -> RenderableType:
    parts: list[RenderableType] = []
    for per in Per:
        lines = [line for line in costs.lines if line.per is per]
        if not lines:
            continue
        parts += [_table(lines, per), *(_basis(line) for line in lines), Text()]
    return Group(*parts, *(Text(sentence) for sentence in _remarks(costs)))


def _table(lines: Sequence[Line], per: Per) -> Listing:
    table = Listing(
        Column(title="What", wraps=True),
        Column(title="How many", number=True, rank=2),
        Column(title="Each", wraps=True, rank=1),
        Column(title="Dollars", number=True),
        title=_TITLES[per],
    )
    for line in lines:
        mark = "" if line.price.verified else " *"
        each = f"{_price(line.price.dollars)} per {line.price.unit}{mark}"
        table.add(line.what, quantity(line.quantity), each, money(line.dollars))
    table.add("Together", "", "", money(total(lines, per)), style="bold")
    return table


def _basis(line: Line) -> Text:
    return Text.assemble((line.what, "bold"), f": {line.basis}.")


def _price(dollars: Decimal) -> str:
    return f"${dollars:.2f}" if dollars == dollars.quantize(_CENT) else f"${dollars:f}"


def quantity(amount: Range) -> str:
    low, high = _number(amount.low), _number(amount.high)
    return low if low == high else f"{low} to {high}"


def _number(amount: Decimal) -> str:
    return "< 0.001" if 0 < amount < _THOUSANDTH else f"{amount:,.3f}".rstrip("0").rstrip(".")


def money(dollars: Range) -> str:
    """`$1.50`, `$3.00 to $6.00`; what is not nothing, but less than a cent, is not shown as nothing."""
    low, high = _amount(dollars.low), _amount(dollars.high)
    return low if low == high else f"{low} to {high}"


def _amount(dollars: Decimal) -> str:
    return "< $0.01" if 0 < dollars < _CENT else f"${dollars:,.2f}"


def _remarks(costs: Costs) -> list[str]:
    read = sorted({line.price.as_of for line in costs.lines if line.price.verified})
    prices = f"List prices of {costs.prices_of}, before taxes and discounts, as of {' and '.join(map(str, read))}"
    if not all(line.price.verified for line in costs.lines):
        prices += "; * is recalled, not checked (--json names the page)"
    return [f"{prices}.", *costs.left_out]
