"""The label column: from what an upload says to what Comprehend wants, once for every combination of labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from hashlib import blake2b

from .label_forms import as_compared
from .limits import AnyLabel, LabelRules
from .problems import Violation
from .rules import HALF_A_CHARACTER, NOT_UTF8, TOO_MANY_CLASSES, check_labels, check_unknown

_MUST_BE_QUOTED = (",", '"')
_MOST_CELLS_REMEMBERED = 10_000
# A cell may have megabytes of spaces.
_LONGEST_CELL_REMEMBERED = 1 << 12


def is_remembered(cell: Sized, cells: Sized) -> bool:
    """Whether there is room for one more label cell among those whose labels are known."""
    return len(cell) <= _LONGEST_CELL_REMEMBERED and len(cells) < _MOST_CELLS_REMEMBERED


def labels_hash(labels: Iterable[str]) -> bytes:
    """The eight bytes that stand for a document's labels in a file of hashes, whatever their order and delimiter."""
    return blake2b("\x1f".join(sorted(labels)).encode(), digest_size=8).digest()


class LabelColumn:
    """Knows the flywheel's labels and how each combination of them is written.

    A combination is handed around as its *head*: the bytes from the quote that ends the document before to the quote
    that begins this one, for example ``b'"\\nSPORTS,"'``. The same combination always has the same head.

    Under `AnyLabel` it learns the labels as they come.
    """

    def __init__(self, rules: LabelRules | AnyLabel) -> None:
        self._multi_label = rules.multi_label
        self._delimiter = rules.delimiter
        self._most_learned = rules.most if isinstance(rules, AnyLabel) else 0
        configured = rules.labels if isinstance(rules, LabelRules) else ()
        # The form in which a label is compared -> the label as the flywheel has it, in the order of the settings.
        self._known = {as_compared(label): label for label in configured}
        self._places = {label: place for place, label in enumerate(configured)}
        self._heads: dict[str, bytes] = {}
        self._cells: dict[str, bytes] = {}
        self.configured = configured
        self.names: dict[bytes, str] = {}
        """Head -> the combination as written, before CSV quoting."""
        self.salts: dict[bytes, int] = {}
        """Head -> its ``labels_hash`` as a number: 64 random-looking bits."""

    @property
    def delimiter(self) -> str | None:
        """What joins the labels of a document; None if it has only one."""
        return self._delimiter if self._multi_label else None

    def of_cell(self, cell: str) -> bytes | Violation:
        """The head of a CSV label column; its labels may be in any order and have spaces around them."""
        head: bytes | Violation | None = self._cells.get(cell)
        if head is None:
            head = self.of_names(cell.split(self._delimiter) if self._multi_label else [cell])
            if not isinstance(head, Violation) and is_remembered(cell, self._cells):
                self._cells[cell] = head
        return head

    def of_names(self, names: Sequence[str]) -> bytes | Violation:
        """The head of a list of labels."""
        compared = [as_compared(name) for name in names]
        violation = check_labels(compared, multi_label=self._multi_label)
        if violation is not None:
            return violation
        for name in compared:
            violation = None if name in self._known else self._learn(name)
            if violation is not None:
                return violation
        labels = [self._known[name] for name in compared]
        return self._head(sorted(labels, key=self._places.__getitem__))

    def names_of(self, head: bytes) -> tuple[str, ...]:
        """The labels of a combination, in the order of the settings."""
        name = self.names[head]
        return tuple(name.split(self._delimiter)) if self._multi_label else (name,)

    def knows(self, cell: str) -> bool:
        """Whether a column is made of configured labels only; what was learned is no evidence of anything."""
        return bool(self.configured) and not isinstance(self.of_cell(cell), Violation)

    def _learn(self, name: str) -> Violation | None:
        if not self._most_learned:
            return check_unknown(name, known=self.configured, delimiter=self.delimiter)
        if len(self._known) >= self._most_learned:
            return Violation(TOO_MANY_CLASSES, {"limit": self._most_learned})
        try:
            name.encode()
        except UnicodeEncodeError:
            return Violation(NOT_UTF8, {"reason": HALF_A_CHARACTER})
        self._known[name] = name
        self._places[name] = len(self._places)
        return None

    def _head(self, names: Sequence[str]) -> bytes:
        combination = self._delimiter.join(names)
        head = self._heads.get(combination)
        if head is None:
            written = combination
            if any(character in combination for character in _MUST_BE_QUOTED):
                written = '"' + combination.replace('"', '""') + '"'
            head = b'"\n' + written.encode() + b',"'
            self._heads[combination] = head
            self.names[head] = combination
            self.salts[head] = int.from_bytes(labels_hash(names), "little")
        return head
