"""`flywheel generation new`: what it says is what the next generation is seeded with, and a deployment that fails is
as if it had not been tried."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.records.uploads import Split
from ops.deployment.errors import OperatorError
from ops.verbs.exclude import exclude
from ops.verbs.generation import NewGeneration, deploy_generation, generations, seeds_of
from tests.documents import ROOT
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=10, words="judge: ")


@pytest.fixture
def at() -> Deployment:
    at = Deployment()
    at.upload("test/a.csv", TEST)
    for number in range(4):
        at.upload(f"train/{number}.csv", documents(*LABELS, start=number * 20, count=10))
    at.run_turn()
    return at


@pytest.fixture
def folder(at: Deployment, tmp_path: Path) -> Path:
    """With the settings of the deployment, and a deployment that comes out as the file `exit` says."""
    shutil.copy(ROOT / "cdk.json", tmp_path)
    settings = json.loads((tmp_path / "cdk.json").read_text())
    settings["context"]["flywheel"]["name"] = at.name
    (tmp_path / "cdk.json").write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
    (tmp_path / "Makefile").write_text(
        "deploy:\n\t@cp cdk.json deployed.json && echo $$ARGS >args && exit `cat exit`\n"
    )
    (tmp_path / "exit").write_text("0")
    return tmp_path


def plan(at: Deployment, *, generation: int = 2) -> NewGeneration:
    return NewGeneration(
        name=at.name,
        flywheel_arn=at.flywheel_arn,
        deployed=generation - 1,
        generation=generation,
        begun=False,
        seeds=(),
    )


def publish(at: Deployment, generation: int) -> None:
    """As CloudFormation does at the end of a deployment."""
    published = at.operator.published.model_copy(update={"generation": generation})
    for name, value in (("deployment", published.model_dump_json()), ("flywheel-arn", at.flywheel_arn)):
        at.client("ssm").put_parameter(
            Name=f"/comprehend-flywheel/{at.name}/{name}", Value=value, Type="String", Overwrite=True
        )


def test_the_plan_is_what_comes(at: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    at.upload("train/few.csv", documents(BUSINESS, start=300, count=3))
    at.run_turn()
    exclude(at.operator, ["2.csv"], [], reason="-")
    limits = replace(DOCUMENT_CLASSIFICATION.dataset_limits, documents=50)
    monkeypatch.setattr(DOCUMENT_CLASSIFICATION, "dataset_limits", limits)
    test, train = seeds_of(at.operator)
    assert (test.split, test.datasets, test.labels) == (Split.TEST, (20,), {BUSINESS: 10, SPORTS: 10})
    assert (train.datasets, train.labels, train.excluded) == ((43, 20), {BUSINESS: 33, SPORTS: 30}, 20)
    assert (train.documents, train.waiting) == (63, None)
    at.replace_flywheel()
    (record,) = at.run_until_at_rest()
    assert [(each.split, each.documents) for each in record.datasets] == [
        (seed.split, documents) for seed in (test, train) for documents in seed.datasets
    ]
    assert record.excluded == {"train": train.excluded}
    assert len(at.iterations()) == 1


def test_what_could_not_be_seeded_is_said(at: Deployment) -> None:
    for number in range(4):
        exclude(at.operator, [f"{number}.csv"], [], reason="-")
    at.upload("train/few.csv", documents(BUSINESS, start=300, count=20))
    at.run_turn()
    _, train = seeds_of(at.operator)
    assert (train.datasets, train.excluded) == ((), 80)
    assert train.waiting
    assert f"5 more of {SPORTS}" in train.waiting.reason


def test_the_setting_is_counted_up_and_deployed_and_nothing_else_is_changed(at: Deployment, folder: Path) -> None:
    before = (folder / "cdk.json").read_text()
    deploy_generation(at.operator, plan(at), folder, environment={"ARGS": "--require-approval never"})
    assert (folder / "cdk.json").read_text() == before.replace('"generation": 1', '"generation": 2') != before
    assert (folder / "deployed.json").read_text() == (folder / "cdk.json").read_text()
    assert (folder / "args").read_text().strip() == "--require-approval never"
    assert sorted(path.name for path in folder.iterdir()) == ["Makefile", "args", "cdk.json", "deployed.json", "exit"]


def test_a_deployment_that_fails_puts_the_setting_back(at: Deployment, folder: Path) -> None:
    publish(at, 1)
    before = (folder / "cdk.json").read_text()
    (folder / "exit").write_text("1")
    with pytest.raises(OperatorError, match=r"generation 1 goes on, and cdk\.json says 1 again"):
        deploy_generation(at.operator, plan(at), folder, environment={})
    assert '"generation": 2' in (folder / "deployed.json").read_text()
    assert (folder / "cdk.json").read_text() == before


def test_a_deployment_that_failed_after_the_flywheel_keeps_the_setting(at: Deployment, folder: Path) -> None:
    """Else the next deployment would go back to the former flywheel."""
    publish(at, 2)
    (folder / "exit").write_text("1")
    with pytest.raises(OperatorError, match="Generation 2 is deployed, but another stack could not be"):
        deploy_generation(at.operator, plan(at), folder, environment={})
    assert '"generation": 2' in (folder / "cdk.json").read_text()


def test_a_deployment_of_which_nothing_can_be_asked_keeps_the_setting(at: Deployment, folder: Path) -> None:
    (folder / "exit").write_text("1")
    person = at.operator
    at.client("ssm").delete_parameters(Names=[f"/comprehend-flywheel/{at.name}/deployment"])
    with pytest.raises(OperatorError, match="goes on from there"):
        deploy_generation(person, plan(at), folder, environment={})
    assert generations(person, folder) == (1, 2)


def test_what_was_killed_halfway_counts_no_further(at: Deployment, folder: Path) -> None:
    assert generations(at.operator, folder) == (1, 1)
    deploy_generation(at.operator, plan(at), folder, environment={})
    assert generations(at.operator, folder) == (1, 2), "nothing was published"


def test_a_key_of_its_own_in_the_context_is_the_one_that_counts(at: Deployment, folder: Path) -> None:
    settings = json.loads((folder / "cdk.json").read_text())
    settings["context"]["generation"] = 1
    (folder / "cdk.json").write_text(json.dumps(settings))
    deploy_generation(at.operator, plan(at), folder, environment={})
    context = json.loads((folder / "cdk.json").read_text())["context"]
    assert (context["generation"], context["flywheel"]["generation"]) == (2, 1)


@pytest.mark.parametrize(
    ("published", "change", "problem"),
    [
        (1, {"name": "others"}, "names others, not"),
        (2, {}, "Generation 2 is deployed, but cdk.json says 1"),
        (None, {}, "by an earlier version"),
    ],
)
def test_settings_of_another_deployment_are_refused(
    at: Deployment, folder: Path, published: int | None, change: dict[str, str], problem: str
) -> None:
    settings = json.loads((folder / "cdk.json").read_text())
    settings["context"]["flywheel"] |= change
    (folder / "cdk.json").write_text(json.dumps(settings))
    person = at.operator
    person = replace(person, published=person.published.model_copy(update={"generation": published}))
    with pytest.raises(OperatorError, match=problem):
        generations(person, folder)


def test_where_there_are_environments_a_person_chooses_one(at: Deployment, folder: Path) -> None:
    settings = json.loads((folder / "cdk.json").read_text())
    settings["context"]["environments"] = {"dev": {"account": "111122223333", "region": "eu-west-1"}}
    (folder / "cdk.json").write_text(json.dumps(settings))
    with pytest.raises(OperatorError, match=r"names environments: set `generation` of the one .* `make deploy ENV="):
        generations(at.operator, folder)
