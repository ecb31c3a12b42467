"""What a document refers to is there: files, headings, and modules that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.documents import ROOT, anchors, documents, links, quoted, section

DOCUMENTS = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in documents()]
# Decisions are dated: what they name may have moved since.
OF_TODAY = [found for found in DOCUMENTS if "decisions" not in Path(str(found.id)).parts]
_FOLDERS = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    for link in links(document):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", OF_TODAY)
def test_files_that_a_document_names_are_there(document: Path) -> None:
    for name in quoted(document.read_text()):
        if re.fullmatch(rf"({_FOLDERS})/[\w./*-]+\.(py|md|json|in|txt)", name):
            assert list(ROOT.glob(name)), name


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_every_decision_is_numbered_in_turn() -> None:
    numbers = [int(path.name.partition("-")[0]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_document_is_reached_from_the_readme() -> None:
    readme = ROOT / "README.md"
    linked = {(readme.parent / link.partition("#")[0]).resolve() for link in links(readme)}
    assert {path for path in documents() if path.parent in {ROOT, ROOT / "docs"} and path != readme} <= linked


def test_a_section_ends_at_the_next_heading() -> None:
    assert "aws-cdk-lib" in section("docs/decisions/002-dependencies.md", "002. Dependencies")
