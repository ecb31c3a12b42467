"""The deployed real-time API: signed calls through API Gateway, the function under its own role, a real model."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from typer.testing import CliRunner

from flywheel.records.predictions import PREDICTIONS, prediction_key
from flywheel.records.review import WAITING, ItemState, Lane
from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus
from local.cloud import LocalCloud
from ops.deployment.errors import OperatorError
from ops.main import app
from ops.verbs.classify import Answer, classify
from tests.local_cloud.api.served import AMPLE, PARAMETERS, SERVING, USUAL, FeedbackCaller, Served, prediction_of
from tests.local_cloud.pipeline import CONTEXT, LABELS, LONG, NAME, STACK, Pipeline, documents
from tests.local_cloud.resources import Synthesise, allow, create_role, until

ROOT = Path(__file__).parents[3]
CALM, STORM = "harbour meadow lullaby", "thunder gale lightning"
UNSURE = "harbour thunder"


@pytest.fixture(scope="module")
def served(cloud: LocalCloud, synthesise: Synthesise) -> Iterator[Served]:
    assembly = synthesise(context=CONTEXT)
    pipeline = Pipeline.deploy(cloud.account("100000000009"), assembly)
    account = pipeline.account
    outputs = account.deploy(assembly, stacks=[STACK, SERVING], parameters=PARAMETERS)
    account.comprehend_administration("PUT", "settings", AMPLE)
    pipeline.upload("train/first.csv", documents())
    pipeline.at_rest()
    yield Served(pipeline, outputs[SERVING])
    account.comprehend_administration("PUT", "settings", USUAL)


@pytest.fixture(scope="module")
def anna(live: Served) -> FeedbackCaller:
    return FeedbackCaller(live)


@pytest.fixture(scope="module")
def live(served: Served) -> Served:
    """It has an endpoint that answers."""
    intake = served.pipeline.deployment.intake

    def answers() -> bool:
        state = intake.read(STATE_KEY, ServingState)
        return state is not None and state.status is ServingStatus.IN_SERVICE

    until(answers, patience=LONG)
    return served


def test_one_text(live: Served) -> None:
    answer = live.classify({"text": CALM})
    assert answer.status == 200
    assert answer.body["endpoint_arn"] == live.outputs["EndpointArn"]
    assert answer.body["model"]["arn"] == live.pipeline.active_model()
    document = prediction_of(answer)
    assert document["label"] == document["classes"][0]["name"] == "CALM"
    assert document["confidence"] == document["classes"][0]["score"] > 0.9
    assert {each["name"] for each in document["classes"]} == set(LABELS)


def test_several_documents_in_order(live: Served) -> None:
    texts = [CALM, STORM] * 12 + [CALM]
    answer = live.classify({"documents": texts})
    assert [document["label"] for document in answer.body["documents"]] == ["CALM", "STORM"] * 12 + ["CALM"]


def test_the_active_model(live: Served) -> None:
    body = live.api.model().body
    active = body["active_model"]
    assert active["arn"] == live.pipeline.active_model() == body["endpoint"]["model_arn"]
    parameter = live.account.client("ssm").get_parameter(Name=f"/comprehend-flywheel/{NAME}/active-model-arn")
    assert datetime.fromisoformat(active["since"]) == parameter["Parameter"]["LastModifiedDate"]
    assert 0 < active["scores"]["F1Score"] <= 1
    assert (body["endpoint"]["status"], body["serving"]["status"]) == ("IN_SERVICE", "in service")


def test_a_caller_with_the_policy(live: Served) -> None:
    api = live.api_as(live.role("CallersPolicyArn"))
    assert (api.classify([CALM]).status, api.model().status) == (200, 200)


def test_a_caller_without_permission(live: Served) -> None:
    api = live.api_as(live.role())
    for answer in (api.classify([CALM]), api.model()):
        assert (answer.status, answer.body["code"]) == (403, "ACCESS_DENIED")
        assert "execute-api:Invoke" in answer.body["message"]


def test_a_request_without_a_signature(live: Served) -> None:
    sent = AWSRequest(method="GET", url=f"{live.api.url}/model").prepare()
    answer = URLLib3Session(
        verify=str(live.account.endpoint.authority),  # type: ignore[arg-type]  # as urllib3 takes it
        proxies={},
    ).send(sent)
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "MISSING_AUTHENTICATION_TOKEN")


@pytest.mark.parametrize(
    ("content", "code", "which"),
    [
        ({"text": " "}, "TEXT_EMPTY", 0),
        ({"documents": [CALM, ""]}, "TEXT_EMPTY", 1),
        ({"documents": []}, "TEXT_EMPTY", None),
        ({"documents": [CALM, "\u00e9" * 5121]}, "TEXT_TOO_LONG", 1),
        ({"documents": ["x"] * 26}, "TOO_MANY_DOCUMENTS", None),
        ({}, "INVALID_REQUEST", None),
        ({"text": CALM, "language": "en"}, "INVALID_REQUEST", None),
        ({"text": CALM, "documents": [CALM]}, "INVALID_REQUEST", None),
        ({"text": 7}, "INVALID_REQUEST", None),
        ("not an object", "INVALID_REQUEST", None),
    ],
)
def test_what_is_refused(live: Served, content: Any, code: str, which: int | None) -> None:
    answer = live.classify(content)
    assert (answer.status, answer.body["code"], answer.body.get("document")) == (400, code, which)
    assert answer.body["message"]


def test_a_document_that_is_too_long_says_by_how_much(live: Served) -> None:
    body = live.classify({"text": "\u20ac" * 4000}).body
    assert (body["bytes"], body["limit"]) == (12_000, 10_240)


def test_what_the_gateway_does_not_check_the_function_does(live: Served) -> None:
    """With another content type, API Gateway has no model to check the body by."""
    for body in (b"{", b'{"text": "a", "secret": 1}', b"\xff"):
        answer = live.api.request("POST", "/classify", content_type="text/plain", body=body)
        assert (answer.status, answer.body["code"]) == (400, "INVALID_REQUEST")


def test_an_endpoint_without_room(live: Served) -> None:
    with live.pipeline.fault(operation="ClassifyDocument", kind="throttle"):
        answer = live.classify({"documents": [CALM, STORM, CALM]})
    assert (answer.status, answer.body["code"], answer.retry_after) == (429, "THROTTLED", 2)
    with live.pipeline.fault(operation="ClassifyDocument", kind="throttle", times=2):
        assert prediction_of(live.classify({"text": CALM}))["label"] == "CALM"


def test_what_is_not_sure_is_kept_for_review_and_nothing_else(live: Served) -> None:
    sure = f"{CALM} number 4711"
    for _ in range(2):
        answer = live.classify({"documents": [sure, UNSURE]})
    assert prediction_of(answer, 1)["confidence"] < 0.7
    assert [prediction_of(answer, number)["kept"] for number in (0, 1)] == [False, True]
    kept = live.kept()
    assert sure not in [record.text for record in kept]
    (record,) = [record for record in kept if record.text == UNSURE]
    assert (record.text, record.suggestion.model_arn) == (UNSURE, live.pipeline.active_model())
    assert record.endpoint_arn == live.outputs["EndpointArn"]
    assert record.suggestion.labels == (prediction_of(answer, 1)["label"],)
    key = prediction_key(prediction_of(answer, 1)["prediction_id"])
    assert key in live.pipeline.keys(PREDICTIONS)
    assert key.startswith(f"{PREDICTIONS}{record.at:%Y-%m-%d}/")
    assert any(f"/{Lane.UNCERTAIN}/" in key for key in live.pointers(UNSURE, WAITING))


class TestFeedback:
    """Under a role with the policy for feedback only."""

    def test_by_id_of_what_is_kept_and_of_what_is_not(self, live: Served, anna: FeedbackCaller) -> None:
        kept, other = (prediction_of(live.classify({"text": text})) for text in (UNSURE, CALM))
        assert (kept["kept"], other["kept"]) == (True, False)
        taken = anna.say(prediction_id=kept["prediction_id"], label="STORM")
        assert (taken.status, taken.body["state"], taken.body["text_kept"]) == (200, "WAITS_FOR_REVIEW", True)
        assert [each.labels for each in live.proposals(UNSURE)] == [("STORM",)]
        assert live.proposals(UNSURE)[0].by == anna.arn
        refused = anna.say(prediction_id=other["prediction_id"], label="STORM")
        assert (refused.status, refused.body["code"]) == (404, "PREDICTION_NOT_KEPT")

    def test_by_text(self, live: Served, anna: FeedbackCaller) -> None:
        for _ in range(2):
            taken = anna.say(text="a text of my own", label="CALM")
            assert (taken.body["state"], taken.body["text_kept"]) == ("WAITS_FOR_REVIEW", False)
        assert [each.labels for each in live.proposals("a text of my own")] == [("CALM",)]
        live.classify({"text": UNSURE})
        correct = anna.say(text=UNSURE, correct=True)
        assert (correct.status, correct.body["text_kept"]) == (200, True)

    @pytest.mark.parametrize(
        ("content", "status", "code"),
        [
            ({"text": CALM, "label": "SUNNY"}, 400, "INVALID_LABEL"),
            ({"text": CALM}, 400, "INVALID_REQUEST"),
            ({"text": " ", "label": "CALM"}, 400, "TEXT_EMPTY"),
            ({"prediction_id": "none", "correct": True}, 404, "PREDICTION_UNKNOWN"),
        ],
    )
    def test_refused(self, anna: FeedbackCaller, content: Any, status: int, code: str) -> None:
        answer = anna.say(**content)
        assert (answer.status, answer.body["code"]) == (status, code)

    def test_each_policy_opens_its_routes_only(self, live: Served, anna: FeedbackCaller) -> None:
        assert [answer.status for answer in (anna.api.classify([CALM]), anna.api.model())] == [403, 403]
        of_callers = live.api_as(live.role("CallersPolicyArn"))
        assert of_callers.request("POST", "/feedback", {"text": CALM, "label": "CALM"}).status == 403

    def test_accepted_at_once(self, live: Served, anna: FeedbackCaller) -> None:
        """Each branch under the function's own role."""
        bert = FeedbackCaller(live)

        def states(text: str, *said: tuple[FeedbackCaller, str]) -> list[str]:
            return [who.say(text=text, label=label).body["state"] for who, label in said]

        with live.trusted():
            new = states("accepted", (anna, "CALM"), (anna, "CALM"), (anna, "STORM"), (bert, "CALM"))
            live.put_item("waiting", ItemState.WAITING)
            live.put_item("held", ItemState.CLAIMED, by="arn:aws:iam::111122223333:user/reviewer")
            live.put_item("my own", ItemState.CLAIMED, by=anna.arn)
            found = [states(text, (anna, "CALM")) for text in ("waiting", "held", "my own")]
        assert new == ["ACCEPTED", "ACCEPTED", "ACCEPTED", "WAITS_FOR_REVIEW"]
        assert found == [["ACCEPTED"], ["WAITS_FOR_REVIEW"], ["ACCEPTED"]]
        item = live.item("accepted")
        assert (item.state, item.labels, item.answers[0].by) == (ItemState.ANSWERED, ("STORM",), anna.arn)
        # What pointed at an item that waits no more is gone, every version of it.
        assert [text for text in ("waiting", "held", "my own") if live.pointers(text, "review/claimed/")] == ["held"]
        assert live.pointers("waiting", "review/waiting/") == []


