"""The rules of a recognizer's uploads that are not those of every upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import rules
from ..label_advice import advise_name, shortened
from ..problems import Rule, Violation
from ..unsupported import Readable

EXAMPLE = '{"text": "...", "entities": [{"begin": 0, "end": 5, "type": "..."}]}'
READABLE = Readable(
    formats="a text file of documents or annotations",
    as_text="in plain text, with its annotations",
    object=EXAMPLE,
)
_LARGEST_SHOWN = 10**12
_LONGEST_QUOTED = 40


def _escaped(text: str) -> str:
    """Text that stands as it is in a rule's sentences."""
    return text.replace("{", "{{").replace("}", "}}")


def _shown(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Offsets and texts as sentences have them: both may be longer than a page."""
    shown: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, int):
            shown[name] = f"{value:,}" if abs(value) < _LARGEST_SHOWN else "a number beyond all limits"
        elif isinstance(value, str):
            shown[name] = shortened(value[:_LONGEST_QUOTED] + "…" if len(value) > _LONGEST_QUOTED else value)
    return shown


EMPTY_TEXT = replace(rules.EMPTY_TEXT, fix="Write the document's text, or remove the line.")
EMPTY_FILE = replace(rules.EMPTY_FILE, fix="Upload documents together with their annotations.")
MISSING_JSON_KEY = replace(
    rules.MISSING_JSON_KEY, fix='Give every object the keys "text" and "entities" (a list, which may be empty).'
)

UNKNOWN_TYPE = Rule(
    "unknown-type",
    'Type "{shown}" is not one of the flywheel\'s entity types (upper and lower case count).{odd}',
    "{suggestion}",
    enrich=advise_name,
    kind="label",
)
INVALID_TYPE = Rule(
    "invalid-type",
    'Type "{name}" cannot be the name of an entity type.',
    "Name it with 1 to {longest} characters, without commas and without characters that cannot be seen.",
    enrich=_shown,
    kind="name",
)
TOO_MANY_TYPES = Rule(
    "too-many-types",
    "The upload has more than {limit:,} different entity types.",
    "Comprehend takes no more than that in one recognizer: leave some out, or make them one.",
)
OFFSET_OUTSIDE = Rule(
    "offset-outside-document",
    'The annotation of "{type}" at {begin} to {end} lies outside the document, which has {length} characters.',
    "Count characters (Unicode code points) from 0; the end is the place after the last character.",
    enrich=_shown,
)
EMPTY_ANNOTATION = Rule(
    "empty-annotation",
    'The annotation of "{type}" ends at {end}, which is not after its beginning at {begin}.',
    "Give the place of its first character and the place after its last.",
    enrich=_shown,
)


def _where_it_stands(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    text, begin, given = facts["text"], facts["begin"], facts["given"]
    found = text[begin : facts["end"]] if 0 <= begin <= len(text) else ""
    places = [place for place in (text.rfind(given, 0, max(begin, 0) + len(given)), text.find(given)) if place >= 0]
    where = "The text does not have it: correct the offsets or the text."
    if given and places:
        nearest = min(places, key=lambda place: abs(place - begin))
        where = f"It stands at {nearest:,} to {nearest + len(given):,}: offsets count characters (code points) from 0."
    return {**_shown(facts), "found": _shown({"found": found})["found"], "where": where}


TEXT_NOT_AT_OFFSET = Rule(
    "text-not-at-offset",
    'At {begin} to {end} the document has "{found}" and not "{given}".',
    "{where}",
    enrich=_where_it_stands,
)
OVERLAPPING = Rule(
    "overlapping-annotations",
    'The annotations of "{type}" at {begin} to {end} and of "{other}" at {other_begin} to {other_end} overlap.',
    "Keep one of them: a character belongs to one entity at most.",
    enrich=_shown,
)
CONFLICTING_ANNOTATIONS = Rule(
    "conflicting-annotations",
    "The same text stands in {first} with other annotations; here it has: {here}.",
    "Decide which annotations are right and keep that document, or set ConflictingLabels to KEEP.",
)

REFUSED_BY_ANNOTATOR = Rule(
    "refused-by-annotator",
    'The annotator\'s answer to this document is "{answer}".',
    "Annotate the document, or remove the line.",
    kind="answer",
)
NO_TEXT_SPANS = Rule(
    "no-text-spans",
    "The manifest has no attribute of type groundtruth/text-span; it has {names}.",
    "Upload the output manifest of a labeling job for named entities.",
)
NO_TAG = Rule(
    "no-tag",
    "Line {number:,} has no token with a tag after it.",
    "Write a token, a tab and a tag such as B-PER, I-PER or O; leave a blank line between documents.",
)
UNKNOWN_TAG = Rule(
    "unknown-tag",
    'Line {number:,} has the tag "{tag}".',
    "Write O, or B, I, E, S, L or U with a hyphen and the entity's type.",
    enrich=lambda facts: {"tag": shortened(facts["tag"])},
)
UNRECOGNISED = Rule(
    "unrecognised-file",
    "The file has no annotations: it is neither JSON Lines, nor an augmented manifest, nor CoNLL.",
    f"Write lines such as {_escaped(EXAMPLE)}, or upload a folder with the documents and their annotations.",
)
ROW_TOO_LONG = Rule("row-too-long", "The row is longer than {limit:,} bytes.", "Correct or remove it.")
WRONG_COLUMNS = Rule(
    "wrong-columns",
    "The row has {found} column(s); the others have {wanted}.",
    'Put a cell in double quotes if it contains {delimiter}, and write a double quote inside it twice ("").',
    kind="found",
)
NOT_A_NUMBER = Rule(
    "not-a-number",
    'The {column} of the annotation is "{value}", which is no whole number.',
    "Lines and offsets are whole numbers that count from 0.",
    enrich=_shown,
    kind="column",
)
UNKNOWN_FILE = Rule(
    "unknown-file",
    'The annotation is for the file "{name}", which the folder does not have.',
    "Upload it into the folder, or correct the name. The folder has the documents {names}.",
    kind="name",
)
UNKNOWN_LINE = Rule(
    "unknown-line",
    "The annotation is for line {line:,} of {file}, counted from 0, {what}.",
    "Correct the line: the first line of a file is line 0.",
    kind="what",
)
EMPTY_ENTRY = Rule("empty-entry", "The entry has no text.", "Write the entity's text, or remove the row.")
ENTRY_TOO_LARGE = Rule(
    "entry-too-large", "The entry is longer than {limit:,} characters.", "Shorten it, or remove the row."
)
TWO_TYPES = Rule(
    "two-types",
    'The entry "{text}" is of type "{type}" here and of type "{other}" in {place}.',
    "Decide which type is right and remove the other row.",
    enrich=_shown,
)
TOO_MANY_ANNOTATIONS = Rule(
    "too-many-annotations",
    "The folder has more than {limit:,} rows of annotations, more than documents within the limits can have.",
    "Split the documents and their annotations and upload the parts.",
)
TOO_MANY_ENTRIES = Rule(
    "too-many-entries", "The entity list has more than {limit:,} entries.", "Leave out entries that no document has."
)
MISSING_PARTS = Rule("missing-parts", "The upload lacks {missing}.", "Upload a folder with all of its files.")
ANNOTATIONS_AND_LIST = Rule(
    "annotations-and-list",
    "The folder has both annotations ({annotations}) and an entity list ({entities}).",
    "Keep one of them.",
)
MIXED_ANNOTATIONS = Rule(
    "mixed-annotations",
    "Some annotations of the folder name lines and others do not.",
    "Make two folders: one in which each line is a document, and one in which each file is.",
)

# What is remarked upon and rejects nothing.
PART_OF_WORD = Rule(
    "part-of-word",
    'The annotation of "{type}" at {begin} to {end} cuts a word: "{around}".',
    "Nothing has to be done if that is meant; otherwise correct the offsets.",
    enrich=_shown,
)
UTF16_OFFSETS = Rule(
    "utf16-offsets",
    "The offsets counted UTF-16 units, in which an emoji is two, and were converted to characters (code points): "
    '"{type}" at {begin} to {end} is "{found}".',
    "Nothing has to be done. Tools that run in a browser count so.",
    enrich=_shown,
)
TAG_WITHOUT_BEGIN = Rule(
    "tag-without-begin",
    'The tag "{tag}" in line {number:,} continues an entity that has not begun: one was begun with it.',
    "Nothing has to be done if that is meant; otherwise correct the tags.",
    enrich=lambda facts: {"tag": shortened(facts["tag"])},
)
QUOTED_LINE = Rule(
    "quoted-line",
    "The line stands in double quotes, as in CSV, and the offsets count without them: the quotes were taken off.",
    "Nothing has to be done.",
)
UNMATCHED_ENTRY = Rule(
    "unmatched-entry",
    'No document has the entry "{text}" as whole words, with these upper and lower case letters.',
    "Nothing has to be done if that is meant; otherwise correct the entry.",
    enrich=_shown,
)
FEW_MATCHES = Rule(
    "few-matches",
    'The entity list has {count:,} match(es) of type "{type}" in these documents.',
    'Comprehend wants {wanted:,} of "{type}" from an entity list: add documents or entries.',
    kind="type",
)
PASSED_OVER = Rule(
    "passed-over", 'The file "{name}" was passed over: its name says that it is hidden.', "Nothing has to be done."
)
UNPROVEN_OFFSETS = Rule(
    "unproven-offsets",
    "Before an annotation stands an emoji, and nothing proves whether offsets count it as one character or, as UTF-16, "
    "as two: they were read as characters (code points).",
    "If a tool that runs in a browser wrote them, give the entities' own texts, too.",
)
REPEATED_ANNOTATION = Rule(
    "repeated-annotation",
    'The annotation of "{type}" at {begin} to {end} stands more than once and was taken once.',
    "Nothing has to be done.",
    enrich=_shown,
)


def check_text(text: bytes, *, document_bytes: int) -> Violation | None:
    """As `flywheel.preparation.rules.check_text`."""
    violation = rules.check_text(text, document_bytes=document_bytes)
    return Violation(EMPTY_TEXT) if violation is not None and violation.rule is rules.EMPTY_TEXT else violation
