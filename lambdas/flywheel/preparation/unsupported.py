"""Files that are not text, recognised by their first bytes: one sentence says more than 10,000 bad lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .file_format import BYTE_ORDER_MARK
from .problems import Violation
from .rules import UNSUPPORTED_TYPE

_TEXT_OF_IT = "Extract the text and upload it {as_text}"
_DECOMPRESS = "Decompress it and upload the file inside"
_EXPORT = "Export it as CSV or JSON Lines"
_JSON_LINES = "Write JSON Lines: each object on a line of its own, without commas between"
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
    (b"\xff\xfe\x00\x00", "UTF-32 text", _SAVE_UTF8),
    (b"\x00\x00\xfe\xff", "UTF-32 text", _SAVE_UTF8),
    (b"\xff\xfe", "UTF-16 text", _SAVE_UTF8),
    (b"\xfe\xff", "UTF-16 text", _SAVE_UTF8),
    (b"\x1f\x9d", "a compressed file", _DECOMPRESS),
    (b"LZIP", "an lzip archive", _DECOMPRESS),
    (b"\x04\x22\x4d\x18", "an LZ4 archive", _DECOMPRESS),
    (b"\x80\x04\x95", "a Python pickle", _EXPORT),
    (b"\x80\x05\x95", "a Python pickle", _EXPORT),
    (b"\x93NUMPY", "a NumPy array", _EXPORT),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _EXPORT),
)
_TEXTS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), what, instead)
    for pattern, what, instead in (
        (
            rb"version https://git-lfs\.github\.com/spec/",
            "a Git LFS pointer in place of the file",
            "Fetch the file with `git lfs pull` and upload that",
        ),
        (
            rb"<!DOCTYPE html|<html|<head|<body|<script|<meta",
            "a web page",
            "It may be the error page of a download that failed: look at it, and download the file again",
        ),
        (
            rb"(?:<\?xml[^>]*>\s*)?<error>",
            "an XML error message",
            "A download has failed: read the message, and download the file again",
        ),
        (rb"<\?xml|<[a-z][\w:.-]*(?:\s[^<>]*)?>\s*<", "an XML file", _EXPORT),
        (rb"%YAML|---\r?\n", "a YAML file", _EXPORT),
        (rb"\[\s*(?:[\[{]|\Z)", "one JSON array", _JSON_LINES),
        (rb"\{\s*\n", "one JSON value over several lines", _JSON_LINES),
        (
            rb"\{[^\n]*\"(?:messages|contents)\"\s*:\s*\[\s*\{",
            "made for the training of a language model",
            "Write {object} in each line",
        ),
    )
)
_ZIP = b"PK\x03\x04"
_INSIDE_ZIP: tuple[tuple[bytes, str, str], ...] = (
    (b"word/", "a Word document", _TEXT_OF_IT),
    (b"xl/", "an Excel workbook", "Save it as 'CSV UTF-8'"),
    (b"ppt/", "a PowerPoint presentation", _TEXT_OF_IT),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", "Save it as 'CSV UTF-8'"),
    (b"opendocument.text", "an OpenDocument text", _TEXT_OF_IT),
)
_LOOKED_AT = 4096
_TAR_AT = 257
_MOST_BINARY = (b"\x00", b"\x01", b"\x02", b"\x03")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a]")


@dataclass(frozen=True, slots=True)
class Readable:
    """What is read of a kind of model's uploads, in the words of what to do with another file."""

    formats: str
    as_text: str
    object: str


LABELLED = Readable(
    formats="a CSV or JSON Lines text file",
    as_text="as CSV: a label and a text on each line",
    object='{"label": "...", "text": "..."}',
)


def check_type(head: bytes, readable: Readable = LABELLED) -> Violation | None:
    """``head`` is the beginning of the file, some kilobytes of it if it has as many."""
    return _violation(_binary(head) or _other_text(head) or _mostly_binary(head), readable)


def check_binary(head: bytes, readable: Readable) -> Violation | None:
    """As `check_type`, of a file in which any text will do."""
    return _violation(_binary(head) or _mostly_binary(head), readable)


def _violation(found: tuple[str, str] | None, readable: Readable) -> Violation | None:
    if found is None:
        return None
    what, instead = found
    instead = instead.replace("{as_text}", readable.as_text).replace("{object}", readable.object)
    return Violation(UNSUPPORTED_TYPE, {"what": what, "formats": readable.formats, "instead": instead + "."})


def _binary(head: bytes) -> tuple[str, str] | None:
    if head.startswith(_ZIP):
        for name, what, instead in _INSIDE_ZIP:
            if name in head:
                return what, instead
        return "a zip archive", _DECOMPRESS
    sample = head[:_LOOKED_AT]
    binary = _CONTROL.search(sample) is not None
    for signature, what, instead in _SIGNATURES:
        # A label may well begin with a signature that is made of letters, such as PAR1.
        if head.startswith(signature) and (binary or not signature.isalnum()):
            return what, instead
    if head[_TAR_AT:].startswith(b"ustar"):
        return "a tar archive", _DECOMPRESS
    if len(sample) >= 4 and _is_utf16(sample):
        return "UTF-16 text", _SAVE_UTF8
    return None


def _other_text(head: bytes) -> tuple[str, str] | None:
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()[:_LOOKED_AT]
    for pattern, what, instead in _TEXTS:
        if pattern.match(text):
            return what, instead
    return None


def _mostly_binary(head: bytes) -> tuple[str, str] | None:
    sample = head[:_LOOKED_AT]
    return ("binary", _EXPORT) if 10 * sum(map(sample.count, _MOST_BINARY)) > len(sample) else None


def _is_utf16(sample: bytes) -> bool:
    """Whether every other byte is mostly zero, as in Western text without a byte order mark."""
    for first in (0, 1):
        half = sample[first::2]
        if half.count(0) > 0.6 * len(half) and sample[1 - first :: 2].count(0) < 0.1 * len(half):
            return True
    return False
