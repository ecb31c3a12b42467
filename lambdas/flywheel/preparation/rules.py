"""Every rule an upload is checked against: its id, what it says, what to do, and the check itself."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from .label_advice import LONGEST_LABEL_COMPARED, advise, delimiter_name, shortened
from .problems import Rule, Violation

_DECODED_AT_ONCE = 1 << 20

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
CLOSING_QUOTE = Rule(
    "closing-quote",
    "A double quote on this line would end a text that begins on line {opened:,}, but the lines between are documents.",
    'Write a double quote inside a text twice (""), and the text in double quotes.',
)
RECORDS_IN_QUOTES = Rule(
    "records-in-quotes",
    "The text in double quotes spans {lines:,} lines, and some of them look like documents of their own.",
    "Close the quote where the text ends; if it is one text, put every text of the file in double quotes.",
)
BROKEN_QUOTES = Rule(
    "broken-quotes",
    "A quoted column is followed by something other than {delimiter} or the end of the line.",
    'Close the quote at the end of the text; write a double quote inside it twice (""), not with a backslash.',
)
WRONG_COLUMNS = Rule(
    "wrong-columns",
    "The line has {found} column(s); it must have 2, a label and a text.",
    'Put the text in double quotes if it contains {delimiter}, and write a double quote inside it twice ("").',
    kind="found",
)
EMPTY_LABEL = Rule("empty-label", "The label is empty.", "Write a label in front of the text, or remove the line.")
UNKNOWN_LABEL = Rule(
    "unknown-label",
    'Label "{shown}" is not one of the flywheel\'s labels (upper and lower case count).{odd}',
    "{suggestion}",
    enrich=advise,
    kind="label",
)
TOO_MANY_CLASSES = Rule(
    "too-many-classes",
    "The file has more than {limit:,} different labels.",
    "Put the label first in each line, or begin the file with a header row such as text,label.",
)
REPEATED_LABEL = Rule(
    "repeated-label", 'Label "{label}" stands more than once in this line.', "Write each label of a document once."
)
TOO_MANY_LABELS = Rule(
    "too-many-labels",
    "The document has {found} labels, but this flywheel takes one label for each document (MULTI_CLASS).",
    "Keep one label, or use a flywheel with the mode MULTI_LABEL.",
)
CONTROL_CHARACTER = Rule(
    "control-character",
    "The text holds the character NUL (U+0000), {count:,} in all.",
    "Remove it: it comes from damaged files and from exports of databases, and no text has it.",
)
CONFLICTING_LABELS = Rule(
    "conflicting-labels",
    "The same text came before with {first}; here it has {labels}.",
    "Decide which label is right and keep that line, or set ConflictingLabels to KEEP.",
    enrich=lambda facts: {name: f'"{shortened(facts[name])}"' for name in ("first", "labels")},
    kind="pair",
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
    "Write one JSON object on each line, such as {example}.",
)
MISSING_JSON_KEY = Rule(
    "missing-json-key",
    "The JSON object has no key {key}; it has {keys}.",
    'Give every object the keys "text" and "label" (or "labels", a list).',
    kind="key",
)
WRONG_JSON_VALUE = Rule("wrong-json-value", "{what}.", "{instead}.", kind="what")
REPEATED_JSON_KEY = Rule(
    "repeated-json-key",
    'The key "{key}" stands more than once in the JSON object.',
    "Keep the one that is right: which of them counts is not defined.",
    kind="key",
)
NO_ATTRIBUTE = Rule(
    "no-attribute",
    'The line has no attribute "{attribute}" with its annotations: nobody annotated it.',
    "Annotate the document, or remove the line.",
)
FAILED_ANNOTATION = Rule(
    "failed-annotation",
    'The annotation of this line failed: "{reason}".',
    "Have the document annotated again, or remove the line.",
    enrich=lambda facts: {"reason": shortened(facts["reason"])},
)
NOT_ANNOTATED = Rule(
    "not-annotated",
    "The line's metadata do not say that it was annotated: {what}.",
    'Have the document annotated, or give "{attribute}-metadata" as Ground Truth writes it.',
    kind="what",
)
MACHINE_ANNOTATED = Rule(
    "machine-annotated",
    'No person annotated this line ("human-annotated": "no").',
    "Have people check it, or allow annotations of machines.",
)
SOURCE_REF = Rule(
    "source-ref",
    'The document is in a file of its own ("source-ref"), not in the manifest.',
    'Write the text itself into each line, as "source".',
)
SEVERAL_ATTRIBUTES = Rule(
    "several-attributes",
    "The manifest has the annotations of several jobs: {names}.",
    "Say in the settings which attribute counts, or remove the others.",
)
NO_CLASSIFICATION = Rule(
    "no-classification",
    "The manifest has no attribute with classes of its documents; it has {names}.",
    "Upload the output manifest of a labeling job for text classification.",
)
NO_CLASSES = Rule(
    "no-classes",
    'The list of classes in "{attribute}" is empty: no class was chosen for this document.',
    "Give it a class, or remove the line: Comprehend has no documents without labels.",
)
UNKNOWN_CLASS = Rule(
    "unknown-class",
    'The class map of the line does not have the class {index} of "{attribute}".',
    'Add it to "class-map" in "{attribute}-metadata", or remove the line.',
    kind="index",
)
OTHER_CLASS = Rule(
    "other-class",
    'The line is of class {index}, which is "{other}" {where}, and its "class-name" is "{name}".',
    "Find out which of them is right and correct the line, or remove it.",
    kind="pair",
)
LABEL_WITH_DELIMITER = Rule(
    "label-with-delimiter",
    'Class "{label}" has {delimiter} in its name, which joins the labels of a document here.',
    "Rename the class, or give the document several classes by a list and a class map.",
    kind="label",
)

FILE_TOO_LARGE = Rule(
    "file-too-large", "The file is larger than the limit of {limit:,} bytes.", "Split the file and upload the parts."
)
UNPACKS_TOO_LARGE = Rule(
    "unpacks-too-large",
    "The file unpacks to more than the limit of {limit:,} bytes.",
    "Split what is in it and upload the parts.",
)
UNPACKS_TOO_FAR = Rule(
    "unpacks-too-far",
    "The file unpacks to more than {times} times its size, which no file of different documents does.",
    "If that is meant, decompress it and upload the file inside.",
)
BROKEN_GZIP = Rule(
    "broken-gzip",
    "The file is a broken gzip archive: {reason}. Nothing of it was taken.",
    "Upload it again; if `gzip -t` says the same of the file that you have, compress it again.",
)
EMPTY_FILE = Rule("empty-file", "The file holds no document.", "Upload a file with one labelled document on each line.")
UNSUPPORTED_TYPE = Rule("unsupported-type", "The file is {what}, not {formats}.", "{instead}")
TOO_MANY_DOCUMENTS = Rule(
    "too-many-documents",
    "The file holds more than {limit:,} documents, the most that one dataset may hold; the rest was not checked.",
    "Split the file and upload the parts.",
)
TOO_MANY_ROWS = Rule(
    "too-many-rows",
    "The file holds more than {limit:,} rows, repeated ones included, twice what one dataset may hold; the rest was "
    "not checked.",
    "Split the file and upload the parts.",
)
TOO_MANY_BAD_LINES = Rule(
    "too-many-bad-lines",
    "{bad:,} of {lines:,} lines are bad ({percent} %), more than the {maximum:g} % allowed: nothing was taken.{rest}",
    "Correct the lines listed here and upload the file again, or raise MaximumBadLinesPercent.",
)
# What most of the lines of a rejected file have in common is said in place of how many are bad.
COLUMNS_SWAPPED = Rule(
    "columns-swapped",
    'The labels stand in the second column (line {line:,} has "{label}" there): nothing was taken.',
    'Put the label first in each line, or begin the file with a header row that says so, such as "text,label".',
)
EXTRA_COLUMNS = Rule(
    "extra-columns",
    'The lines have {found} columns, with the labels in column {place} (line {line:,} has "{label}" there), and must '
    "have 2: nothing was taken.",
    "Keep two columns: the label, then the text.{remark}",
)
UNQUOTED_TEXTS = Rule(
    "unquoted-texts",
    "The texts hold {delimiter} and are not in double quotes, so that lines have {found} columns and more: nothing was "
    "taken.",
    'Put each text in double quotes, and write a double quote inside it twice ("").',
)
JOINED_LABELS = Rule(
    "joined-labels",
    'Labels are written as "{label}" (line {line:,}), which is none of the flywheel\'s: nothing was taken.',
    "{suggestion}",
)
DELIMITER_TAKEN = Rule(
    "delimiter-taken",
    "Label and text are separated by {delimiter}, which joins the labels of a document here and so separates no "
    "columns: nothing was taken.",
    "Separate label and text by a comma, or use JSON Lines.",
)

NUL = b"\0"
HALF_A_CHARACTER = "an escape names half a character (a lone surrogate)"
"""Why a string of JSON is not UTF-8."""
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


def check_labels(names: Sequence[str], *, multi_label: bool) -> Violation | None:
    """``names`` are a document's labels in the form in which they are compared, known or not."""
    if not names or not all(names):
        return Violation(EMPTY_LABEL)
    if len(names) > 1 and not multi_label:
        return Violation(TOO_MANY_LABELS, {"found": len(names)})
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return Violation(REPEATED_LABEL, {"label": name[:LONGEST_LABEL_COMPARED]})
        seen.add(name)
    return None


