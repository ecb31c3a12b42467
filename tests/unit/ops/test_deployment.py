"""Which flywheel is meant, and what is said when it cannot be found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from flywheel.records.promotions import PromotionMode
from ops.deployment.clients import Clients
from ops.deployment.errors import (
    ImportsModelsError,
    InvalidSettingError,
    NoDeploymentError,
    OperatorError,
    UnreadableDeploymentError,
)
from ops.deployment.published import ImportDeployment, choose_name, find_any_deployment, find_deployment

ARN = "arn:aws:comprehend:eu-west-1:111122223333:flywheel/news-0a1b2c3d"
PUBLISHED = {
    "intake_bucket": "intake",
    "lake_bucket": "lake",
    "turn_machine_arn": "arn:aws:states:eu-west-1:111122223333:stateMachine:turn",
    "turn_queue_url": "https://queue",
    "promotion_machine_arn": "arn:aws:states:us-east-1:111122223333:stateMachine:press-flywheel-promote",
    "promotion_queue_url": "https://sqs.us-east-1.amazonaws.com/111122223333/promotions",
    "topic_arn": "arn:aws:sns:eu-west-1:111122223333:topic",
    "mode": "MULTI_LABEL",
    "labels": ["A", "B"],
    "label_delimiter": "|",
    "language": "en",
    "parameters": {"MinimumDocumentsPerLabel": "10", "QuietPeriodMinutes": "2.5", "TriggerOnUpload": "false"},
    "added_later": True,
}


@pytest.fixture(autouse=True)
def _no_name_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLYWHEEL_NAME", raising=False)


@pytest.fixture
def clients() -> Clients:
    session = boto3.session.Session(
        region_name="eu-west-1", aws_access_key_id="111122223333", aws_secret_access_key="none"
    )
    return Clients(session)


@pytest.fixture
def ssm(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.ssm) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def parameters(name: str, **values: str) -> dict[str, Any]:
    return {
        "Parameters": [
            {"Name": f"/comprehend-flywheel/{name}/{key.replace('_', '-')}", "Value": value, "Type": "String"}
            for key, value in values.items()
        ]
    }


def settings(folder: Path, content: Any) -> Path:
    (folder / "cdk.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def test_the_option_wins_over_the_environment_over_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(tmp_path, {"context": {"flywheel": {"name": "settings"}}})
    assert choose_name(folder=tmp_path) == ("settings", "from cdk.json in this folder")
    monkeypatch.setenv("FLYWHEEL_NAME", "environment")
    assert choose_name(folder=tmp_path) == ("environment", "from FLYWHEEL_NAME")
    assert choose_name(name="option", folder=tmp_path) == ("option", "from --name")


def test_a_context_key_of_its_own_overrides_the_settings_as_in_synthesis(tmp_path: Path) -> None:
    settings(tmp_path, {"context": {"name": "own", "flywheel": {"name": "settings"}}})
    assert choose_name(folder=tmp_path) == ("own", "from cdk.json in this folder")


@pytest.mark.parametrize("content", [{}, [], {"context": []}, {"context": {"flywheel": "x"}}, {"context": {"name": 3}}])
def test_another_projects_cdk_json_names_no_flywheel(tmp_path: Path, content: Any) -> None:
    assert choose_name(folder=settings(tmp_path, content)) is None


def test_no_settings_no_name(tmp_path: Path) -> None:
    assert choose_name(folder=tmp_path) is None


def test_a_broken_cdk_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettingError, match=r"cdk\.json is not valid JSON"):
        choose_name(folder=settings(tmp_path, "{"))


@pytest.mark.parametrize("name", ["../news", "a/b", "news-", "new_s", "ne ws"])
def test_a_name_that_no_flywheel_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidSettingError, match="--name"):
        choose_name(name=name)


def test_a_deployment_is_read_from_its_parameters(clients: Clients, ssm: Stubber) -> None:
    values = {"deployment": json.dumps(PUBLISHED), "flywheel_arn": ARN}
    ssm.add_response("get_parameters", parameters("news", **values))
    deployment = find_deployment(clients, name="news")
    assert deployment.flywheel_arn == ARN
    assert deployment.labels == ("A", "B")
    assert deployment.multi_label
    assert deployment.parameters.minimum_documents_per_label == 10
    assert deployment.parameters.quiet_period_minutes == 2.5
    assert deployment.parameters.maximum_bad_lines_percent == 5
    assert not deployment.parameters.trigger_on_upload
    assert deployment.region == "eu-west-1"


def test_labels_too_many_for_a_parameter_are_the_flywheels(clients: Clients, ssm: Stubber) -> None:
    values = {"deployment": json.dumps(PUBLISHED | {"labels": None}), "flywheel_arn": ARN}
    ssm.add_response("get_parameters", parameters("news", **values))
    config = {"Mode": "MULTI_LABEL", "Labels": ["C", "D"]}
    properties = {"Status": "ACTIVE", "TaskConfig": {"LanguageCode": "en", "DocumentClassificationConfig": config}}
    with Stubber(clients.comprehend) as comprehend:
        comprehend.add_response("describe_flywheel", {"FlywheelProperties": properties}, {"FlywheelArn": ARN})
        assert find_deployment(clients, name="news").labels == ("C", "D")


def test_the_only_deployment_is_found_without_a_name(clients: Clients, ssm: Stubber, tmp_path: Path) -> None:
    values = {"deployment": json.dumps(PUBLISHED), "flywheel_arn": ARN}
    ssm.add_response("get_parameters_by_path", parameters("news", **values))
    ssm.add_response("get_parameters", parameters("news", **values))
    deployment = find_deployment(clients, folder=tmp_path)
    assert deployment.name == "news"


def test_several_deployments_ask_for_a_name(clients: Clients, ssm: Stubber, tmp_path: Path) -> None:
    both = parameters("news", deployment="{}")["Parameters"] + parameters("mail", deployment="{}")["Parameters"]
    ssm.add_response("get_parameters_by_path", {"Parameters": both})
    with pytest.raises(OperatorError, match=r"mail, news"):
        find_deployment(clients, folder=tmp_path)


def test_none_at_all_says_how_to_deploy(clients: Clients, ssm: Stubber, tmp_path: Path) -> None:
    ssm.add_response("get_parameters_by_path", {"Parameters": []})
    with pytest.raises(NoDeploymentError, match=r"eu-west-1.*make deploy.*python -m local up"):
        find_deployment(clients, folder=tmp_path)


def test_a_wrong_name_says_where_it_came_from_and_which_there_are(clients: Clients, ssm: Stubber) -> None:
    ssm.add_response("get_parameters", {"Parameters": []})
    ssm.add_response("get_parameters_by_path", parameters("news", deployment="{}"))
    with pytest.raises(NoDeploymentError, match=r"'mail' \(from --name\).*Deployed there: news"):
        find_deployment(clients, name="mail")


def test_the_remains_of_a_destroyed_deployment_are_none(clients: Clients, ssm: Stubber) -> None:
    ssm.add_response("get_parameters", parameters("news", active_model_arn="arn:model"))
    ssm.add_response("get_parameters_by_path", parameters("news", active_model_arn="arn:model"))
    with pytest.raises(NoDeploymentError):
        find_deployment(clients, name="news")


@pytest.mark.parametrize("value", ["not JSON", "{}", json.dumps(PUBLISHED | {"mode": "OTHER"})])
def test_an_unreadable_deployment_is_named(clients: Clients, ssm: Stubber, value: str) -> None:
    ssm.add_response("get_parameters", parameters("news", deployment=value, flywheel_arn=ARN))
    with pytest.raises(UnreadableDeploymentError, match="/comprehend-flywheel/news/deployment"):
        find_deployment(clients, name="news")


def test_a_parameter_that_is_no_number_is_named(clients: Clients, ssm: Stubber) -> None:
    wrong = PUBLISHED | {"parameters": {"MinimumDocumentsPerLabel": "many"}}
    ssm.add_response("get_parameters", parameters("news", deployment=json.dumps(wrong), flywheel_arn=ARN))
    with pytest.raises(UnreadableDeploymentError, match="MinimumDocumentsPerLabel is 'many'"):
        _ = find_deployment(clients, name="news").parameters.minimum_documents_per_label


IMPORTS = {
    "role": "import",
    "intake_bucket": "intake",
    "promotion_machine_arn": "arn:aws:states:eu-west-1:111122223333:stateMachine:press-import-promote",
    "promotion_queue_url": "https://queue",
    "topic_arn": "arn:aws:sns:eu-west-1:111122223333:topic",
    "model_type": "ENTITY_RECOGNIZER",
    "label_delimiter": "|",
    "imported_model_arn": "arn:aws:comprehend:eu-west-1:111122223333:entity-recognizer/press",
    "parameters": {"SourceAccount": "444455556666", "SourceFlywheelName": "news", "PromotionMode": "APPROVAL"},
}


def test_a_deployment_that_imports_is_found_and_has_no_flywheel(clients: Clients, ssm: Stubber) -> None:
    for _ in range(2):
        ssm.add_response("get_parameters", parameters("press", deployment=json.dumps(IMPORTS)))
    found = find_any_deployment(clients, name="press")
    assert isinstance(found, ImportDeployment)
    assert found.parameters.promotion_mode is PromotionMode.APPROVAL
    assert found.service.model_arn == IMPORTS["imported_model_arn"]
    with pytest.raises(ImportsModelsError, match=r"'press' has no flywheel.*news in account 444455556666.*status"):
        find_deployment(clients, name="press")


def test_a_flywheel_is_any_deployment_too(clients: Clients, ssm: Stubber) -> None:
    ssm.add_response("get_parameters", parameters("news", deployment=json.dumps(PUBLISHED), flywheel_arn=ARN))
    assert find_any_deployment(clients, name="news").service.arn == ARN


def test_an_unreadable_one_that_imports_is_named(clients: Clients, ssm: Stubber) -> None:
    wrong = {name: value for name, value in IMPORTS.items() if name != "imported_model_arn"}
    ssm.add_response("get_parameters", parameters("press", deployment=json.dumps(wrong)))
    with pytest.raises(UnreadableDeploymentError, match="imported_model_arn"):
        find_any_deployment(clients, name="press")
