from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from local.comprehend.errors import ComprehendError
from local.comprehend.identifiers import Scope
from local.comprehend.inferences import Inference
from local.comprehend.workers.worker_processes import WorkerDiedError, WorkerProcesses
from tests.contract.comprehend_world import ACCOUNT, REGION, World
from tests.contract.endpoints import PREFIX, best, create, mistaken, serving, settled, trained
from tests.contract.error_codes import refused
from tests.contract.sample_documents import LABELS, text_about
from tests.contract.waiting import until

# So that no test but those about it is throttled.
AMPLE: dict[str, Any] = {"documents_per_inference_unit": 1e6, "characters_per_inference_unit": 1e6}


def call(world: World, arn: str, **members: Any) -> dict[str, Any]:
    answer = dict(world.client.classify_document(EndpointArn=arn, **members))
    del answer["ResponseMetadata"]
    return answer


def test_classes_are_mutually_exclusive_and_best_first(make_world: Callable[..., World]) -> None:
    """As in the AWS CLI's example: names and scores, and no other member for a text."""
    world = make_world(**AMPLE)
    flywheel, _ = trained(world)
    arn = serving(world, FlywheelArn=flywheel)
    for label in LABELS:
        answer = call(world, arn, Text=text_about(label, seed="1"))
        assert list(answer) == ["Classes"]
        assert [sorted(entry) for entry in answer["Classes"]] == [["Name", "Score"]] * 3
        scores = [entry["Score"] for entry in answer["Classes"]]
        assert answer["Classes"][0]["Name"] == label
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(1)


def test_at_most_so_many_classes_are_named(make_world: Callable[..., World]) -> None:
    world = make_world(classes_in_answer=2, **AMPLE)
    _, model = trained(world)
    assert len(call(world, serving(world, ModelArn=model), Text="goal")["Classes"]) == 2


def test_every_label_is_scored_on_its_own(make_world: Callable[..., World]) -> None:
    world = make_world(classes_in_answer=1, **AMPLE)
    _, model = trained(world, mode="MULTI_LABEL")
    answer = call(world, serving(world, ModelArn=model), Text=text_about("SPORTS", "SCIENCE", seed="1"))
    assert list(answer) == ["Labels"]
    assert {entry["Name"] for entry in answer["Labels"] if entry["Score"] >= 0.5} == {"SPORTS", "SCIENCE"}
    assert {entry["Name"] for entry in answer["Labels"]} == set(LABELS)
    assert sum(entry["Score"] for entry in answer["Labels"]) > 1


def test_text_limit_counts_bytes(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    for fits in ("a" * 10_240, "\u00e9" * 5_120, "\U0001f600" * 2_560):
        call(world, arn, Text=fits)
        with refused("TextSizeLimitExceededException") as refusal:
            call(world, arn, Text=f"{fits}a")
        assert "10240 bytes" in refusal.message
        assert "10241 bytes" in refusal.message


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"Text": "goal", "Bytes": b"goal"},
        {"Bytes": b"goal"},
        {"Text": "goal", "DocumentReaderConfig": {"DocumentReadAction": "TEXTRACT_DETECT_DOCUMENT_TEXT"}},
    ],
)
def test_requests_that_cannot_be_answered(world: World, members: dict[str, Any]) -> None:
    _, model = trained(world)
    with refused("InvalidRequestException") as refusal:
        call(world, serving(world, ModelArn=model), **members)
    assert refusal.status == 400


@pytest.mark.parametrize("request_", [{"Text": ""}, {"Bytes": ""}, {"Bytes": "not base64"}, {"Bytes": 7}])
def test_what_the_sdk_would_not_send(world: World, request_: dict[str, Any]) -> None:
    arn = f"{PREFIX}:document-classifier-endpoint/live"
    with pytest.raises(ComprehendError, match="InvalidRequestException: 1 validation error"):
        world.service.call(
            operation="ClassifyDocument",
            request={"EndpointArn": arn, **request_},
            account=ACCOUNT,
            region=REGION,
        )


@pytest.mark.parametrize(
    "arn", [f"{PREFIX}:document-classifier-endpoint/none", f"{PREFIX}:entity-recognizer-endpoint/x"]
)
def test_unknown_endpoint(world: World, arn: str) -> None:
    code = "ResourceUnavailableException" if "classifier" in arn else "InvalidRequestException"
    with refused(code):
        call(world, arn, Text="goal")


