"""The real-time API's routes on the local Comprehend: both modes, its limits, its throttling, its endpoint's life."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from flywheel.api.classify_api import Classified, RequestClassifier
from flywheel.api.describe_model import describe_model
from flywheel.api.keep_predictions import Keep, KeepingRules
from flywheel.comprehend.live_endpoint import LiveEndpoint
from flywheel.comprehend.model import ModelService
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.records.predictions import KeptPrediction, prediction_key
from flywheel.records.thresholds import ModelThresholds, thresholds_key
from flywheel.store.parameters import PublishedActive
from handlers.api.classify_routes import routes
from tests.contract.comprehend_world import World
from tests.contract.endpoints import PREFIX, create, mistaken, serving, settled, trained
from tests.contract.sample_documents import LABELS, text_about
from tests.contract.waiting import until

AMPLE: dict[str, Any] = {"documents_per_inference_unit": 1e6, "characters_per_inference_unit": 1e6}
NOWHERE = f"{PREFIX}:document-classifier-endpoint/live"
SINCE = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Kept:
    """What would lie in the intake bucket."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {}

    def exists(self, key: str) -> bool:
        return key in self.records

    def write(self, key: str, record: Any) -> None:
        self.records[key] = record

    def write_once(self, key: str, record: Any) -> bool:
        return self.records.setdefault(key, record) is record

    def read(self, key: str, _kind: Any) -> Any:
        return self.records.get(key)


class Published:
    def __init__(self, arn: str | None) -> None:
        self._arn = arn

    def active_since(self) -> PublishedActive | None:
        return PublishedActive(arn=self._arn, since=SINCE) if self._arn else None


