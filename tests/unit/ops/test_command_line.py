"""Mistakes at the command line: one sentence on standard error, nothing on standard output, an exit status."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ops.main import app

VERBS = (
    "status",
    "validate",
    "upload",
    "turns",
    "show",
    "turn",
    "report",
    "rejected",
    "exclude",
    "forget",
    "generation",
    "approve",
    "decline",
    "models",
    "endpoint",
    "rollback",
    "pause",
    "resume",
    "cost",
    "purge",
    "doctor",
    "logs",
    "open",
)


@pytest.fixture(autouse=True)
def _a_caller_without_any_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL",
        "AWS_CA_BUNDLE",
        "FLYWHEEL_NAME",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def nothing_listens(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An endpoint that refuses: bound, so that nobody else takes it, and not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield url


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def assert_one_sentence(result: Result, words: str) -> None:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_help_lists_every_verb() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for verb in VERBS:
        assert verb in result.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_json(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_the_version() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", result.stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_FLYWHEEL_COMPLETE", f"source_{shell}")
    assert "flywheel" in CliRunner().invoke(app, [], prog_name="flywheel").stdout


@pytest.mark.parametrize("option", ["--name", "--region", "--profile"])
def test_an_option_after_the_verb_says_where_it_goes(option: str) -> None:
    result = run("status", option, "x")
    assert result.exit_code == 2
    assert f"{option} goes before the verb" in " ".join(result.stderr.split())


def test_settings_and_parameters_of_a_cost_go_together() -> None:
    assert run("cost", "--parameter", "news-flywheel:MinimumScore=1").exit_code == 2
    assert_one_sentence(run("cost", "--settings"), "make synth")


def test_no_region() -> None:
    assert_one_sentence(run("status"), "--region")


def test_no_credentials() -> None:
    assert_one_sentence(run("--region", "us-east-1", "status"), "No AWS credentials were found")


def test_an_unknown_profile() -> None:
    assert_one_sentence(run("--profile", "nobody", "status"), "nobody")


@pytest.mark.parametrize(
    "verb",
    [
        ["status"],
        ["turns"],
        ["pause"],
        ["resume"],
        ["turn"],
        ["turn", "--now"],
        ["logs"],
        ["open"],
        ["rejected"],
        ["exclude"],
        ["exclude", "train.csv", "--reason", "x"],
        ["exclude", "--reviewer", "anna", "--reason", "x"],
        ["forget", "a text"],
        ["exclude", "train.csv", "--undo"],
        ["generation", "new"],
        ["show", "1"],
        ["report"],
        ["approve", "1"],
        ["decline", "1", "--reason", "x"],
        ["models"],
        ["rollback"],
    ],
)
def test_a_local_cloud_that_is_not_up(nothing_listens: str, verb: list[str]) -> None:
    assert_one_sentence(run(*verb, "--json"), f"Nothing answers at {nothing_listens}")


def test_a_missing_file_is_noticed_before_anything_is_asked() -> None:
    assert_one_sentence(run("upload", "missing.csv"), "missing.csv does not exist")
    assert_one_sentence(run("validate", "missing.csv"), "missing.csv does not exist")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert_one_sentence(run("upload", "data"), "data is a folder")


def test_two_files_of_one_name_would_replace_each_other(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "train.csv").write_text("A,b\n")
    assert_one_sentence(run("upload", "a/train.csv", "b/train.csv"), "'train.csv'")


def test_a_name_that_cannot_be() -> None:
    assert_one_sentence(run("--region", "us-east-1", "--name", "a/b", "status"), "'a/b' (from --name)")


def test_purge_never_guesses_a_name(nothing_listens: str) -> None:
    assert_one_sentence(run("purge", "--list"), "--name")


@pytest.mark.parametrize(
    "arguments",
    [
        ["upload"],
        ["show"],
        ["approve"],
        ["decline", "1"],
        ["pause", "--decline-waiting"],
        ["nonsense"],
        ["turns", "--last", "0"],
        ["rejected", "--save", "folder"],
        ["exclude", "train.csv"],
        ["exclude", "train.csv", "--reason", " "],
        ["exclude", "train.csv", "--reason", "x", "--undo"],
        ["exclude", "--reviewer", "anna"],
        ["exclude", "--reviewer", "anna", "--undo"],
        ["exclude", "train.csv", "--reviewer", "anna", "--reason", "x"],
        ["exclude", "--reason", "x"],
        ["exclude", "--undo"],
        ["generation"],
        ["generation", "old"],
    ],
)
def test_wrong_usage_has_exit_status_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_an_error_that_quotes_a_name_steers_no_terminal(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["validate", "--label", "A", "--label", "B", "\x1b]0;t\x07\u202egpj.\n[red]exe"])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.isprintable()
    assert "[red]exe does not exist" in line
