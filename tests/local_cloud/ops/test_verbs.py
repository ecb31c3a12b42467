"""The operator's verbs against S3, Step Functions, SQS, Comprehend and Parameter Store of a local cloud."""

from __future__ import annotations

import itertools
import json
from array import array
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flywheel.comprehend.flywheel import FlywheelService
from flywheel.decisions.history import known_score
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.measurement import NAMESPACE
from flywheel.records import turns as turn_keys
from flywheel.records.decisions import Decision, DecisionKind, Metrics, ModelScore
from flywheel.records.holdouts import (
    FrozenHoldout,
    HoldoutAttempt,
    IterationHoldout,
    holdout_key,
    iteration_holdout_key,
)
from flywheel.records.one_at_a_time import Current
from flywheel.records.parts import facts_key, label_digest, prepared_location
from flywheel.records.turns import REQUEST_KEY, TurnBeginning, TurnOutcome, TurnRecord, TurnRequest
from flywheel.records.uploads import DocumentForm, Part, Split, Upload, UploadOutcome, UploadResult
from local.cloud import CloudAccount
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError, UnknownTurnError, UnwritableFileError, WaitTimeoutError
from ops.deployment.published import Deployment, find_deployment
from ops.main import app
from ops.verbs import pause, rejected, turns
from ops.verbs.cost import Costs, Range
from ops.verbs.generation import plan_generation
from ops.verbs.report import save_report
from ops.verbs.status import status
from ops.verbs.turns import TurnProgress, TurnState, running_turn
from ops.verbs.upload import upload
from ops.verbs.usage import LastHoldout, TrainingTimesOf, TurnTransitions, find_usage
from tests.local_cloud.ops import ops_stack

NAME = "verbs"
PHYSICAL_NAME = "verbs-0a1b2c3d"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NUMBERS = itertools.count(10, 10)
"""Turns of different tests share the turn machine, where a name is used once."""


@pytest.fixture(scope="module")
def deployed(account: CloudAccount) -> CloudAccount:
    ops_stack.deploy(account, name=NAME, physical_name=PHYSICAL_NAME)
    return account


@pytest.fixture
def deployment(deployed: CloudAccount) -> Deployment:
    """The deployed flywheel with an intake bucket of the test's own."""
    found = find_deployment(Clients(deployed.session()), name=NAME)
    bucket = f"intake-{next(NUMBERS)}"
    found.clients.s3.create_bucket(Bucket=bucket)
    found.clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return replace(found, published=found.published.model_copy(update={"intake_bucket": bucket}))


