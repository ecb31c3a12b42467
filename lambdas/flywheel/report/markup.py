"""HTML and SVG from elements: whatever is not an element itself is escaped, so no data can become markup."""

from __future__ import annotations

import html
from collections.abc import Iterable

from flywheel.text.printable import printable_lines

_VOID = frozenset({"br", "col", "meta"})


class Markup(str):
    """Text that is HTML already. Made by `element` and `join` only."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | float | None) -> Markup:
    """An element; a child that is not Markup is text. An attribute that is None is left out.

    `class_` is the attribute class, `stroke_width` is stroke-width.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Iterable[str], separator: str = "") -> Markup:
    return Markup(separator.join(child if isinstance(child, Markup) else text(child) for child in children))


def text(data: str) -> Markup:
    """What HTML cannot hold, turns the reading around or has no width is shown (`printable`)."""
    return Markup(html.escape(printable_lines(data)))


def style_sheet(css: str) -> Markup:
    """A style element of a constant: a browser reads its content as it is, without unescaping."""
    return Markup(f"<style>{css}</style>")
