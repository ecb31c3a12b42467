"""What a recognizer's flywheel accepts: its entity types and the service's limits."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Self

from ..label_forms import as_compared
from ..limits import UploadOptions

MOST_TYPES = 25
LONGEST_TYPE = 64
# Tabs and line breaks, which nobody can see, not even as they are escaped: Comprehend refuses those, too.
_NOT_IN_TYPES = re.compile(r",|\\[nrt]")
_MEGABYTE = 1_000_000


def is_type(name: str) -> bool:
    """Whether Comprehend takes it as the name of an entity type, and a person sees all of it."""
    return (
        0 < len(name) <= LONGEST_TYPE
        and name.isprintable()
        and name == as_compared(name)
        and _NOT_IN_TYPES.search(name) is None
    )


@dataclass(frozen=True)
class EntityRules:
    """The flywheel's entity types.

    Raises:
        ValueError: types that no annotation could be checked against.
    """

    types: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.types) <= MOST_TYPES:
            raise ValueError(f"Give 1 to {MOST_TYPES} entity types, not {len(self.types)}.")
        for name in self.types:
            if not is_type(name):
                raise ValueError(
                    f"Entity type {name!r} is empty, longer than {LONGEST_TYPE} characters, has a comma or a character "
                    "that cannot be seen, or begins or ends with a space: correct it."
                )
        twins = [form for form, count in Counter(map(as_compared, self.types)).items() if count > 1]
        if twins:
            raise ValueError(f"Entity type {twins[0]!r} stands twice in the list: remove one of them.")


@dataclass(frozen=True)
class AnyType:
    """The rules of a flywheel that is not there yet: every type will do, up to ``most`` different ones."""

    most: int = MOST_TYPES


@dataclass(frozen=True, kw_only=True)
class EntityLimits(UploadOptions):
    """Where a document or a file is too large, and how much of an upload may be bad.

    The sizes are Comprehend's quotas for a flywheel's dataset of entity recognition ("Guidelines and quotas" in the
    developer guide): at most 200,000 documents, 200 MB, and 5 KB for a document; an entity list has at most 1,000,000
    entries of at most 5,000 characters. Units are decimal, the stricter reading. ``file_bytes`` counts for the
    documents as they are uploaded and as they are written, and for annotations that stand in files of their own.

    ``list_matches`` is how many matches for each type Comprehend wants from an entity list: fewer are remarked upon.
    ``rows`` and the others are ours, as in `flywheel.preparation.Limits`.
    """

    document_bytes: int = 5_000
    file_bytes: int = 200 * _MEGABYTE
    documents: int = 200_000
    rows: int = 400_000
    annotations: int = 3_000_000
    """Rows in files of annotations. They are held in memory; more cannot be written within ``file_bytes``, where an
    annotation takes 70 bytes or more."""
    list_entries: int = 1_000_000
    list_entry_characters: int = 5_000
    list_matches: int = 200
    examples: int = 100
    """Bad lines spelled out in all, and of those that are bad in the same way."""
    examples_of_a_kind: int = 3

    @classmethod
    def of(cls, options: UploadOptions) -> Self:
        return cls(**vars(options))
