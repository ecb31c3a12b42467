"""The static files of `flywheel review` and `flywheel console`: what their policy allows, and code of others."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[3] / "ops" / "pages"
VENDOR = PAGES / "vendor"
OURS = sorted(
    file for kind in ("*.js", "*.html", "*.css") for file in PAGES.rglob(kind) if not file.is_relative_to(VENDOR)
)
IMPORT = re.compile(r"""(?:from|import)\s+"([^"]+)";""")


def test_vendored_code_is_as_it_came() -> None:
    rows = re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in VENDOR.glob("*.js")}
    assert dict(rows) == found
    assert {file.name for file in VENDOR.glob("*.LICENSE")} == {"htm-preact-3.1.1.LICENSE", "preact.LICENSE"}


@pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(PAGES)))
def test_nothing_needs_what_the_policy_refuses(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        assert re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", text) is None
    else:
        assert re.search(r"\beval\(|new Function\(|\bsrcdoc\b|document\.write", text) is None
    # Of other machines nothing is loaded; a link that a person follows is no load.
    assert re.search(r"(?:src|import|url\(|fetch\()\s*[\"'(]?https?:", text) is None


@pytest.mark.parametrize(
    "file", [file for file in OURS if file.suffix == ".js"], ids=lambda file: str(file.relative_to(PAGES))
)
def test_what_a_module_imports_is_there(file: Path) -> None:
    for name in IMPORT.findall(file.read_text(encoding="utf-8")):
        assert name.startswith("."), name
        assert (file.parent / name).is_file(), name
