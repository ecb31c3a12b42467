"""Files that are not text, recognised by their first bytes: one sentence says more than 10,000 bad lines."""

from __future__ import annotations

import re

from .problems import Violation
from .rules import UNSUPPORTED_TYPE

_TEXT_OF_IT = "Extract the text and upload it as CSV: a label and a text on each line"
_DECOMPRESS = "Decompress it and upload the file inside"
_EXPORT = "Export it as CSV or JSON Lines"
_SAVE_UTF8 = "Save it as UTF-8 (in Excel: 'CSV UTF-8')"

_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF document", _TEXT_OF_IT),
    (b"{\\rtf", "an RTF document", _TEXT_OF_IT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Word, Excel or PowerPoint document", "Save it as 'CSV UTF-8'"),
    (b"\x1f\x8b", "a gzip archive", _DECOMPRESS),
    (b"BZh", "a bzip2 archive", _DECOMPRESS),
    (b"\xfd7zXZ\x00", "an xz archive", _DECOMPRESS),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _DECOMPRESS),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _DECOMPRESS),
    (b"Rar!\x1a\x07", "a RAR archive", _DECOMPRESS),
    (b"PAR1", "a Parquet file", _EXPORT),
    (b"Obj\x01", "an Avro file", _EXPORT),
    (b"ARROW1", "an Arrow file", _EXPORT),
    (b"SQLite format 3\x00", "an SQLite database", _EXPORT),
    (b"\x89PNG\r\n\x1a\n", "a PNG image", _TEXT_OF_IT),
    (b"\xff\xd8\xff", "a JPEG image", _TEXT_OF_IT),
    (b"GIF87a", "a GIF image", _TEXT_OF_IT),
    (b"GIF89a", "a GIF image", _TEXT_OF_IT),
    (b"II*\x00", "a TIFF image", _TEXT_OF_IT),
    (b"MM\x00*", "a TIFF image", _TEXT_OF_IT),
    (b"\xff\xfe", "UTF-16 text", _SAVE_UTF8),
    (b"\xfe\xff", "UTF-16 text", _SAVE_UTF8),
    (b"<?xml", "an XML file", _EXPORT),
    (b"<!DOCTYPE html", "a web page", _TEXT_OF_IT),
)
_ZIP = b"PK\x03\x04"
_INSIDE_ZIP: tuple[tuple[bytes, str, str], ...] = (
    (b"word/", "a Word document", _TEXT_OF_IT),
    (b"xl/", "an Excel workbook", "Save it as 'CSV UTF-8'"),
    (b"ppt/", "a PowerPoint presentation", _TEXT_OF_IT),
)
_LOOKED_AT = 4096
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a]")


def check_type(head: bytes) -> Violation | None:
    """``head`` is the beginning of the file, some kilobytes of it if it has as many."""
    if head.startswith(_ZIP):
        for name, what, instead in _INSIDE_ZIP:
            if name in head:
                return _unsupported(what, instead)
        return _unsupported("a zip archive", _DECOMPRESS)
    binary = _CONTROL.search(head, 0, _LOOKED_AT) is not None
    for signature, what, instead in _SIGNATURES:
        # A label may well begin with a signature that is made of letters, such as PAR1.
        if head.startswith(signature) and (binary or not signature.isalnum()):
            return _unsupported(what, instead)
    if head.lstrip().startswith(b"[") and head.lstrip()[1:].lstrip()[:1] in (b"{", b"["):
        return _unsupported(
            "one JSON array", "Write JSON Lines: each object on a line of its own, without commas between"
        )
    sample = head[:_LOOKED_AT]
    if len(sample) >= 4 and _is_utf16(sample):
        return _unsupported("UTF-16 text", _SAVE_UTF8)
    return None


def _is_utf16(sample: bytes) -> bool:
    """Whether every other byte is mostly zero, as in Western text without a byte order mark."""
    for first in (0, 1):
        half = sample[first::2]
        if half.count(0) > 0.6 * len(half) and sample[1 - first :: 2].count(0) < 0.1 * len(half):
            return True
    return False


def _unsupported(what: str, instead: str) -> Violation:
    return Violation(UNSUPPORTED_TYPE, {"what": what, "instead": instead + "."})
