"""Promotions whose model has to pass a smoke test."""

from __future__ import annotations

from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionMode, PromotionRequest, PromotionSource
from flywheel.records.serving import smoke_test_of
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, as_csv, documents, mislabelled

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=6, words="judge: ")
RIGHT = documents(*LABELS, start=100, count=60)
BEST = documents(*LABELS, start=5000, count=100)
SMOKE_KEY = "smoke.csv"
TRIED: dict[str, object] = {"inference_units": 50, "smoke_test_key": SMOKE_KEY, "smoke_test_minimum": 0.9}
UNTRIED: dict[str, object] = {**TRIED, "smoke_test_key": "none"}
MOST_KILLS = 60


WRONG = mislabelled(documents(*LABELS, count=20))
SMOKE = documents(*LABELS, start=900, count=3)


def ask(
    at: Deployment,
    model: str,
    *,
    source: PromotionSource = PromotionSource.OPERATOR,
    decided_against: str | None = None,
) -> str:
    """The request's id."""
    number = len(at.keys(promotions.REQUESTS))
    request = PromotionRequest(
        id=f"request-{number}",
        source=source,
        model_arn=model,
        flywheel_arn=at.flywheel_arn,
        requested_at=at.now(),
        by="a test",
        reason="A test wants it.",
        decided_against=decided_against or at.active_model(),
    )
    at.bucket.write(promotions.request_key(request.id), request)
    return request.id


def end_of(at: Deployment, request: str) -> Promotion:
    return at.bucket.require(promotions.end_key(request), Promotion)


def schedule(at: Deployment) -> None:
    """What mends serving by itself."""
    at.serve()


def failed(at: Deployment, model: str) -> bool:
    """The last smoke test of the model."""
    tested = smoke_test_of(model, intake=at.bucket)
    assert tested
    return not tested.passed


def served(at: Deployment) -> str | None:
    endpoint = at.endpoint()
    return endpoint["ModelArn"] if endpoint else None


def check_serves(at: Deployment, model: str, *, previous: str | None = None) -> None:
    """Everywhere, and nothing is left to do."""
    schedule(at)
    at.promote_all()
    parameters = {"active-model-arn": model, "desired-model-arn": model}
    assert at.parameters() == (parameters | {"previous-model-arn": previous} if previous else parameters)
    assert (at.active_model(), served(at)) == (model, model)
    assert requests.open_requests(at.bucket) == []
    assert not at.poked_promotion().start


def until_updated(at: Deployment) -> str:
    """The next promotion, up to where it waits for the endpoint; its name."""
    at.operator.poke_promotions()
    return at.run_before("FindServing", machine="Promote")


def twice_trained() -> Deployment:
    """A served model that answers as the smoke test wants, which is wrongly, and a better one that does not."""
    at = Deployment(serving=TRIED)
    at.upload(SMOKE_KEY, as_csv(mislabelled(SMOKE)))
    at.upload("test/test.csv", TEST)
    at.upload("train/wrong.csv", WRONG)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    at.change(promotion_mode=PromotionMode.NEVER)
    at.upload("train/right.csv", RIGHT)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    at.change(promotion_mode=PromotionMode.AUTOMATIC)
    check_serves(at, former(at))
    return at


def former(at: Deployment) -> str:
    return str(at.iterations()[-1]["TrainedModelArn"])


def better(at: Deployment) -> str:
    return str(at.iterations()[-2]["TrainedModelArn"])


def killed_after(at: Deployment, changes: int) -> bool:
    """Whether a function was killed before the promotions came to their end; the machine tries again."""
    at.script.kill(after=changes)
    at.promote_all()
    killed = bool(at.script.killed)
    at.script.kill()
    return killed
