"""Tables at every width, and through a pipe; what comes from outside steers nothing."""

from __future__ import annotations

import io
import unicodedata
from datetime import timedelta

import pytest
from rich.console import RenderableType
from rich.text import Text

from flywheel.records.decisions import Metrics, ModelScore
from flywheel.records.turns import TurnOutcome
from flywheel.records.uploads import UploadOutcome
from ops.commands.invocation import as_ascii_json
from ops.tables.classify import answers_table
from ops.tables.figures import minute
from ops.tables.listing import Column, Facts, Listing, words
from ops.tables.models import models_table
from ops.tables.status import status_view
from ops.tables.terminal import SafeConsole, result_console
from ops.tables.turns import turn_view, turns_table
from ops.tables.uploads import results_table
from ops.verbs.classify import ClassifiedText, FoundEntity, RecognizedText
from ops.verbs.models import ActiveTime, ModelMark, ModelVersion
from ops.verbs.prepared import LabelCount, Prepared, UploadWaiting
from ops.verbs.status import NextTurn, Status
from ops.verbs.turns import TurnView
from tests.unit.ops.test_tables import MODEL, NOW, RECORD, REJECTED

REASON = "F1Score 0.7012 of the candidate does not beat 0.8812 of the active model by the 0.005 that is asked for."
DECIDED = RECORD.model_copy(update={"reasons": (REASON,)})
VERSION = ModelVersion(
    arn=MODEL,
    name="Comprehend-Generated-v1-bb52d585",
    status="TRAINED",
    score=ModelScore(arn=MODEL, metrics=Metrics(F1Score=0.8812), source="s"),
    turn="turn-000003",
    active=(ActiveTime(since=NOW, until=NOW + timedelta(days=1)), ActiveTime(since=NOW + timedelta(days=2))),
    marks=(ModelMark.ACTIVE,),
)
HOSTILE = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202egpj.exe\u200b\n[bold]next line"


def at(renderable: RenderableType, width: int) -> list[str]:
    console = SafeConsole(file=io.StringIO(), width=width)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def piped(renderable: RenderableType) -> list[str]:
    """As `flywheel ... | cat` gives it: pytest's own standard output is no terminal either."""
    console = result_console()
    console.file = io.StringIO()
    console.print(renderable)
    return console.file.getvalue().splitlines()


@pytest.fixture(autouse=True)
def no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.mark.parametrize("width", [30, 40, 50, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_what_matters_is_there(width: int) -> None:
    for table, needed in (
        (turns_table([DECIDED], metric="F1Score"), ["turn-000003", "keep"]),
        (models_table([VERSION], metric="F1Score"), ["bb52d585", "TRAINED, active"]),
        (results_table([REJECTED]), ["rejected", "7 of 9 lines are bad"]),
        (turn_view(TurnView(turn="turn-000003", record=DECIDED)), ["keep", "rejected"]),
    ):
        lines = at(table, width)
        assert max(map(len, lines)) <= width
        # A name that is longer than the terminal is wide goes on in the next line.
        together = "".join("".join(lines).split())
        for part in needed:
            assert part.replace(" ", "") in together


def test_at_60_columns_turns_keep_their_decision_in_readable_width() -> None:
    lines = at(turns_table([DECIDED], metric="F1Score"), 60)
    assert lines[0].split() == ["Turn", "Active", "Candidate", "Decision"]
    assert "0.7012" in " ".join(lines)
    assert any("Too narrow for Uploads, Documents" in line for line in lines)
    assert len(lines) < 12


def test_at_50_columns_a_version_is_one_line() -> None:
    lines = at(models_table([VERSION], metric="F1Score"), 50)
    assert any("Comprehend-Generated-v1-bb52d585" in line and "0.8812" in line for line in lines)


def test_where_nothing_fits_values_stand_below_each_other() -> None:
    lines = [line.strip() for line in at(turns_table([DECIDED], metric="F1Score"), 36)]
    assert lines[:2] == [f"turn-000003 {minute(NOW)}", "Uploads    1"]
    assert "Decision   keep" in lines


def test_through_a_pipe_each_row_is_one_line() -> None:
    failed = DECIDED.model_copy(update={"outcome": TurnOutcome.FAILED, "error": "E", "cause": "why\nnot"})
    lines = piped(turns_table([DECIDED, failed], metric="F1Score"))
    assert len(lines) == 4
    assert lines[0].split() == ["Turn", "Uploads", "Documents", "Active", "Candidate", "Decision"]
    assert lines[1].endswith(f"keep {REASON}")
    assert lines[2].endswith("FAILED E why\u240anot")
    assert lines[0].index("Decision") == lines[1].index("keep") == lines[2].index("FAILED")
    assert not any(line != line.rstrip() for line in lines)
    (_, line) = piped(models_table([VERSION], metric="F1Score"))
    assert "2026-11-22" in line
    assert line.endswith("now")


def test_columns_says_how_wide_a_pipe_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, piped(turns_table([DECIDED], metric="F1Score")))) <= 60