class Api:
    """The routes, asked with events as API Gateway sends them."""

    def __init__(self, world: World, arn: str = NOWHERE, *, active: str | None = None, threshold: float = 0.7) -> None:
        self.endpoint_arn = arn
        self.kept = Kept()
        self.endpoint = LiveEndpoint(
            comprehend=world.client, kind=DOCUMENT_CLASSIFICATION, arn=arn, clock=lambda: datetime.now(UTC)
        )
        self._models = ModelService(comprehend=world.client, kind=DOCUMENT_CLASSIFICATION)
        self._published = Published(active)
        self._classifying = RequestClassifier(
            endpoint=self.endpoint,
            intake=lambda: self.kept,  # type: ignore[arg-type, return-value]  # a fake
            rules=KeepingRules(keep=Keep.LOW_CONFIDENCE, threshold=threshold),
            clock=lambda: datetime.now(UTC),
            # What would be waited for passes at once.
            pause=world.clock.advance,
        )
        self._routes = routes(self, real_time=DOCUMENT_CLASSIFICATION.real_time)

    def classify(self, texts: Any) -> Classified:
        return self._classifying.classify(texts)

    def describe_model(self) -> Any:
        return describe_model(
            models=self._models,
            intake=cast("Any", self.kept),
            published=cast("Any", self._published),
            endpoint=self.endpoint,
        )

    def request(self, verb: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        event = {
            "resource": path,
            "path": path,
            "httpMethod": verb,
            "headers": {"Content-Type": "application/json"},
            "requestContext": {"stage": "live", "path": f"/live{path}"},
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }
        answer = self._routes.resolve(event, None)  # type: ignore[arg-type]  # no context is read
        return answer["statusCode"], json.loads(answer["body"])

    def post(self, body: Any) -> tuple[int, dict[str, Any]]:
        return self.request("POST", "/classify", body)


def test_exclusive_classes(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    flywheel, model = trained(world)
    api = Api(world, serving(world, FlywheelArn=flywheel))
    status, body = api.post({"documents": [text_about(label, seed="1") for label in LABELS]})
    assert status == 200
    assert [document["label"] for document in body["documents"]] == list(LABELS)
    assert (body["endpoint_arn"], body["model"]["arn"]) == (api.endpoint_arn, model)
    for document in body["documents"]:
        scores = [each["score"] for each in document["classes"]]
        assert document["confidence"] == scores[0] == max(scores)


def test_labels_that_go_together(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    _, model = trained(world, mode="MULTI_LABEL")
    api = Api(world, serving(world, ModelArn=model), threshold=1)
    _, body = api.post({"text": text_about("SPORTS", "SCIENCE", seed="1")})
    (document,) = body["documents"]
    scores = {each["name"]: each["score"] for each in document["labels"]}
    assert set(scores) == set(LABELS)
    assert {each["name"] for each in document["labels"] if each["predicted"]} == {"SPORTS", "SCIENCE"}
    assert {each["threshold"] for each in document["labels"]} == {0.5}
    assert document["confidence"] == min(max(score, 1 - score) for score in scores.values())
    (record,) = [record for record in api.kept.records.values() if isinstance(record, KeptPrediction)]
    assert (record.suggestion.multi_label, record.suggestion.model_arn) == (True, model)
    assert record.suggestion.margin == pytest.approx(2 * document["confidence"] - 1)
    assert document["kept"] is True
    assert prediction_key(document["prediction_id"]) in api.kept.records


def test_thresholds_of_the_model(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    _, model = trained(world, mode="MULTI_LABEL")
    api = Api(world, serving(world, ModelArn=model), active=model)
    assert api.request("GET", "/model")[1]["active_model"]["thresholds"] is None
    thresholds = dict.fromkeys(LABELS, 0.0001) | {"SPORTS": 0.9999}
    api.kept.records[thresholds_key(model)] = ModelThresholds(
        model_arn=model, holdout_id="0123456789abcdef", thresholds=thresholds
    )
    assert api.request("GET", "/model")[1]["active_model"]["thresholds"] == thresholds
    _, body = api.post({"text": text_about("SPORTS", seed="1")})
    labels = body["documents"][0]["labels"]
    assert {each["name"]: each["threshold"] for each in labels} == thresholds
    assert {each["name"] for each in labels if each["predicted"]} == set(LABELS) - {"SPORTS"}


def test_the_longest_text_is_the_services_longest(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    _, model = trained(world)
    api = Api(world, serving(world, ModelArn=model))
    assert api.post({"text": "\u00e9" * 5120})[0] == 200
    status, body = api.post({"text": "\u00e9" * 5120 + "a"})
    assert (status, body["code"]) == (400, "TEXT_TOO_LONG")
    # The service itself was not asked.
    calls = world.administration("GET", "calls?operation=ClassifyDocument")[1]["calls"]
    assert {call["outcome"] for call in calls} == {"ok"}


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException"])
def test_a_full_request_passes_with_one_unit(make_world: Callable[..., World], code: str) -> None:
    world = make_world(characters_per_inference_unit=1e6, classification_throttle_error=code)
    _, model = trained(world)
    api = Api(world, serving(world, ModelArn=model))
    status, body = api.post({"documents": ["goal"] * 25})
    assert status == 200
    assert all("label" in document for document in body["documents"])


def test_no_endpoint_and_one_that_is_being_made(make_world: Callable[..., World]) -> None:
    world = make_world(endpoint_creation_seconds=1e6, **AMPLE)
    _, model = trained(world)
    assert Api(world).post({"text": "goal"})[1]["code"] == "NO_ENDPOINT"
    status, body = Api(world, create(world, ModelArn=model)).post({"text": "goal"})
    assert (status, body["code"]) == (503, "NO_ENDPOINT")


def test_a_change_of_the_model_is_seen_in_the_answers_only(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    flywheel, first = trained(world)
    second = mistaken(world, flywheel)
    arn, text = serving(world, FlywheelArn=flywheel), text_about("SPORTS", seed="1")
    api = Api(world, arn, active=second)
    world.set(endpoint_update_seconds=10)
    assert api.post({"text": text})[1]["documents"][0]["label"] == "SPORTS"
    world.promote(flywheel, second)
    until(lambda: world.client.describe_endpoint(EndpointArn=arn)["EndpointProperties"]["Status"] == "UPDATING")
    assert api.post({"text": text})[1]["documents"][0]["label"] == "SPORTS"
    served = api.request("GET", "/model")[1]["endpoint"]
    assert (served["status"], served["model_arn"], served["desired_model_arn"]) == ("UPDATING", first, second)
    world.clock.advance(10)
    settled(world, arn)
    assert api.post({"text": text})[1]["documents"][0]["label"] == "SCIENCE"


def test_the_model_and_its_scores(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    _, model = trained(world)
    api = Api(world, serving(world, ModelArn=model), active=model)
    status, body = api.request("GET", "/model")
    assert status == 200
    described = world.client.describe_document_classifier(DocumentClassifierArn=model)["DocumentClassifierProperties"]
    metrics = described["ClassifierMetadata"]["EvaluationMetrics"]
    assert body["active_model"]["scores"]["F1Score"] == metrics["F1Score"]
    assert datetime.fromisoformat(body["active_model"]["since"]) == SINCE
    assert body["endpoint"]["inference_units"] == 1
    assert body["serving"] is None


def test_before_the_first_promotion(world: World) -> None:
    assert Api(world).request("GET", "/model") == (200, {"active_model": None, "endpoint": None, "serving": None})


def test_a_fault_tells_nothing(make_world: Callable[..., World]) -> None:
    world = make_world(**AMPLE)
    world.administration("POST", "faults", {"operation": "DescribeEndpoint", "kind": "fail"})
    status, body = Api(world).request("GET", "/model")
    assert (status, body["code"]) == (500, "INTERNAL_ERROR")
    assert "InternalServer" not in body["message"]
