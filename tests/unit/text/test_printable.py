"""Text from outside steers no terminal and no mail reader, and hides nothing."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flywheel.records.uploads import BadLine
from flywheel.text import notification
from flywheel.text.printable import printable, printable_lines
from local.run import _tell_problems
from local.story import turns_table
from tests.unit.report.reports import full_record

STEERING = [
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;https://x.example\x1b\\",
    "\x9b31m",
    "\x90q\x9c",
    "a\rb",
    "a\nb",
    "a\x08b",
    "\x7f",
    "exe\u202ecod.csv",
    "\u2066a\u2069",
    "\u200b\u200d\u2060\ufeff\u00ad",
    "a\u2028b\u2029c",
    "\ud83d",
    "\U000e0041",
    "\u3164",
]


@pytest.mark.parametrize("text", STEERING)
def test_what_steers_or_hides_is_shown(text: str) -> None:
    shown = printable(f"train/{text}.csv")
    assert shown != f"train/{text}.csv"
    assert shown.startswith("train/")
    assert shown.isprintable()


@given(st.text(st.characters()))
def test_what_comes_out_is_one_line_without_controls(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


@pytest.mark.parametrize("text", ["Zürich", "日本語", "A\u00a0B", "😀", "[red]", "C:\\new", "e\u0301"])
def test_what_is_only_foreign_stays(text: str) -> None:
    assert printable(text) == text


def test_how_it_is_shown() -> None:
    assert printable("a\x1b\n\x7f\x9b\u202e\U000e0041") == "a\u241b\u240a\u2421\\u009b\\u202e\\U000e0041"
    assert printable_lines("a\tb\x1b\nc\r\n") == "a\tb\u241b\nc\u240d\n"


def test_a_line_of_a_notification_stays_one_line() -> None:
    text = notification.message([f"train/{part}: rejected." for part in STEERING], closing=["more"])
    assert len(text.split("\n")) == len(STEERING) + 2
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("text", STEERING)
def test_what_a_walk_in_the_local_cloud_shows_steers_nothing(text: str) -> None:
    problem = BadLine(rule="unknown-label", message=text, fix=text, line=3, excerpt=text)
    record = full_record(file=text, sentence=f"[red]{text}")
    results = tuple(result.model_copy(update={"examples": (problem,)}) for result in record.uploads)
    console = Console(file=io.StringIO(), width=200)
    _tell_problems(console, record.model_copy(update={"uploads": results}))
    console.print(turns_table([record]))
    assert isinstance(console.file, io.StringIO)
    written = console.file.getvalue()
    assert "".join(written.split("\n")).isprintable()
    assert "[red]" in written
