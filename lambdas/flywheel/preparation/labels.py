"""The label column: from what an upload says to what Comprehend wants, once for every combination of labels."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from .limits import LabelRules
from .problems import Violation
from .rules import check_labels

_MUST_BE_QUOTED = (",", '"')
_MOST_CELLS_REMEMBERED = 10_000


class LabelColumn:
    """Knows the flywheel's labels and how each combination of them is written.

    A combination is handed around as its *head*: the bytes from the quote that ends the document before to the quote
    that begins this one, for example ``b'"\\nSPORTS,"'``. The same combination always has the same head.
    """

    def __init__(self, rules: LabelRules) -> None:
        self._rules = rules
        self._places = {label: place for place, label in enumerate(rules.labels)}
        self._heads: dict[str, bytes] = {}
        self._cells: dict[str, bytes] = {}
        self.names: dict[bytes, str] = {}
        """Head -> the combination as written, before CSV quoting."""
        self.salts: dict[bytes, int] = {}
        """Head -> 64 random-looking bits that are the same in every process."""

    def of_cell(self, cell: str) -> bytes | Violation:
        """The head of a CSV label column; its labels may be in any order and have spaces around them."""
        head: bytes | Violation | None = self._cells.get(cell)
        if head is None:
            head = self.of_names(cell.split(self._rules.delimiter) if self._rules.multi_label else [cell])
            if not isinstance(head, Violation) and len(self._cells) < _MOST_CELLS_REMEMBERED:
                self._cells[cell] = head
        return head

    def of_names(self, names: Sequence[str]) -> bytes | Violation:
        """The head of a list of labels."""
        stripped = [name.strip() for name in names]
        violation = check_labels(stripped, known=self._places, multi_label=self._rules.multi_label)
        if violation is not None:
            return violation
        return self._head(self._rules.delimiter.join(sorted(stripped, key=self._places.__getitem__)))

    def knows(self, cell: str) -> bool:
        """Whether a column is made of configured labels only."""
        return not isinstance(self.of_cell(cell), Violation)

    def _head(self, combination: str) -> bytes:
        head = self._heads.get(combination)
        if head is None:
            written = combination
            if any(character in combination for character in _MUST_BE_QUOTED):
                written = '"' + combination.replace('"', '""') + '"'
            head = b'"\n' + written.encode() + b',"'
            self._heads[combination] = head
            self.names[head] = combination
            self.salts[head] = int.from_bytes(blake2b(head, digest_size=8).digest(), "little")
        return head