def test_predictions_are_measured(live: Served) -> None:
    live.classify({"text": CALM})

    def measured() -> list[dict[str, Any]]:
        metrics: list[dict[str, Any]] = live.account.client("cloudwatch").list_metrics(
            Namespace="ComprehendFlywheel", MetricName="PredictionConfidence"
        )["Metrics"]
        return metrics

    (metric,) = until(measured)
    assert metric["Dimensions"] == [{"Name": "Flywheel", "Value": NAME}]


def test_logs_name_the_request_and_hold_no_text(live: Served) -> None:
    secret = "lullaby-of-a-secret-kind"
    live.classify({"documents": [CALM, f"{secret} {UNSURE}"]})
    live.classify({"text": CALM, secret: secret})
    live.api.request("POST", "/classify", content_type="text/plain", body=f'{{"text": 1, "{secret}": 2'.encode())
    until(lambda: len(live.pipeline.log_lines("api-access")) > 2)
    access = [json.loads(line) for line in live.pipeline.log_lines("api-access")]
    assert {"200", "400"} <= {line["status"] for line in access}
    assert any(line["path"] == "/classify" and line["caller"].startswith("arn:aws:") for line in access)
    for group in ("classify_api", "api-access"):
        assert secret not in "\n".join(live.pipeline.log_lines(group))
    logged = [entry for entry in live.pipeline.log("classify_api") if entry["message"] == "classified"]
    assert {"correlation_id", "documents", "failed", "low_confidence", "throttled"} <= set(logged[-1])


