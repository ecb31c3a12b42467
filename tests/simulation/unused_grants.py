"""Grants that stay although no schedule uses them, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {}
"""By grant, as `Roles.grants` has it."""
