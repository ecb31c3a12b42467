"""`flywheel validate` says what the pipeline would do with a file, without any deployment."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flywheel.preparation import LabelRules, UploadOptions
from ops.deployment.errors import FileError
from ops.main import app
from ops.tables.uploads import report_text
from ops.verbs.upload import check_paths, files_of
from ops.verbs.validate import validate

RULES = LabelRules(labels=("SPORTS", "WORLD"), multi_label=False)
GOOD = "SPORTS,a goal\nWORLD,a treaty\n"


def written(folder: Path, content: str, name: str = "train.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["validate", *arguments, "--label", "SPORTS", "--label", "WORLD"])


def test_a_good_file_is_accepted_and_counted(tmp_path: Path) -> None:
    (result,) = validate([written(tmp_path, GOOD + "SPORTS,a goal\n")], rules=RULES, options=UploadOptions())
    assert result.accepted
    assert (result.documents, result.duplicates, result.bad_lines) == (2, 1, {})
    assert result.labels == {"SPORTS": 1, "WORLD": 1}
    assert result.problem is None


def test_bad_lines_within_the_limit_are_spelled_out(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "SPORT,a match\n")
    (result,) = validate([path], rules=RULES, options=UploadOptions(maximum_bad_lines_percent=50))
    assert result.accepted
    assert sum(result.bad_lines.values()) == 1
    assert result.examples[0].line == 3
    assert "SPORTS" in result.examples[0].fix


def test_too_many_bad_lines_sink_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "SPORT,a match\n")
    (result,) = validate([path], rules=RULES, options=UploadOptions(maximum_bad_lines_percent=5))
    assert not result.accepted
    assert result.problem is not None


def test_a_good_file_has_exit_status_0(tmp_path: Path) -> None:
    result = run(str(written(tmp_path, GOOD)))
    assert result.exit_code == 0
    assert "2 documents" in result.stdout


def test_a_bad_file_among_good_ones_has_exit_status_1_and_json_names_it(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    files = [written(tmp_path, GOOD), written(tmp_path / "other", "")]
    result = run(*map(str, files), "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert [(entry["path"], entry["accepted"]) for entry in found] == [(str(files[0]), True), (str(files[1]), False)]


def test_labels_that_cannot_be_are_wrong_usage(tmp_path: Path) -> None:
    result = run(str(written(tmp_path, GOOD)), "--label", "SPORTS")
    assert result.exit_code == 2
    assert "twice" in result.stderr


def test_a_report_cannot_steer_the_terminal() -> None:
    assert report_text("line 1\n\tab\x1b[2J").plain == "line 1\n\tab\N{SYMBOL FOR ESCAPE}[2J"


def without_aws(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "FLYWHEEL_")):
            monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(folder / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(folder)


def test_without_a_deployment_the_labels_are_those_of_the_settings_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_aws(monkeypatch, tmp_path)
    path = written(tmp_path, GOOD)
    assert CliRunner().invoke(app, ["validate", str(path)]).exit_code == 1
    settings = {"labels": ["SPORTS", "WORLD"], "label_delimiter": ";"}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"flywheel": settings, "mode": "MULTI_LABEL"}}))

    result = CliRunner().invoke(app, ["validate", str(written(tmp_path, GOOD + "SPORTS;WORLD,x\n")), "--json"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0]["labels"] == {"SPORTS": 1, "WORLD": 1, "SPORTS;WORLD": 1}
    assert "cdk.json" in result.stderr
    asked_for = CliRunner().invoke(app, ["--region", "eu-west-1", "validate", str(path)])
    assert asked_for.exit_code == 1, "who names a Region means the deployment there"


def test_labels_may_be_taken_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_aws(monkeypatch, tmp_path)
    good = CliRunner().invoke(app, ["validate", "--labels-from-file", str(written(tmp_path, GOOD)), "--json"])
    assert json.loads(good.stdout)[0]["labels"] == {"SPORTS": 1, "WORLD": 1}
    twins = written(tmp_path, GOOD + "Sports,x\n")
    refused = CliRunner().invoke(app, ["validate", "--labels-from-file", str(twins)])
    assert refused.exit_code == 1
    assert "written in two ways" in refused.stderr
    assert "--label" in refused.stderr


ANNOTATIONS = "File,Line,Begin Offset,End Offset,Type\nletters.txt,0,0,4,PERSON\nletters.txt,1,0,5,PLACE\n"


def annotated(folder: Path) -> Path:
    letters = folder / "letters"
    letters.mkdir()
    written(letters, "Anna sleeps.\nDover sleeps.\n", name="letters.txt")
    written(letters, ANNOTATIONS, name="annotations.csv")
    return letters


def test_a_folder_of_a_recognizer_is_one_upload(tmp_path: Path) -> None:
    command = ["validate", str(annotated(tmp_path)), "--kind", "entities", "--label", "PERSON", "--label", "PLACE"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "PERSON" in result.stdout
    (found,) = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert (found["documents"], found["annotations"], found["labels"]) == (2, {"PERSON": 1, "PLACE": 1}, {})
    unknown = CliRunner().invoke(app, [*command[:-1], "GUEST"])
    assert unknown.exit_code == 1
    assert "PLACE" in unknown.stdout


def test_entity_types_may_be_taken_from_the_files_or_the_settings_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_aws(monkeypatch, tmp_path)
    letters = str(annotated(tmp_path))
    looked_at = CliRunner().invoke(app, ["validate", letters, "--kind", "entities", "--labels-from-file", "--json"])
    assert json.loads(looked_at.stdout)[0]["annotations"] == {"PERSON": 1, "PLACE": 1}
    settings = {"model_type": "ENTITY_RECOGNIZER", "entity_types": ["PERSON", "PLACE"]}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"flywheel": settings}}))
    by_settings = CliRunner().invoke(app, ["validate", letters, "--json"])
    assert json.loads(by_settings.stdout)[0]["annotations"] == {"PERSON": 1, "PLACE": 1}


def test_a_folder_is_no_file_for_a_classifier(tmp_path: Path) -> None:
    result = run(str(annotated(tmp_path)))
    assert result.exit_code == 1
    assert "name the files in it" in result.stderr


def test_the_files_of_a_folder_keep_their_places_in_it(tmp_path: Path) -> None:
    letters = annotated(tmp_path)
    (letters / "more").mkdir()
    written(letters / "more", "Essen sleeps.\n", name="b.txt")
    assert list(files_of(letters).values()) == ["letters/annotations.csv", "letters/letters.txt", "letters/more/b.txt"]
    assert files_of(letters / "letters.txt") == {letters / "letters.txt": "letters.txt"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="without files"):
        check_paths([tmp_path / "empty"], folders=True)