def test_endpoint_that_is_not_in_service_yet(make_world: Callable[..., World]) -> None:
    world = make_world(endpoint_creation_seconds=10)
    _, model = trained(world)
    arn = create(world, ModelArn=model)
    with refused("ResourceUnavailableException") as refusal:
        call(world, arn, Text="goal")
    assert (refusal.status, "CREATING" in refusal.message) == (404, True)
    world.clock.advance(10)
    settled(world, arn)
    call(world, arn, Text="goal")


def accepted(world: World, arn: str, text: str = "goal", *, code: str = "ThrottlingException", tries: int = 30) -> int:
    """How many of so many calls at one moment are answered; the others are throttled."""
    outcomes: Counter[str] = Counter()
    for _ in range(tries):
        try:
            world.client.classify_document(EndpointArn=arn, Text=text)
            outcomes["answered"] += 1
        except world.client.exceptions.ClientError as error:
            outcomes[error.response["Error"]["Code"]] += 1
    assert outcomes[code] == tries - outcomes["answered"], outcomes
    return outcomes["answered"]


def test_two_documents_a_second_for_each_unit(make_world: Callable[..., World]) -> None:
    world = make_world(endpoint_update_seconds=1000)
    _, model = trained(world)
    arn = serving(world, ModelArn=model, DesiredInferenceUnits=3)
    assert accepted(world, arn) == 6
    world.clock.advance(0.5)
    assert accepted(world, arn) == 3
    world.clock.advance(3600)
    assert accepted(world, arn) == 6
    # Another number of units counts once it is there.
    world.client.update_endpoint(EndpointArn=arn, DesiredInferenceUnits=5)
    world.clock.advance(999)
    assert accepted(world, arn) == 6
    world.clock.advance(1)
    settled(world, arn)
    world.clock.advance(1)
    assert accepted(world, arn) == 10


def test_a_hundred_characters_a_second_for_each_unit(make_world: Callable[..., World]) -> None:
    world = make_world(documents_per_inference_unit=1000)
    _, model = trained(world)
    arn = serving(world, ModelArn=model, DesiredInferenceUnits=2)
    assert accepted(world, arn, "x" * 50) == 4
    world.clock.advance(0.25)
    # Characters, not bytes.
    assert accepted(world, arn, "\u00e9" * 50) == 1


def test_long_text_passes_once_the_endpoint_has_rested_and_is_worked_off(make_world: Callable[..., World]) -> None:
    world = make_world()
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    assert accepted(world, arn, "x" * 1000) == 1
    world.clock.advance(9)
    assert accepted(world, arn, "x") == 0
    world.clock.advance(0.5)
    assert accepted(world, arn, "x" * 1000) == 0
    assert accepted(world, arn, "x" * 50) == 1
    world.clock.advance(1)
    assert accepted(world, arn, "x" * 1000) == 1


def test_burst_is_what_an_idle_endpoint_saves_up(make_world: Callable[..., World]) -> None:
    world = make_world(inference_burst=10)
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    assert accepted(world, arn) == 20
    world.clock.advance(1)
    assert accepted(world, arn) == 2
    world.set(inference_burst=0.1)
    world.clock.advance(1)
    # A reserve of less than one document refuses none for ever.
    assert accepted(world, arn) == 1


def test_endpoints_are_throttled_apart(world: World) -> None:
    _, model = trained(world)
    for name in ("one", "two"):
        assert accepted(world, serving(world, name, ModelArn=model)) == 2


def test_refused_text_takes_nothing(world: World) -> None:
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    for _ in range(3):
        with refused("TextSizeLimitExceededException"):
            call(world, arn, Text="x" * 20_000)
    assert accepted(world, arn) == 2


def test_only_what_was_answered_is_observed(make_world: Callable[..., World]) -> None:
    world = make_world()
    _, model = trained(world)
    arn = serving(world, ModelArn=model, DesiredInferenceUnits=2)
    for text in ("goal", "größe"):
        call(world, arn, Text=text)
    with refused("TextSizeLimitExceededException"):
        call(world, arn, Text="x" * 20_000)
    assert accepted(world, arn) == 2, "and then it is throttled"
    scope = Scope(account=ACCOUNT, region=REGION)
    known: dict[str, Any] = {
        "scope": scope,
        "endpoint_arn": arn,
        "model_arn": model,
        "units": 2,
        "characters_a_second": 200.0,
    }
    first, second, *rest = world.inferences
    assert (first, second) == (Inference(characters=4, **known), Inference(characters=5, **known))
    assert len(rest) == 2


