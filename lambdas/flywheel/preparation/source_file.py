"""A file of an upload."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True)
class SourceFile:
    """``open`` gives it from its beginning, each time anew; only ``read(n)`` is used."""

    name: str
    size: int
    open: Callable[[], BinaryIO]
