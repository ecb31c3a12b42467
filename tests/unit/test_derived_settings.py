"""What a walk with a user's own files takes from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.derived_settings import UnclearSettings, derive_settings


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def derive(*paths: Path, labels: list[str] | None = None, mode: str | None = None) -> tuple[list[str], str]:
    settings = derive_settings(paths, labels=labels, mode=mode, label_delimiter="|")
    return settings.labels, settings.mode


def test_labels_of_all_files_without_the_header(tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv", "label,text", "B,one", '"A","two, with a comma"')
    test = write(tmp_path / "test.csv", "C,three")
    assert derive(train, test) == (["A", "B", "C"], "MULTI_CLASS")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_column_delimiters(tmp_path: Path, delimiter: str) -> None:
    assert derive(write(tmp_path / "d.csv", f"A{delimiter}one", f"B{delimiter}two"))[0] == ["A", "B"]


def test_joined_labels_are_several_only_if_the_parts_occur_alone(tmp_path: Path) -> None:
    several = write(tmp_path / "several.csv", "A,one", "B,two", "A|B,three")
    one = write(tmp_path / "one.csv", "R|D,one", "OPS,two")
    assert derive(several) == (["A", "B"], "MULTI_LABEL")
    assert derive(one) == (["OPS", "R|D"], "MULTI_CLASS")


def test_json_lines(tmp_path: Path) -> None:
    rows = [{"labels": ["A", "B"], "text": "one"}, {"labels": ["C"], "text": "two"}]
    assert derive(write(tmp_path / "d.jsonl", *map(json.dumps, rows))) == (["A", "B", "C"], "MULTI_LABEL")
    single = [{"label": "A", "text": "one"}, {"label": "B", "text": "two"}]
    assert derive(write(tmp_path / "s.jsonl", *map(json.dumps, single))) == (["A", "B"], "MULTI_CLASS")


def test_what_is_given_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", "A,one", "B,two")
    assert derive(path, labels=["A", "B", "C"], mode="MULTI_LABEL") == (["A", "B", "C"], "MULTI_LABEL")


@pytest.mark.parametrize(
    ("lines", "mode", "says"),
    [(["A,one"], None, "at least two labels"), (["A,one", "B,two"], "MULTI", "MULTI_CLASS or MULTI_LABEL")],
)
def test_unclear_settings_get_a_sentence(tmp_path: Path, lines: list[str], mode: str | None, says: str) -> None:
    with pytest.raises(UnclearSettings, match=says):
        derive(write(tmp_path / "d.csv", *lines), mode=mode)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnclearSettings, match=r"nowhere\.csv"):
        derive(tmp_path / "nowhere.csv")
