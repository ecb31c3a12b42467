"""Entities in texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class Entity:
    """Where an entity stands in its document, in code points, ``end`` exclusive."""

    begin: int
    end: int
    type: str


@dataclass(frozen=True, kw_only=True)
class AnnotatedText:
    """A document as it was read, with its entities in the order of the text, and where it was, for messages."""

    where: str
    text: str
    entities: tuple[Entity, ...]