def hostile_views() -> list[RenderableType]:
    upload = REJECTED.upload.model_copy(update={"key": f"train/{HOSTILE}.csv"})
    result = REJECTED.model_copy(update={"upload": upload, "reason": HOSTILE, "outcome": UploadOutcome.REJECTED})
    record = DECIDED.model_copy(
        update={
            "uploads": (result,),
            "reasons": (HOSTILE,),
            "unprepared": (upload,),
            "replaced": (upload,),
            "changed_outside": HOSTILE,
            "cause": HOSTILE,
            "leaked": {HOSTILE: 1},
        }
    )
    label = LabelCount(label=HOSTILE, documents=1, needed=50, missing=49)
    status = Status(
        name="news",
        region="us-east-1",
        flywheel_arn="arn",
        flywheel_status="ACTIVE",
        flywheel_message=HOSTILE,
        selection_metric="F1Score",
        changed_outside=HOSTILE,
        last_turn=record.model_copy(update={"outcome": TurnOutcome.FAILED}),
        next_turn=NextTurn(due=False, reason=HOSTILE),
        uploads=(UploadWaiting(key=f"train/{HOSTILE}", split=upload.split, size=1, last_modified=NOW),),
        prepared=(
            Prepared(split=upload.split, parts=1, documents=1, bytes=1, labels=(label,), ready=0, reason=HOSTILE),
        ),
    )
    answer = ClassifiedText(text=HOSTILE, labels=(HOSTILE,), confidence=0.5)
    entity = FoundEntity(text=HOSTILE, type=HOSTILE, begin=0, end=1, begin_utf16=0, end_utf16=1, score=0.5)
    recognized = RecognizedText(text=HOSTILE, confidence=0.5, entities=(entity,))
    return [
        status_view(status),
        turns_table([record], metric="F1Score"),
        turn_view(TurnView(turn="turn-000003", record=record)),
        results_table([result], title=HOSTILE),
        answers_table([answer]),
        answers_table([recognized]),
        HOSTILE,
        Text(HOSTILE),
    ]


@pytest.mark.parametrize("view", hostile_views(), ids=lambda view: type(view).__name__)
@pytest.mark.parametrize("width", [40, 100, None])
def test_nothing_from_outside_steers_the_terminal(view: RenderableType, width: int | None) -> None:
    lines = piped(view) if width is None else at(view, width)
    written = "".join(lines)
    assert not {unicodedata.category(character) for character in written} & {"Cc", "Cf", "Cs"}
    assert "[bold]" in written.replace(" ", "")
    if not isinstance(view, str | Text):
        assert not any(line.startswith("[bold]") for line in lines)


def test_an_error_and_json_steer_nothing_either() -> None:
    assert as_ascii_json({"key": HOSTILE}).isascii()
    assert as_ascii_json({"key": HOSTILE}).isprintable()


def test_a_row_has_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        Listing(Column(title="A"), Column(title="B")).add("a")


def test_facts_go_on_without_a_name_and_keep_their_lines() -> None:
    facts = Facts()
    facts.add("First", words("one", "two"))
    facts.add("", "three")
    assert piped(facts) == ["First  one", "       two", "       three"]
    assert [line.strip() for line in at(facts, 20)] == ["First", "one", "two", "three"]
