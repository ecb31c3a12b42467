"""Builds HTML and SVG from elements. Everything that is not an element is escaped, so no data can become markup."""

from __future__ import annotations

import html
from collections.abc import Iterable

from flywheel.text.printable import printable_lines

_VOID = frozenset({"br", "col", "meta"})


class Markup(str):
    """Text that is HTML already. Made by `element` and `join` only."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | float | None) -> Markup:
    """An element. A child that is not Markup is escaped as text. Attributes that are None are left out.

    `class_` is written as class, `stroke_width` as stroke-width.
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
    """Escaped text. Control characters, direction marks and characters without width are made visible (`printable`)."""
    return Markup(html.escape(printable_lines(data)))


def style_sheet(css: str) -> Markup:
    """A style element. `css` must be a constant, because a browser does not unescape the content of a style element."""
    return Markup(f"<style>{css}</style>")
