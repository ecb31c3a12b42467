"""Entity types: from what an upload says to what the flywheel has."""

from __future__ import annotations

from ..label_advice import LONGEST_LABEL_COMPARED
from ..label_forms import as_compared
from ..problems import Violation
from .limits import LONGEST_TYPE, AnyType, EntityRules, is_type
from .rules import INVALID_TYPE, TOO_MANY_TYPES, UNKNOWN_TYPE

_MOST_NAMES_REMEMBERED = 10_000


class TypeNames:
    """Knows the flywheel's types. Under `AnyType` it learns them as they come."""

    def __init__(self, rules: EntityRules | AnyType) -> None:
        self.configured = rules.types if isinstance(rules, EntityRules) else ()
        self._most_learned = rules.most if isinstance(rules, AnyType) else 0
        # The form in which a type is compared -> the type as the flywheel has it.
        self._known = {as_compared(name): name for name in self.configured}
        self._names: dict[str, str] = {}

    def of(self, name: str) -> str | Violation:
        """The flywheel's type for a name as it is written, which may have spaces around it."""
        known = self._names.get(name)
        if known is not None:
            return known
        compared = as_compared(name)
        found = self._known.get(compared) or self._learned(compared)
        if not isinstance(found, Violation) and len(self._names) < _MOST_NAMES_REMEMBERED:
            self._names[name] = found
        return found

    def _learned(self, name: str) -> str | Violation:
        if not is_type(name):
            return Violation(INVALID_TYPE, {"name": name[: LONGEST_LABEL_COMPARED + 1], "longest": LONGEST_TYPE})
        if self.configured:
            facts = {"label": name[: LONGEST_LABEL_COMPARED + 1], "known": self.configured}
            return Violation(UNKNOWN_TYPE, facts)
        if len(self._known) >= self._most_learned:
            return Violation(TOO_MANY_TYPES, {"limit": self._most_learned})
        self._known[name] = name
        return name