@pytest.fixture
def number() -> int:
    return next(NUMBERS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reviews [1].csv"
    path.write_text("SPORTS,a goal\n")
    return path


def begin_turn(deployment: Deployment, number: int) -> str:
    """What start_turn and begin_turn do: the number, the execution, the record of its beginning."""
    name = turn_keys.name_of(number)
    deployment.intake.write(turn_keys.TURNS.current_key, Current(number=number))
    deployment.clients.stepfunctions.start_execution(
        stateMachineArn=deployment.published.turn_machine_arn, name=name, input="{}"
    )
    beginning = TurnBeginning(
        turn=name, began_at=NOW, flywheel_arn=deployment.flywheel_arn, labels=deployment.labels, multi_label=False
    )
    deployment.intake.write(turn_keys.begin_key(name), beginning)
    return name


def end_turn(
    deployment: Deployment,
    number: int,
    *,
    outcome: TurnOutcome = TurnOutcome.SUCCEEDED,
    request: TurnRequest | None = None,
) -> TurnRecord:
    """What report_turn does."""
    name = turn_keys.name_of(number)
    record = TurnRecord(
        turn=name,
        outcome=outcome,
        flywheel_arn=deployment.flywheel_arn,
        began_at=NOW,
        ended_at=NOW + timedelta(seconds=number),
        request=request,
    )
    deployment.intake.write(turn_keys.TURNS.current_key, Current(number=number))
    deployment.intake.write(turn_keys.record_key(name), record)
    return record


def pokes(deployment: Deployment) -> list[Any]:
    """The messages in the turn queue, which are taken out of it."""
    queue = deployment.published.turn_queue_url
    answer = deployment.clients.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    messages = answer.get("Messages", [])
    for message in messages:
        deployment.clients.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


def test_an_upload_keeps_its_name_and_is_named_as_the_pipeline_names_it(deployment: Deployment, file: Path) -> None:
    (train,) = upload(deployment, [file])
    (test,) = upload(deployment, [file], Split.TEST)
    assert (train.key, test.key) == ("train/reviews [1].csv", "test/reviews [1].csv")
    assert train.replaced is None
    head = deployment.clients.s3.head_object(Bucket=deployment.intake.name, Key=train.key)
    assert train.upload is not None
    assert (train.upload.version_id, train.upload.etag) == (head["VersionId"], head["ETag"])


def test_a_second_upload_of_a_name_says_what_it_replaces(deployment: Deployment, file: Path) -> None:
    (first,) = upload(deployment, [file])
    file.write_text("WORLD,a treaty\n")
    (second,) = upload(deployment, [file])
    assert first.upload is not None
    assert second.replaced == first.upload
    assert second.upload != first.upload


def test_a_large_file_goes_in_parts_and_every_byte_is_told(deployment: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(b"SPORTS,x\n" * 1_200_000)
    told: list[int] = []
    (uploaded,) = upload(deployment, [path], on_bytes=lambda _, sent: told.append(sent))
    assert sum(told) == uploaded.size == path.stat().st_size
    assert deployment.intake.read_bytes(uploaded.key) == path.read_bytes()


def test_credentials_that_may_only_write_can_upload(deployment: Deployment, account: CloudAccount, file: Path) -> None:
    iam = account.client("iam")
    name = f"uploader-{deployment.intake.name}"
    allow_account = {"Effect": "Allow", "Principal": {"AWS": f"{account.account}"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(allow_account))
    write = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{deployment.intake.name}/train/*"}
    iam.put_role_policy(RoleName=name, PolicyName="write", PolicyDocument=policy(write))
    role_arn = f"arn:aws:iam::{account.account}:role/{name}"
    uploader = replace(deployment, clients=Clients(account.session(role_arn=role_arn)))
    (uploaded,) = upload(uploader, [file])
    assert uploaded.upload is None
    assert deployment.intake.read_bytes(uploaded.key) == file.read_bytes()


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_status_of_a_new_flywheel(deployment: Deployment) -> None:
    found = status(deployment)
    assert found.flywheel_status == "ACTIVE"
    assert found.active is None
    assert found.running is None
    assert found.last_turn is None
    assert not found.next_turn.due
    assert found.uploads == ()
    assert [(quota.split, quota.used) for quota in found.quotas] == [(Split.TRAIN, 0), (Split.TEST, 0)]
    assert [prepared.documents for prepared in found.prepared] == [0, 0]


def test_status_names_uploads_and_what_the_prepared_documents_lack(deployment: Deployment, file: Path) -> None:
    upload(deployment, [file], Split.TEST)
    deployment.intake.write_bytes("train/", b"")
    # The second part has the first five documents of the first one again.
    for content_hash, labels in (("h", ["SPORTS"] * 60 + ["WORLD"] * 5), ("i", ["SPORTS"] * 5)):
        part = Part(
            content_hash=content_hash,
            split=Split.TRAIN,
            documents=len(labels),
            bytes=9000,
            labels=Counter(labels),
            delimiter="",
            sources=(),
            prepared_at=NOW,
        )
        location = prepared_location(Split.TRAIN, content_hash, DocumentForm.CSV)
        deployment.intake.write_bytes(location.hashes, array("Q", range(len(labels))).tobytes())
        deployment.intake.write_bytes(location.labels, array("Q", map(label_digest, labels)).tobytes())
        deployment.intake.write(facts_key(Split.TRAIN, content_hash), part)
    found = status(deployment)
    assert [waiting.key for waiting in found.uploads] == ["test/reviews [1].csv"]
    assert not found.next_turn.due
    assert found.next_turn.looked_at_again is not None
    train = next(prepared for prepared in found.prepared if prepared.split is Split.TRAIN)
    assert train.ready == 0
    assert (train.documents, train.copies) == (65, 5)
    assert {count.label: count.missing for count in train.labels} == {"SPORTS": 0, "WORLD": 45}


def test_status_follows_the_running_turn_to_its_step(deployment: Deployment, number: int) -> None:
    name = begin_turn(deployment, number)
    found = status(deployment)
    assert found.running is not None
    assert (found.running.turn, found.running.state) == (name, TurnState.RUNNING)
    assert found.running.step == "RunIteration"
    end_turn(deployment, number)
    found = status(deployment)
    assert found.running is None
    assert found.last_turn is not None
    assert found.last_turn.turn == name


def test_a_turn_whose_execution_was_stopped_has_ended_without_a_record(deployment: Deployment, number: int) -> None:
    name = begin_turn(deployment, number)
    deployment.clients.stepfunctions.stop_execution(executionArn=deployment.turn_execution(name))
    progress = running_turn(deployment)
    assert progress is not None
    assert (progress.state, progress.execution_status) == (TurnState.ENDED, "ABORTED")


def test_a_number_that_is_taken_before_its_execution_begins(deployment: Deployment, number: int) -> None:
    deployment.intake.write(turn_keys.TURNS.current_key, Current(number=number))
    progress = running_turn(deployment)
    assert progress == TurnProgress(turn=turn_keys.name_of(number), state=TurnState.STARTING)


def test_the_score_of_the_active_model_is_that_of_the_iteration_that_trained_it(deployment: Deployment) -> None:

    def decide(iteration: str, candidate: str, score: float) -> None:
        decision = Decision(
            iteration_id=iteration,
            flywheel_arn=deployment.flywheel_arn,
            turn="turn-000001",
            decided_at=NOW,
            decision=DecisionKind.PROMOTE,
            reasons=(),
            selection_metric="F1Score",
            candidate=ModelScore(arn=candidate, metrics=Metrics(F1Score=score), source="this iteration"),
        )
        deployment.intake.write(f"decisions/{iteration}.json", decision)

    decide("20260101T000000Z", "arn:first", 0.8)
    decide("20260201T000000Z", "arn:second", 0.9)
    service = FlywheelService(
        comprehend=deployment.clients.comprehend, flywheel_arn=deployment.flywheel_arn, kind=DOCUMENT_CLASSIFICATION
    )
    score = known_score(intake=deployment.intake, service=service, model_arn="arn:first")
    assert score.metrics.F1Score == 0.8
    assert score.source == "iteration 20260101T000000Z"


def test_a_model_that_was_deleted_has_no_score(deployment: Deployment) -> None:

    service = FlywheelService(
        comprehend=deployment.clients.comprehend, flywheel_arn=deployment.flywheel_arn, kind=DOCUMENT_CLASSIFICATION
    )
    gone = deployment.flywheel_arn.replace(f"flywheel/{PHYSICAL_NAME}", "document-classifier/gone/version/1")
    score = known_score(intake=deployment.intake, service=service, model_arn=gone)
    assert score.metrics == Metrics()


def test_a_pause_stands_until_it_is_resumed(deployment: Deployment) -> None:
    first = pause.pause(deployment, reason="checking data")
    again = pause.pause(deployment, reason="something else")
    assert not first.already
    assert again.already
    assert again.pause.reason == "checking data"
    with pytest.raises(OperatorError, match="checking data"):
        turns.request_turn(deployment)
    assert not status(deployment).next_turn.due
    assert pause.resume(deployment).was == first.pause
    assert pause.resume(deployment).was is None
    assert status(deployment).paused is None
    assert pokes(deployment) == [{"poke": "operator"}] * 2


def test_waiting_for_idle_tells_what_runs_and_ends_when_it_has_ended(deployment: Deployment, number: int) -> None:
    name = begin_turn(deployment, number)
    told: list[str] = []

    def end_it(what: str) -> None:
        told.append(what)
        end_turn(deployment, number)

    pause.wait_until_idle(deployment, timeout_seconds=60, poll_seconds=0, on_progress=end_it)
    assert told == [f"{name}: RunIteration"]


def test_waiting_for_idle_gives_up(deployment: Deployment, number: int) -> None:
    name = begin_turn(deployment, number)
    with pytest.raises(OperatorError, match=f"{name}.* still runs after"):
        pause.wait_until_idle(deployment, timeout_seconds=0, poll_seconds=0)


def test_a_requested_turn_is_asked_for_and_poked(deployment: Deployment) -> None:
    requested = turns.request_turn(deployment, overrule_minimum=True)
    stored = deployment.intake.require(REQUEST_KEY, TurnRequest)
    assert stored == requested.request
    assert stored.overrule_minimum
    assert deployment.clients.sts.get_caller_identity()["Arn"] == stored.by
    assert pokes(deployment) == [{"poke": "operator"}]
    assert requested.after == 0


def test_the_turn_that_answers_a_request_is_not_the_one_that_was_running(deployment: Deployment, number: int) -> None:
    begin_turn(deployment, number)
    requested = turns.request_turn(deployment)
    assert requested.after == number
    seen: list[str] = []

    def carry_on(progress: TurnProgress | None) -> None:
        assert progress is not None
        seen.append(progress.turn)
        if progress.turn == turn_keys.name_of(number):
            end_turn(deployment, number)
            begin_turn(deployment, number + 1)
        else:
            end_turn(deployment, number + 1, request=requested.request)

    record = turns.wait_for_turn(
        deployment, after=requested.after, request=requested.request, poll_seconds=0, on_progress=carry_on
    )
    assert record.turn == turn_keys.name_of(number + 1)
    assert seen == [turn_keys.name_of(number), turn_keys.name_of(number + 1)]
    pokes(deployment)


def test_a_turn_that_took_no_notice_of_the_request_is_passed_over(deployment: Deployment, number: int) -> None:
    end_turn(deployment, number)
    requested = turns.request_turn(deployment)
    end_turn(deployment, number + 1)
    answer = end_turn(deployment, number + 2, request=requested.request)
    found = turns.wait_for_turn(deployment, after=requested.after, request=requested.request, poll_seconds=0)
    assert found == answer
    pokes(deployment)


def test_waiting_gives_up_in_time_and_at_a_pause(deployment: Deployment, number: int) -> None:
    end_turn(deployment, number)
    with pytest.raises(WaitTimeoutError):
        turns.wait_for_turn(deployment, after=number, timeout_seconds=0, poll_seconds=0)
    pause.pause(deployment)
    with pytest.raises(OperatorError, match="was paused by"):
        turns.wait_for_turn(deployment, after=number, poll_seconds=0)


def test_waiting_for_a_turn_that_left_no_record_ends(deployment: Deployment, number: int) -> None:
    name = begin_turn(deployment, number)
    deployment.clients.stepfunctions.stop_execution(
        executionArn=deployment.turn_execution(name), error="Stopped", cause="by hand"
    )
    with pytest.raises(OperatorError, match=f"{name} ended ABORTED .*Stopped: by hand"):
        turns.wait_for_turn(deployment, after=number - 1, timeout_seconds=60, poll_seconds=0, record_seconds=0)


def test_a_turn_without_a_record_does_not_hide_the_next(deployment: Deployment, number: int) -> None:
    begin_turn(deployment, number)
    answer = end_turn(deployment, number + 1)
    assert turns.wait_for_turn(deployment, after=number - 1, timeout_seconds=60, poll_seconds=0) == answer


def test_turns_are_listed_newest_first_without_the_running_one(deployment: Deployment, number: int) -> None:
    first, second = end_turn(deployment, number), end_turn(deployment, number + 1)
    begin_turn(deployment, number + 2)
    assert turns.list_turns(deployment) == [second, first]
    assert turns.list_turns(deployment, last=2) == [second]
    assert [turn.came_to for turn in turns.past_turns(deployment)] == [second.decision, first.decision]


def test_a_turn_is_shown_by_name_or_number(deployment: Deployment, number: int) -> None:
    record = end_turn(deployment, number)
    running = begin_turn(deployment, number + 1)
    assert turns.show_turn(deployment, str(number)).record == record
    assert turns.show_turn(deployment, record.turn).record == record
    progress = turns.show_turn(deployment, running).progress
    assert progress is not None
    assert progress.step == "RunIteration"


@pytest.mark.parametrize("turn", ["0", "999999", "turn-1", "last", "-1"])
def test_an_unknown_turn(deployment: Deployment, number: int, turn: str) -> None:
    end_turn(deployment, number)
    with pytest.raises(UnknownTurnError, match=str(number)):
        turns.show_turn(deployment, turn)


def reject(deployment: Deployment, *, version: str, at: datetime) -> UploadResult:
    rejected_upload = Upload(
        key="train/a.csv", split=Split.TRAIN, version_id=version, etag="e", size=1, last_modified=at
    )
    result = UploadResult(upload=rejected_upload, outcome=UploadOutcome.REJECTED, reason=f"version {version} is bad")
    folder = f"rejected/{rejected_upload.id}/"
    deployment.intake.write(f"{folder}report.json", result)
    deployment.intake.write_text(f"{folder}report.txt", f"line 3 of {version}\n")
    deployment.intake.write_bytes(f"{folder}original/a.csv", b"x")
    return result


def test_rejected_uploads_newest_first_and_found_by_id_key_and_name(deployment: Deployment) -> None:
    old = reject(deployment, version="1", at=NOW)
    new = reject(deployment, version="2", at=NOW + timedelta(hours=1))
    assert rejected.list_rejected(deployment) == [new, old]
    assert rejected.find_rejected(deployment, old.upload.id).report == "line 3 of 1\n"
    assert rejected.find_rejected(deployment, "train/a.csv").result == new
    assert rejected.find_rejected(deployment, "a.csv").result == new
    with pytest.raises(OperatorError, match="No rejected upload is named"):
        rejected.find_rejected(deployment, "b.csv")


def test_what_was_rejected_is_saved_into_a_folder(deployment: Deployment, tmp_path: Path) -> None:
    result = reject(deployment, version="1", at=NOW)
    files = rejected.save_rejected(deployment, result.upload.id, tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert {file.relative_to(folder).as_posix() for file in files} == {"original/a.csv", "report.json", "report.txt"}


def test_the_command_line_as_a_user_has_it(
    deployed: CloudAccount, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in deployed.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delenv("FLYWHEEL_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    uploaded = runner.invoke(app, ["upload", str(file), "--json"])
    assert uploaded.exit_code == 0, uploaded.stderr
    assert [entry["key"] for entry in json.loads(uploaded.stdout)] == ["train/reviews [1].csv"]
    shown = runner.invoke(app, ["--name", NAME, "status", "--json"])
    assert [entry["key"] for entry in json.loads(shown.stdout)["uploads"]] == ["train/reviews [1].csv"]
    assert "train/reviews [1].csv" in runner.invoke(app, ["status"]).stdout
    file.write_text("NOBODY KNOWS,x\n")
    refused = runner.invoke(app, ["upload", str(file), "--validate"])
    assert refused.exit_code == 1
    assert "Nothing was uploaded" in refused.stderr
    unknown = runner.invoke(app, ["--name", "other", "status"])
    assert unknown.exit_code == 1
    assert f"Deployed there: {NAME}" in unknown.stderr


def test_a_new_generation_is_planned_with_what_it_costs(deployment: Deployment, tmp_path: Path) -> None:
    part = Part(
        content_hash="h",
        split=Split.TRAIN,
        documents=120,
        bytes=9000,
        labels=dict.fromkeys(deployment.labels, 60),
        delimiter="",
        sources=(),
        prepared_at=NOW,
    )
    location = prepared_location(Split.TRAIN, "h", DocumentForm.CSV)
    deployment.intake.write_bytes(location.hashes, array("Q", range(120)).tobytes())
    deployment.intake.write(facts_key(Split.TRAIN, "h"), part)
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"flywheel": {"name": NAME}}}))
    plan = plan_generation(deployment, tmp_path)
    assert (plan.deployed, plan.generation, plan.begun) == (1, 2, False)
    assert [(seed.split, seed.datasets) for seed in plan.seeds] == [(Split.TEST, ()), (Split.TRAIN, (120,))]
    assert plan.training[0].dollars == Range.of(Decimal("4.05"), Decimal("7.15"))


def test_cost_counts_what_there_is(deployment: Deployment, deployed: CloudAccount, number: int, file: Path) -> None:
    ops_stack.deploy_beside(deployed, stack=f"{NAME}-later", publishes=f"/comprehend-flywheel/{NAME}/later")
    ops_stack.deploy_beside(deployed, stack=f"{NAME}-website", publishes=None)
    ops_stack.deploy_beside(deployed, stack=f"{NAME}-2-later", publishes=f"/comprehend-flywheel/{NAME}-2/later")
    for flywheel in (NAME, "another"):
        deployment.clients.cloudwatch.put_metric_data(
            Namespace=NAMESPACE,
            MetricData=[
                {"MetricName": "TurnsSucceeded", "Value": 1, "Dimensions": [{"Name": "Flywheel", "Value": flywheel}]}
            ],
        )
    name = begin_turn(deployment, number)
    record = end_turn(deployment, number).model_copy(update={"iteration_id": "20261121T120000Z"})
    deployment.intake.write(turn_keys.record_key(name), record)
    begin_turn(deployment, number + 1)
    end_turn(deployment, number + 1)
    freeze_holdout(deployment, documents=100, units=400, answered=("arn:first",))

    found = find_usage(deployment)
    assert (found.models, found.older_models, found.active_model_arn) == (0, 0, None)
    assert (found.alarms, found.dashboards, found.keys, found.metrics) == (2, 1, 1, 1), "of both stacks of its own"
    assert found.training
    assert found.training.of is TrainingTimesOf.PUBLISHED
    assert found.holdout == LastHoldout(documents=100, units=400, answered=frozenset({"arn:first"}))
    assert found.transitions == TurnTransitions(turn=name, count=1)
    assert len(found.buckets) == 3, "the stack's two, of which one is the published lake, and the test's own"

    for content in ("SPORTS,a goal\n", "WORLD,a treaty between two\n"):
        file.write_text(content)
        upload(deployment, [file])
    before = {bucket.name: bucket.bytes for bucket in found.buckets}
    after = {bucket.name: bucket.bytes for bucket in find_usage(deployment).buckets}
    grown = {name: size - before[name] for name, size in after.items() if size != before[name]}
    assert grown == {deployment.intake.name: len("SPORTS,a goal\nWORLD,a treaty between two\n")}, "old versions too"


def freeze_holdout(deployment: Deployment, *, documents: int, units: int, answered: tuple[str, ...]) -> None:
    """What prepare_holdout and predict_holdout leave; an output that cannot be read answers nothing."""
    iteration, holdout = "20261121T120000Z", "aaaa"
    frozen = FrozenHoldout(id=holdout, documents=documents, units=units, labels=())
    deployment.intake.write(holdout_key(holdout), frozen)
    deployment.intake.write(
        iteration_holdout_key(iteration), IterationHoldout(iteration_id=iteration, holdout_id=holdout)
    )
    later = IterationHoldout(iteration_id="20261122T120000Z", holdout_id=None)
    deployment.intake.write(iteration_holdout_key(later.iteration_id), later)
    for model in (*answered, "arn:failed"):
        prediction = HoldoutAttempt(
            model_arn=model,
            holdout_id=holdout,
            attempt=1,
            job_id="1",
            asked_at=NOW,
            asked_for=iteration,
            archive="output.tar.gz",
            failure=None if model in answered else "its output cannot be read",
        )
        deployment.intake.write(f"evaluations/predictions/{holdout}/{model}/prediction.json", prediction)


def test_cost_as_a_user_has_it(deployed: CloudAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in deployed.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    answer = runner.invoke(app, ["--name", NAME, "cost", "--json"])
    assert answer.exit_code == 0, answer.stderr
    found = Costs.model_validate_json(answer.stdout)
    lines = {line.what: line for line in found.lines}
    assert lines["Training"].dollars == Range.of(Decimal("4.05"), Decimal("7.15"))
    assert lines["Customer managed key"].dollars == Range.of(1)
    assert lines["Model versions"].dollars == Range.of(0, Decimal("2.50"))
    # Either the service knows that there is no endpoint, or it is said that it does not know.
    unknown = [sentence for sentence in found.left_out if "ListEndpoints" in sentence]
    assert unknown if "Endpoints" not in lines else not unknown and lines["Endpoints"].dollars == Range.of(0)
    shown = runner.invoke(app, ["--name", NAME, "cost"])
    assert "$4.05 to $7.15" in shown.stdout


def test_the_page_of_a_turn_is_rendered_afresh_whatever_is_stored(
    deployment: Deployment, number: int, tmp_path: Path
) -> None:
    name = end_turn(deployment, number).turn
    deployment.intake.write_text(turn_keys.page_key(name), "<!DOCTYPE html>the page")
    saved = save_report(deployment, str(number), output=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert f"<h1>{name}</h1>" in page
    assert saved.turn == name
    assert saved.uri == f"s3://{deployment.intake.name}/turns/{name}/index.html"
    assert saved.path == str(tmp_path / "page.html")


def test_a_turn_without_a_stored_page_gets_one_from_its_record(deployment: Deployment, number: int) -> None:
    end_turn(deployment, number - 1, outcome=TurnOutcome.TIMED_OUT)
    deployment.intake.write_text(turn_keys.record_key(turn_keys.name_of(number - 2)), "no record at all")
    name = end_turn(deployment, number).turn
    begin_turn(deployment, number + 1)
    page = Path(save_report(deployment).path)
    assert page.name == f"{NAME}-{name}.html"
    assert turn_keys.name_of(number - 1) in page.read_text()
    assert turn_keys.name_of(number - 2) not in page.read_text()


def test_there_is_no_report_before_a_turn_has_ended(deployment: Deployment, number: int, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="No turn has ended yet"):
        save_report(deployment)
    name = begin_turn(deployment, number)
    with pytest.raises(OperatorError, match=f"{name} has no report"):
        save_report(deployment, name)
    end_turn(deployment, number)
    with pytest.raises(UnwritableFileError, match="--output"):
        save_report(deployment, output=tmp_path / "missing" / "page.html")