def check_unknown(name: str, *, known: Sequence[str], delimiter: str | None) -> Violation:
    """``delimiter`` joins the labels of a document; None if it has only one."""
    # More of a label than can be shown is not kept: it may be megabytes long.
    return Violation(
        UNKNOWN_LABEL, {"label": name[: LONGEST_LABEL_COMPARED + 1], "known": known, "delimiter": delimiter}
    )


def check_text(text: bytes, *, document_bytes: int) -> Violation | None:
    """``text`` is the document in UTF-8 as it would be written."""
    if is_blank(text):
        return Violation(EMPTY_TEXT)
    if NUL in text:
        return Violation(CONTROL_CHARACTER, {"count": text.count(NUL)})
    if len(text) > document_bytes:
        return Violation(DOCUMENT_TOO_LARGE, {"limit": document_bytes})
    return None


def check_share_of_bad_lines(
    *, bad: int, documents: int, maximum_percent: float, most_documents: int | None = None
) -> Violation | None:
    """Duplicates count on neither side: they are dropped whatever becomes of the file.

    With ``most_documents`` the file is not at its end: whether it has too many bad lines even if so many documents,
    all that it may hold, are in it.
    """
    lines = bad + (documents if most_documents is None else most_documents)
    if not bad or 100 * bad <= maximum_percent * lines:
        return None
    read = bad + documents
    facts = {"bad": bad, "lines": read, "percent": f"{100 * bad / read:.3g}", "maximum": maximum_percent}
    rest = (
        "" if most_documents is None else " The rest was not checked: no file may hold documents enough to mend that."
    )
    return Violation(TOO_MANY_BAD_LINES, {**facts, "rest": rest})
