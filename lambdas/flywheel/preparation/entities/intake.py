"""The one way into the prepared documents: every form of upload hands its documents over here to be checked."""

from __future__ import annotations

from collections.abc import Sequence

from ..problems import BadLines, Violation
from ..rules import NOT_UTF8
from .annotations import Annotation, check_annotations
from .limits import EntityLimits
from .rules import check_text
from .type_names import TypeNames
from .writer import Place, TakesDocuments

HALF_A_CHARACTER = "an escape names half a character (a lone surrogate)"


class Intake:
    """Checks documents, and gives them to ``documents`` or counts them among the bad lines."""

    def __init__(
        self, *, types: TypeNames, limits: EntityLimits, documents: TakesDocuments, bad: BadLines, remarks: BadLines
    ) -> None:
        self._types = types
        self._documents = documents
        self._remarks = remarks
        self.limits = limits
        self.bad = bad

    def take(
        self,
        text: str,
        annotations: Sequence[Annotation],
        *,
        place: Place,
        raw: bytes,
        remarks: Sequence[Violation] = (),
        counted: bool = False,
    ) -> None:
        """A document as the upload has it; ``raw`` is its record as it stood, ``remarks`` what to know of it.

        ``counted`` says that the upload has no offsets, and nobody but ourselves counted them.
        """
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            return self.refuse(Violation(NOT_UTF8, {"reason": HALF_A_CHARACTER}), place=place, raw=raw)
        violation = check_text(encoded, document_bytes=self.limits.document_bytes)
        if violation is not None:
            return self.refuse(violation, place=place, raw=raw)
        checked = check_annotations(text, annotations, self._types, counted=counted)
        if isinstance(checked, Violation):
            return self.refuse(checked, place=place, raw=raw)
        for remark in (*remarks, *checked.remarks):
            self.remark(remark, place=place, raw=encoded)
        return self._documents.add(text, checked.spans, place, raw)

    def refuse(self, violation: Violation, *, place: Place, raw: bytes) -> None:
        self.bad.add(violation, line=place.line, raw=raw, file=place.file)

    def remark(self, remark: Violation, *, place: Place | None, raw: bytes) -> None:
        """What to know of something that was taken; ``place`` is None where it is the upload as a whole."""
        line, file = (None, None) if place is None else (place.line, place.file)
        self._remarks.add(remark, line=line, raw=raw, file=file)
