from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.infrastructure.synthesised import ROOT
from tests.simulation.deployment import synthesis
from tests.simulation.deployment.synthesis import context_of, read_by_the_app, synthesised


def test_an_app_is_synthesised_once_whoever_asks_at_the_same_time(tmp_path: Path) -> None:
    # Of somebody who was killed.
    left = tmp_path / f"{synthesis._digest(context_of('classifier'))}.unfinished"
    left.mkdir()
    (left / "old-serving.template.json").write_text("{")

    def ask(_: int) -> list[str]:
        return list(synthesised(context_of("classifier"), cache_folder=tmp_path))

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(ask, range(2)))
    assert found == [["news-flywheel", "news-serving", "news-analysis"]] * 2
    (kept,) = (each for each in tmp_path.iterdir() if each.is_dir())
    assert {each.name for each in kept.iterdir()} == {f"{name}.template.json" for name in found[0]}
    (kept / "news-flywheel.template.json").write_text('{"Resources": {}}')
    assert synthesised(context_of("classifier"), cache_folder=tmp_path)["news-flywheel"] == {"Resources": {}}


def test_settings_that_cannot_be_synthesised_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)cannot be synthesised: .*generation is 0"):
        synthesised({"generation": 0}, cache_folder=tmp_path)
    assert not [each for each in tmp_path.iterdir() if each.is_dir() and each.suffix != ".unfinished"]


def test_other_settings_are_kept_elsewhere() -> None:
    contexts = [
        context_of(kind, number + 1)
        for kind, generations in synthesis.FLYWHEELS.items()
        for number in range(len(generations))
    ]
    contexts.append(context_of(synthesis.IMPORTING))
    assert len({synthesis._digest(each) for each in contexts}) == len(contexts) == 8


def test_what_the_templates_are_made_from_is_found() -> None:
    found = read_by_the_app()
    assert {ROOT / "app.py", ROOT / "cdk.json", ROOT / "requirements.txt"} <= found
    assert set((ROOT / "stacks").rglob("*.py")) <= found
    # By a relative import, by an import in a function, and from the functions' domain.
    assert ROOT / "stacks" / "label_rules.py" in found
    assert ROOT / "stacks" / "nag_packs.py" in found
    assert ROOT / "lambdas" / "flywheel" / "comprehend" / "model_kind.py" in found
    assert not [each for each in found if each.is_relative_to(ROOT / "lambdas" / "handlers")]
    assert not [each for each in found if each.is_relative_to(ROOT / "tests")]
