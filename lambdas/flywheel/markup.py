"""HTML and SVG from elements: whatever is not an element itself is escaped, so no data can become markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_VOID = frozenset({"br", "col", "meta"})
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CONTROL_PICTURES = 0x2400


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
    """Control characters, which HTML cannot hold, are shown as their pictures (U+2400 and up)."""
    return Markup(_CONTROLS.sub(_picture, html.escape(data)))


def style_sheet(css: str) -> Markup:
    """A style element of a constant: a browser reads its content as it is, without unescaping."""
    return Markup(f"<style>{css}</style>")


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    return "\u2421" if code == 0x7F else chr(_CONTROL_PICTURES + code)