def test_a_promotion_is_no_error(live: Served) -> None:
    """While the endpoint changes over to another model it goes on answering."""
    live.account.comprehend_administration("PUT", "settings", {"endpoint_update_seconds": 1.0})
    pipeline, before = live.pipeline, live.pipeline.active_model()
    answers: list[Answer] = []
    done = Event()

    def ask() -> None:
        while not done.is_set():
            answers.append(live.classify({"text": CALM}))

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            pipeline.upload("train/second.csv", documents())
            pipeline.at_rest()
            newest = pipeline.iterations()[-1]["TrainedModelArn"]
            assert newest != before
            if pipeline.active_model() == before:
                # The gate may keep it back: the new data teach nothing new. A person may want it all the same.
                live.account.client("ssm").put_parameter(
                    Name=f"/comprehend-flywheel/{NAME}/desired-model-arn", Value=newest, Type="String", Overwrite=True
                )
            until(lambda: live.api.model().body["endpoint"]["model_arn"] == newest, patience=LONG)
            asked = len(answers)
            until(lambda: len(answers) > asked + 5)
        finally:
            done.set()
        for future in asking:
            future.result()
    assert {answer.status for answer in answers} == {200}
    assert {prediction_of(answer)["label"] for answer in answers} == {"CALM"}
    pipeline.at_rest()