def test_throttle_under_its_other_name(make_world: Callable[..., World]) -> None:
    world = make_world(classification_throttle_error="TooManyRequestsException")
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    assert accepted(world, arn, code="TooManyRequestsException") == 2
    with refused("TooManyRequestsException") as refusal:
        call(world, arn, Text="goal")
    assert refusal.status == 429


def test_faults(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    world.administration("POST", "faults", {"operation": "ClassifyDocument", "kind": "throttle", "every": 3})
    assert accepted(world, arn, tries=9) == 6


def test_promotion_under_load_is_seen_by_nobody_but_in_the_answers(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    flywheel, first = trained(world)
    second = mistaken(world, flywheel)
    arn, text = serving(world, FlywheelArn=flywheel), text_about("SPORTS", seed="1")
    world.set(endpoint_update_seconds=10)
    answers: list[str] = []
    done = Event()

    def ask() -> None:
        while not done.is_set():
            answers.append(best(world, arn, text))

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        try:
            until(lambda: len(answers) > 20)
            for model, before, after in ((second, "SPORTS", "SCIENCE"), (first, "SCIENCE", "SPORTS")):
                asked = len(answers)
                world.promote(flywheel, model)
                until(lambda asked=asked: len(answers) > asked + 20)  # type: ignore[misc]  # the default binds it
                assert set(answers[asked + 10 :]) == {before}
                world.clock.advance(10)
                assert settled(world, arn)["ModelArn"] == model
                until(lambda after=after: answers[-20:] == [after] * 20)  # type: ignore[misc]  # the default binds it
        finally:
            done.set()
        for future in asking:
            future.result()
    assert set(answers) == {"SPORTS", "SCIENCE"}


@contextmanager
def occupied(processes: WorkerProcesses, pipe: Path) -> Iterator[None]:
    """Keep the only process busy: it reads a pipe to its end."""
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as thread:
        held = thread.submit(processes.run, Path.read_bytes, pipe)
        # Opens only when the process has opened the other end.
        with pipe.open("wb"):
            yield
        held.result()


def test_prediction_holds_up_no_other_call(
    make_world: Callable[..., World], predictors: WorkerProcesses, tmp_path: Path
) -> None:
    world = make_world(**AMPLE)
    _, model = trained(world)
    arn, other = serving(world, ModelArn=model), world.client_of(patience=120)
    # Shows that the call has come.
    world.administration("POST", "faults", {"operation": "ClassifyDocument", "kind": "delay", "seconds": 0})
    with ThreadPoolExecutor(1) as thread:
        with occupied(predictors, tmp_path / "pipe"):
            answer = thread.submit(best, world, arn, "goal")
            until(lambda: world.administration("GET", "faults")[1]["faults"][0]["struck"])
            for _ in range(20):
                assert len(other.list_endpoints()["EndpointPropertiesList"]) == 1
            assert not answer.done()
        assert answer.result() == "SPORTS"


def test_prediction_does_not_wait_for_a_training(
    make_world: Callable[..., World], workers: WorkerProcesses, tmp_path: Path
) -> None:
    world = make_world(**AMPLE)
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    with occupied(workers, tmp_path / "pipe"):
        assert world.client_of(patience=120).classify_document(EndpointArn=arn, Text="goal")["Classes"]


def test_killed_predictor_is_replaced(make_world: Callable[..., World], predictors: WorkerProcesses) -> None:
    world = make_world(**AMPLE)
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    with pytest.raises(WorkerDiedError):
        predictors.run(os._exit, 1)
    assert best(world, arn, "goal") == "SPORTS"


def test_text_is_not_kept_in_the_log_of_calls(world: World) -> None:
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    call(world, arn, Text="goal of a secret kind")
    with refused("InvalidRequestException"):
        call(world, arn, Bytes=b"secret")
    calls = world.administration("GET", "calls?operation=ClassifyDocument")[1]["calls"]
    assert [(one["request"], one["outcome"]) for one in calls] == [
        ({"EndpointArn": arn, "Text": "***"}, "ok"),
        ({"EndpointArn": arn, "Bytes": "***"}, "InvalidRequestException"),
    ]
    assert "secret" not in json.dumps(calls)
