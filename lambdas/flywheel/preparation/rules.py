"""Every rule an upload is checked against: its id, what it says, what to do, and the check itself."""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .problems import Rule, Violation

_LONGEST_LABEL_COMPARED = 200
_LABELS_LISTED = 10
_DECODED_AT_ONCE = 1 << 20


def _suggest(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configured label nearest to an unknown one, or the list of labels when none is near."""
    known: Sequence[str] = facts["known"]
    near = nearest_label(facts["label"], known)
    if near is not None:
        return {"shown": _shortened(facts["label"]), "suggestion": f'Did you mean "{near}"?'}
    listed = ", ".join(known[:_LABELS_LISTED]) + (", ..." if len(known) > _LABELS_LISTED else "")
    return {"shown": _shortened(facts["label"]), "suggestion": f"Use one of: {listed}."}


def nearest_label(label: str, known: Sequence[str]) -> str | None:
    """The label somebody probably meant. Equal but for case, spaces, hyphens and underscores beats similar."""
    if len(label) > _LONGEST_LABEL_COMPARED:
        return None
    by_form: dict[str, str] = {}
    for candidate in known:
        by_form.setdefault(_form(candidate), candidate)
    form = _form(label)
    if form in by_form:
        return by_form[form]
    near = difflib.get_close_matches(form, list(by_form), n=1)
    return by_form[near[0]] if near else None


def _form(label: str) -> str:
    return re.sub(r"[\s_-]+", "", label).casefold()


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL_COMPARED else label[:_LONGEST_LABEL_COMPARED] + "…"


NOT_UTF8 = Rule(
    "not-utf8",
    "The line is not UTF-8: {reason}.",
    "Save the file as UTF-8 (in Excel: 'CSV UTF-8'); it was probably saved as Windows-1252 or Latin-1.",
)
UNCLOSED_QUOTE = Rule(
    "unclosed-quote",
    "A double quote opens on this line and is not closed as it should be, here or further down.",
    'Close the quote at the end of the text; write a double quote inside it twice (""). Later lines were read on.',
)
BROKEN_QUOTES = Rule(
    "broken-quotes",
    "A quoted column is followed by something other than {delimiter} or the end of the line.",
    'Close the quote at the end of the text; write a double quote inside a quoted text twice ("").',
)
WRONG_COLUMNS = Rule(
    "wrong-columns",
    "The line has {found} column(s); it must have 2, a label and a text.",
    'Put the text in double quotes if it contains {delimiter}, and write a double quote inside it twice ("").',
)
EMPTY_LABEL = Rule("empty-label", "The label is empty.", "Write a label in front of the text, or remove the line.")
UNKNOWN_LABEL = Rule(
    "unknown-label",
    'Label "{shown}" is not one of the flywheel\'s labels (upper and lower case count).',
    "{suggestion}",
    enrich=_suggest,
)
REPEATED_LABEL = Rule(
    "repeated-label", 'Label "{label}" stands more than once in this line.', "Write each label of a document once."
)
TOO_MANY_LABELS = Rule(
    "too-many-labels",
    "The document has {found} labels, but this flywheel takes one label for each document (MULTI_CLASS).",
    "Keep one label, or use a flywheel with the mode MULTI_LABEL.",
)
EMPTY_TEXT = Rule("empty-text", "The text is empty.", "Write the document's text after the label, or remove the line.")
DOCUMENT_TOO_LARGE = Rule(
    "document-too-large",
    "The document is larger than the limit of {limit:,} bytes.",
    "Shorten the document, or split it into several.",
)
INVALID_JSON = Rule(
    "invalid-json",
    "The line is not a JSON object: {reason}.",
    'Write one JSON object on each line, such as {{"label": "...", "text": "..."}}.',
)
MISSING_JSON_KEY = Rule(
    "missing-json-key",
    "The JSON object has no key {key}.",
    'Give every object the keys "text" and "label" (or "labels", a list).',
)
WRONG_JSON_VALUE = Rule("wrong-json-value", "{what}.", "{instead}.")

FILE_TOO_LARGE = Rule(
    "file-too-large", "The file is larger than the limit of {limit:,} bytes.", "Split the file and upload the parts."
)
EMPTY_FILE = Rule("empty-file", "The file holds no document.", "Upload a file with one labelled document on each line.")
UNSUPPORTED_TYPE = Rule("unsupported-type", "The file is {what}, not a CSV or JSON Lines text file.", "{instead}")
TOO_MANY_DOCUMENTS = Rule(
    "too-many-documents",
    "The file holds more than {limit:,} documents, the most that one dataset may hold; the rest was not checked.",
    "Split the file and upload the parts.",
)
TOO_MANY_BAD_LINES = Rule(
    "too-many-bad-lines",
    "{bad:,} of {lines:,} lines are bad ({percent} %), more than the {maximum:g} % allowed: nothing was taken.",
    "Correct the lines listed here and upload the file again, or raise MaximumBadLinesPercent.",
)

RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        NOT_UTF8,
        UNCLOSED_QUOTE,
        BROKEN_QUOTES,
        WRONG_COLUMNS,
        EMPTY_LABEL,
        UNKNOWN_LABEL,
        REPEATED_LABEL,
        TOO_MANY_LABELS,
        EMPTY_TEXT,
        DOCUMENT_TOO_LARGE,
        INVALID_JSON,
        MISSING_JSON_KEY,
        WRONG_JSON_VALUE,
        FILE_TOO_LARGE,
        EMPTY_FILE,
        UNSUPPORTED_TYPE,
        TOO_MANY_DOCUMENTS,
        TOO_MANY_BAD_LINES,
    )
}

# In UTF-8: the ASCII white space that bytes.strip() removes, Unicode's white space, and its characters of no width
# (U+0085, 00A0, 00AD, 1680, 2000 to 200F, 2028 to 202F, 205F, 2060, 3000, FEFF).
_BLANK = re.compile(
    rb"(?:[\t-\r ]|\xc2[\x85\xa0\xad]|\xe1\x9a\x80|\xe2\x80[\x80-\x8f\xa8-\xaf]|\xe2\x81[\x9f\xa0]"
    rb"|\xe3\x80\x80|\xef\xbb\xbf)*+\Z"
)


def is_blank(text: bytes) -> bool:
    """Whether UTF-8 text shows nothing: it is empty, or white space and characters of no width."""
    return _BLANK.match(text) is not None


def check_utf8(raw: bytes) -> Violation | None:
    """In pieces, because decoding ten megabytes at once may take eighty."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(raw), _DECODED_AT_ONCE):
        piece = raw[start : start + _DECODED_AT_ONCE]
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(piece, final=start + len(piece) == len(raw))
        except UnicodeDecodeError as error:
            position = start - kept + error.start
            reason = f"{error.reason} (0x{raw[position]:02x}) at byte {position + 1}"
            return Violation(NOT_UTF8, {"reason": reason})
    return None


def check_columns(columns: int, *, delimiter: str) -> Violation | None:
    if columns == 2:
        return None
    return Violation(WRONG_COLUMNS, {"found": columns, "delimiter": delimiter_name(delimiter)})


def check_labels(names: Sequence[str], *, known: Mapping[str, int], multi_label: bool) -> Violation | None:
    """``names`` are a document's labels without surrounding spaces; ``known`` gives each configured label's place."""
    if not names or not all(names):
        return Violation(EMPTY_LABEL)
    if len(names) > 1 and not multi_label:
        return Violation(TOO_MANY_LABELS, {"found": len(names)})
    for position, name in enumerate(names):
        if name not in known:
            return Violation(UNKNOWN_LABEL, {"label": name, "known": tuple(known)})
        if name in names[:position]:
            return Violation(REPEATED_LABEL, {"label": name})
    return None


def check_text(text: bytes, *, document_bytes: int) -> Violation | None:
    """``text`` is the document in UTF-8 as it would be written."""
    if is_blank(text):
        return Violation(EMPTY_TEXT)
    if len(text) > document_bytes:
        return Violation(DOCUMENT_TOO_LARGE, {"limit": document_bytes})
    return None


def check_share_of_bad_lines(*, bad: int, documents: int, maximum_percent: float) -> Violation | None:
    """Duplicates count on neither side: they are dropped whatever becomes of the file."""
    lines = bad + documents
    if not bad or 100 * bad <= maximum_percent * lines:
        return None
    facts = {"bad": bad, "lines": lines, "percent": f"{100 * bad / lines:.3g}", "maximum": maximum_percent}
    return Violation(TOO_MANY_BAD_LINES, facts)


def delimiter_name(delimiter: str) -> str:
    return {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}.get(delimiter, repr(delimiter))
