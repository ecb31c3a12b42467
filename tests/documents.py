"""The documents of the repository, in the form in which tests compare them with the code."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
_NOT_OURS = {"cdk.out", "node_modules"}
_FENCE = re.compile(r"^(```|~~~)")


def documents() -> list[Path]:
    """Every Markdown file of the repository, without what is installed or built in it."""
    entries = (entry for entry in ROOT.iterdir() if entry.is_dir() and entry.name not in _NOT_OURS)
    folders = [entry for entry in entries if not entry.name.startswith(".")]
    return sorted([*ROOT.glob("*.md"), *(path for folder in folders for path in folder.rglob("*.md"))])


def prose(path: Path) -> str:
    """The text without its fenced blocks, which are code; lines keep their numbers."""
    fenced, lines = False, []
    for line in path.read_text().splitlines():
        fence = _FENCE.match(line) is not None
        lines.append("" if fenced or fence else line)
        fenced ^= fence
    return "\n".join(lines)


def headings(path: Path) -> list[str]:
    return [line.lstrip("#").strip() for line in prose(path).splitlines() if re.match(r"#{1,6} ", line)]


def anchors(path: Path) -> set[str]:
    """As GitHub makes them of headings: a repeated one gets a number."""
    found: set[str] = set()
    for heading in headings(path):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        candidates = itertools.chain([slug], (f"{slug}-{number}" for number in itertools.count(1)))
        found.add(next(candidate for candidate in candidates if candidate not in found))
    return found


def section(document: str, heading: str) -> str:
    """What stands below a heading, down to the next one of whatever level."""
    lines = iter(prose(ROOT / document).splitlines())
    for line in lines:
        if re.fullmatch(rf"#+ {re.escape(heading)}", line):
            return "\n".join(itertools.takewhile(lambda below: not below.startswith("#"), lines))
    raise AssertionError(f"{document} has no section {heading!r}")


def table(document: str, heading: str) -> list[dict[str, str]]:
    """The rows of the one table below a heading: cells by their column's name, as they are written."""
    names, _, *rows = [_cells(line) for line in section(document, heading).splitlines() if line.startswith("|")]
    return [dict(zip(names, row, strict=True)) for row in rows]


def rows(document: str, heading: str) -> dict[str, dict[str, str]]:
    """Those rows by the name in the first cell, which is code. A name that comes twice is an error."""
    found: dict[str, dict[str, str]] = {}
    for row in table(document, heading):
        (name,) = quoted(next(iter(row.values())))
        assert name not in found, f"{document}, {heading}: {name} has two rows"
        found[name] = row
    return found


def quoted(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def links(path: Path) -> Iterator[str]:
    """Targets of the links in a document, without those in code."""
    text = re.sub(r"`[^`\n]*`", "", prose(path))
    return (found.group(1) for found in re.finditer(r"\]\(([^)\s]+)\)", text))


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [cell.strip().replace("\\|", "|") for cell in cells]
