"""A deployed app that imports the models of another account, from the announcement to the answer of its API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from flywheel.records.promotions import (
    PromotionStatus,
    page_key,
)
from local.cloud import CloudAccount, LocalCloud
from ops.main import app
from ops.verbs.approve import approve
from ops.verbs.endpoint import endpoint
from ops.verbs.import_model import import_model
from ops.verbs.import_status import import_status
from ops.verbs.models import ModelMark, list_models
from ops.verbs.report import save_report
from ops.verbs.rollback import rollback
from tests.local_cloud.imports.accounts import NAME, SMOKE_TEST, SOURCE_FLYWHEEL, STACK, Source, Target, ended
from tests.local_cloud.pipeline import LONG, as_csv, documents
from tests.local_cloud.resources import (
    Synthesise,
    allow,
    change_parameters,
    create_bucket,
    create_queue,
    create_role,
    lets_send,
    until,
)
from tests.local_cloud.trained_models import data_access_role


@pytest.fixture(scope="module")
def source(cloud: LocalCloud, account: CloudAccount) -> Source:
    bucket = create_bucket(account)
    target = cloud.account(f"9{account.account[1:]}")
    return Source(account=account, target=target, bucket=bucket, role=data_access_role(account, bucket))


@pytest.fixture(scope="module")
def target(source: Source, synthesise: Synthesise) -> Target:
    account = source.target
    assembly = synthesise(context={"name": NAME, "role": "import"})
    parameters = {
        f"{STACK}:SourceAccount": source.account.account,
        f"{STACK}:SourceFlywheelName": SOURCE_FLYWHEEL,
        f"{STACK}:SmokeTestKey": SMOKE_TEST,
        f"{STACK}:PollSeconds": "30",
        f"{NAME}-serving:InferenceUnits": "1",
        f"{NAME}-serving:PollSeconds": "30",
    }
    account.deploy(assembly, stacks=[STACK, f"{NAME}-serving"], parameters=parameters)
    found = Target(account=account, assembly=assembly, source=source)
    inbox, arn = create_queue(account, lets_in=[lets_send("sns.amazonaws.com")])
    account.client("sns").subscribe(TopicArn=found.outputs["TopicArn"], Protocol="sqs", Endpoint=arn)
    found.inbox = inbox
    found.intake.write_bytes(SMOKE_TEST, as_csv(documents(3)))
    return found


def test_shared_versions_are_served_one_after_the_other(source: Source, target: Target) -> None:
    created = None
    for _ in range(2):
        model = source.train()
        announced = source.shared(model)
        source.tell(announced)
        end = target.end_of(announced)
        assert end.status is PromotionStatus.PROMOTED, end.reason
        assert target.published() == end.model_arn
        assert end.model_arn.startswith(f"arn:aws:comprehend:us-east-1:{target.account.account}:document-classifier/")
        endpoint = target.endpoint()
        assert endpoint["ModelArn"] == end.model_arn
        assert "FlywheelArn" not in endpoint
        created = created or endpoint["CreationTime"]
        assert endpoint["CreationTime"] == created, "it was made anew"
        # Once more, as the source's schedule does.
        source.tell(announced)
    answered = target.account.client("comprehend").classify_document(
        EndpointArn=target.endpoint()["EndpointArn"], Text="thunder gale lightning"
    )
    assert max(answered["Classes"], key=lambda found: found["Score"])["Name"] == "STORM"
    assert until(lambda: target.told("promotion-000002: promoted"))


def test_a_version_that_answers_wrongly_never_serves(source: Source, target: Target) -> None:
    serves = target.published()
    announced = source.shared(source.train(wrong=True))
    source.tell(announced)
    end = target.end_of(announced)
    assert end.status is PromotionStatus.SMOKE_TEST_FAILED
    assert end.reason.endswith(f"It never served: {serves} serves on.")
    assert target.published() == serves
    assert target.endpoint()["ModelArn"] == serves


def test_a_version_that_is_not_shared_is_refused(source: Source, target: Target) -> None:
    model = source.train()
    source.account.client("comprehend").delete_resource_policy(ResourceArn=model)
    announced = source.shared(model)
    source.tell(announced)
    end = target.end_of(announced)
    assert end.status is PromotionStatus.REFUSED
    assert "no resource-based policy allows the comprehend:ImportModel action" in end.reason


def test_a_withdrawal_is_told_and_ends_a_wait_for_approval(source: Source, target: Target) -> None:
    change_parameters(target.account, STACK, {"PromotionMode": "APPROVAL"})
    serves = target.published()
    model = source.train()
    announced = source.shared(model)
    source.tell(announced)
    until(lambda: target.waiting(announced), patience=LONG)
    source.tell(source.withdrawn(model, instead=model))
    end = target.end_of(announced)
    assert end.status is PromotionStatus.REFUSED
    assert target.published() == serves
    assert until(lambda: target.told("has withdrawn"))


def test_an_operator_imports_versions_and_goes_back(source: Source, target: Target, tmp_path: Path) -> None:
    """With the policy of the stack, and nothing else."""
    deployment = target.as_person("Operators")
    models = [source.train() for _ in range(2)]
    for model in models:
        end = ended(deployment, import_model(deployment, model, reason="A test."))
        assert (end.status, end.source_model_arn) == (PromotionStatus.PROMOTED, model), end.reason
    page = save_report(deployment, output=tmp_path / "page.html")
    assert models[1] in Path(page.path).read_text()
    written = until(lambda: target.intake.read_bytes_if_there(page_key(str(page.promotion))))
    assert models[1] in written.decode()

    assert ended(deployment, rollback(deployment)).status is PromotionStatus.PROMOTED
    versions = {version.source_model_arn: version for version in list_models(deployment)}
    assert versions[models[0]].marks == (ModelMark.ACTIVE,)
    assert versions[models[1]].marks == (ModelMark.PREVIOUS,)
    found = import_status(deployment)
    assert found.active == versions[models[0]]
    assert found.smoke_test
    assert found.smoke_test.passed
    report = endpoint(deployment)
    assert report.serves_active_model
    assert report.imports


def test_an_approver_reads_and_answers(source: Source, target: Target, tmp_path: Path) -> None:
    change_parameters(target.account, STACK, {"PromotionMode": "APPROVAL"})
    announced = source.shared(source.train())
    source.tell(announced)
    name = until(lambda: target.waiting(announced), patience=LONG)
    deployment = target.as_person("Approvers")
    page = save_report(deployment, name, output=tmp_path / "page.html")
    assert "waits for a person" in Path(page.path).read_text()
    assert until(lambda: target.told(f"Imported from {announced.model}"))
    assert approve(deployment, name, reason="A test.").promotion.promotion == name
    end = target.end_of(announced)
    assert (end.status, end.promotion) == (PromotionStatus.PROMOTED, name)


def test_the_other_verbs(source: Source, target: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, value in target.account.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    Path("train.csv").write_text("CALM,harbour\n")

    def run(*verb: str) -> Result:
        return CliRunner().invoke(app, ["--name", NAME, *verb])

    needs_a_flywheel = "turns|show 1|turn|pause|resume|upload train.csv|validate train.csv|rejected|exclude|share"
    sentence = f"it imports the models that {SOURCE_FLYWHEEL} in account {source.account.account} trains"
    for words in (*needs_a_flywheel.split("|"), "generation new"):
        answer = run(*words.split())
        assert (answer.exit_code, answer.stdout) == (1, ""), words
        assert sentence in answer.stderr

    if target.published() is None:
        deployment = target.seen_by(target.account.session())
        ended(deployment, import_model(deployment, source.train()))
    for verb in (["status"], ["models"], ["endpoint"], ["cost"], ["open", "--no-open"], ["report", "--no-open"]):
        answer = run(*verb, "--json")
        assert answer.exit_code == 0, (verb, answer.stderr)
        assert json.loads(answer.stdout)
        assert run(*verb).exit_code == 0, verb
    costs = json.loads(run("cost", "--json").stdout)
    assert {line["per"] for line in costs["lines"]} == {"month"}
    assert costs["lines"][0]["what"] == "Model versions"
    assert float(costs["lines"][0]["quantity"]["low"]) >= 1
    assert "publish" in run("logs").stdout.lower()
    checks = {each["check"]: each for each in json.loads(run("doctor", "--json").stdout)["findings"]}
    assert checks["Datasets"]["message"] == "none: the models are imported"
    answered = run("classify", "thunder gale lightning", "--json")
    assert json.loads(answered.stdout)["labels"] == ["STORM"]


def test_nobody_else_may_announce(source: Source, cloud: LocalCloud, target: Target) -> None:
    intruder = cloud.account(f"8{source.account.account[1:]}")
    with pytest.raises(ClientError, match="AccessDenied"):
        source.tell(source.shared("arn:aws:comprehend:us-east-1:1:document-classifier/x"), by=intruder)
    teller = create_role(
        source.account,
        allow("events:PutEvents", on=f"arn:aws:events:us-east-1:{target.account.account}:event-bus/default"),
        trusted={"AWS": source.account.account},
    )
    entry = {
        "Source": "somebody.else",
        "DetailType": "Model Shared",
        "Detail": "{}",
        "EventBusName": f"arn:aws:events:us-east-1:{target.account.account}:event-bus/default",
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        source.account.client("events", role_arn=teller).put_events(Entries=[entry])


def test_no_role_of_the_target_reads_the_sources_bucket(source: Source, target: Target) -> None:
    iam, s3 = target.account.client("iam"), source.account.client("s3")
    listed = s3.list_objects_v2(Bucket=source.bucket, MaxKeys=1)["Contents"][0]["Key"]
    roles = [role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    own = [role for role in roles if role["RoleName"].startswith((f"{NAME}-import", f"{NAME}-serving"))]
    assert len(own) > 15
    for role in own:
        trust = json.loads(json.dumps(role["AssumeRolePolicyDocument"]))
        everybody = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": target.account.account}}
        trust["Statement"].append(everybody)
        iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(trust))
        reader = target.account.client("s3", role_arn=role["Arn"])
        with pytest.raises(ClientError, match="AccessDenied"):
            reader.get_object(Bucket=source.bucket, Key=listed)
        with pytest.raises(ClientError, match="AccessDenied"):
            reader.list_objects_v2(Bucket=source.bucket)