def test_the_documents_lines_of_python(live: Served) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), flags=re.DOTALL)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", lines],
        env={**inherited, **live.account.environment(), "API_URL": live.outputs["ApiUrl"]},
        capture_output=True,
        text=True,
        check=False,
    )
    status, _, body = done.stdout.partition(" ")
    assert status == "200", done.stderr
    assert json.loads(body)["documents"][0]["label"] in LABELS


class TestCommandLine:
    @pytest.fixture(autouse=True)
    def in_the_account(self, live: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in live.account.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FLYWHEEL_NAME", NAME)

    def test_table(self) -> None:
        done = CliRunner().invoke(app, ["classify", CALM, STORM])
        assert done.exit_code == 0, done.output
        assert "CALM" in done.stdout
        assert "STORM" in done.stdout

    def test_lines_as_json(self) -> None:
        lines = "\n".join([CALM, "", STORM] * 20)
        done = CliRunner().invoke(app, ["classify", "--json"], input=lines)
        assert done.exit_code == 0, done.output
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(each["text"], each["labels"]) for each in found] == [(CALM, ["CALM"]), (STORM, ["STORM"])] * 20

    def test_too_long(self) -> None:
        done = CliRunner().invoke(app, ["classify", "x" * 10_241])
        assert done.exit_code == 1
        assert "Text 1 has 10,241 bytes" in done.output

    def test_without_permission(self, live: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        role = create_role(
            live.account,
            allow("ssm:GetParameter", "ssm:GetParameters"),
            trusted={"AWS": f"arn:aws:iam::{live.account.account}:root"},
        )
        credentials = live.account.session(role_arn=role).get_credentials()
        assert credentials is not None
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", str(credentials.token))
        done = CliRunner().invoke(app, ["classify", CALM])
        assert done.exit_code == 1
        assert "CallersPolicyArn" in done.output


def test_the_apis_own_limit(live: Served) -> None:
    """Changed without the CLI: the stage's own throttling is what is looked at."""
    gateway = live.account.client("apigateway")
    api_id = live.api.url.rsplit("/", 2)[1]

    def limit(rate: str, burst: str) -> None:
        operations = [
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": rate},
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": burst},
        ]
        gateway.update_stage(restApiId=api_id, stageName="live", patchOperations=operations)

    described = gateway.get_stage(restApiId=api_id, stageName="live")["methodSettings"]["*/*"]
    assert (described["throttlingRateLimit"], described["throttlingBurstLimit"]) == (50, 100)
    limit("1", "1")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: live.api.model(), range(4)))
    limit("50", "100")
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert {(answer.body["code"], answer.retry_after) for answer in refused} == {("THROTTLED", 1.0)}


def test_no_endpoint(live: Served) -> None:
    """The last test of this module: it takes the endpoint away."""
    ssm = live.account.client("ssm")
    name = f"/comprehend-flywheel/{NAME}/serving"
    wish = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    ssm.put_parameter(Name=name, Value=json.dumps({**wish, "inference_units": "0"}), Type="String", Overwrite=True)
    intake = live.pipeline.deployment.intake

    def state() -> ServingState | None:
        found = intake.read(STATE_KEY, ServingState)
        return found if found is not None and found.status is ServingStatus.NOT_WANTED else None

    found = until(state, patience=LONG)
    answer = live.classify({"text": CALM})
    assert (answer.status, answer.body["code"], answer.body["status"]) == (503, "NO_ENDPOINT", "not wanted")
    assert datetime.fromisoformat(answer.body["since"]) == found.since
    assert "InferenceUnits is 0" in answer.body["message"]
    body = live.api.model().body
    assert (body["endpoint"], body["serving"]["status"]) == (None, "not wanted")
    assert body["active_model"]["arn"] == live.pipeline.active_model()
    with pytest.raises(OperatorError, match=r"InferenceUnits is 0.*Since"):
        list(classify([CALM], api=live.api))
