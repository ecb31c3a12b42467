"""The documents of a job: plain text in UTF-8, one for each line or one for each file.

Sources: "File formats for async analysis" and "Guidelines and quotas" of the developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ONE_DOC_PER_LINE = "ONE_DOC_PER_LINE"
ONE_DOC_PER_FILE = "ONE_DOC_PER_FILE"

# A chunk holds at most so many documents and, beyond its first, so many characters.
CHUNK_DOCUMENTS = 1000
CHUNK_CHARACTERS = 8 * 1024**2


class InvalidJobInputError(Exception):
    """The input cannot be used; the message names the file and says what to correct."""


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """A local copy of an input object, and the name that the output gives it."""

    path: Path
    name: str


@dataclass(frozen=True, kw_only=True)
class InputDocument:
    """``line`` counts from 0 in its file; None when the file is the document."""

    file: str
    line: int | None
    text: str


@dataclass(frozen=True, kw_only=True)
class JobInput:
    """``format`` is ONE_DOC_PER_LINE or ONE_DOC_PER_FILE."""

    files: tuple[InputFile, ...]
    format: str
    maximum_documents: int

    def chunks(self) -> Iterator[list[InputDocument]]:
        """The documents in the order of files and lines, few enough at a time to be held in memory.

        A line ends with LF, CR or CRLF; an empty one is a document like any other. Raises InvalidJobInputError for a
        file that is not UTF-8, for more than ``maximum_documents``, and when there is no document at all.
        """
        chunk: list[InputDocument] = []
        characters = total = 0
        for document in self._documents():
            if chunk and (len(chunk) == CHUNK_DOCUMENTS or characters + len(document.text) > CHUNK_CHARACTERS):
                yield chunk
                chunk, characters = [], 0
            total += 1
            if total > self.maximum_documents:
                raise InvalidJobInputError(f"The input has more than {self.maximum_documents} documents.")
            chunk.append(document)
            characters += len(document.text)
        if not total:
            raise InvalidJobInputError("The input has no documents: every file is empty.")
        yield chunk

    def _documents(self) -> Iterator[InputDocument]:
        for file in self.files:
            # Text mode ends a line at LF, CR and CRLF, and at none of Unicode's other separators.
            with file.path.open(encoding="utf-8") as stream:
                try:
                    if self.format == ONE_DOC_PER_FILE:
                        yield InputDocument(file=file.name, line=None, text=stream.read())
                    else:
                        for number, line in enumerate(stream):
                            yield InputDocument(file=file.name, line=number, text=line.removesuffix("\n"))
                except UnicodeDecodeError as error:
                    raise InvalidJobInputError(f"{file.name} is not valid UTF-8.") from error
