"""The demo's live predictions: an endpoint and its API, asked ten times a second while the active model changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flywheel.records.promotions import Promotion
from flywheel.records.serving import ServingStatus
from local.cloud import LocalCloud, LocalCloudError
from local.sample_news import Recipe, documents
from ops.deployment.published import Deployment
from ops.verbs.classify import ClassifiedText, RealTimeApi, classify, find_api
from ops.verbs.endpoint import endpoint

UNITS = 10
"""A unit answers 2 documents and 100 characters a second: enough for the load, and for what else is asked."""
CALLS_A_SECOND = 10
_PATIENCE_SECONDS = 120.0
_LOOK_AGAIN_SECONDS = 0.25
_LEAST_CALLS = 20


@dataclass(kw_only=True)
class Load:
    """What a client saw that asks for one document at a time, and tries nothing again."""

    calls: int = 0
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return self.calls / self.seconds if self.seconds else 0.0


def serve(cloud: LocalCloud, deployment: Deployment, *, units: int = UNITS, **further: str) -> RealTimeApi:
    """Ask for an endpoint, as an operator does: a parameter of the Serving stack. Returns its API once it answers.

    `further` are other parameters of that stack.
    """
    parameters = {"InferenceUnits": str(units), "PollSeconds": "30", **further}
    stack = f"{deployment.name}-serving"
    cloud.account().deploy(
        cloud.places.cloud_assembly,
        stacks=[stack],
        parameters={f"{stack}:{name}": value for name, value in parameters.items()},
    )
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = endpoint(deployment)
        if found.state is not None and found.state.status is ServingStatus.IN_SERVICE and found.serves_active_model:
            return find_api(deployment)
        time.sleep(_LOOK_AGAIN_SECONDS)
    raise LocalCloudError("The endpoint did not come into service: `flywheel endpoint` says why.")


def articles(*, seed: int) -> list[tuple[str, str]]:
    """One of each label that no model has seen: label and text."""
    return documents(Recipe(documents_per_label=1, asides=1), seed=seed)


def classified(api: RealTimeApi, texts: Sequence[str]) -> list[ClassifiedText]:
    """Through the signed API."""
    return list(classify(texts, api=api))


@contextmanager
def under_load(api: RealTimeApi, *, seed: int) -> Iterator[Load]:
    """A client of the API while the block runs, and until it has asked often enough to tell."""
    # A headline, so that the units are enough for its characters, too.
    text = documents(Recipe(documents_per_label=1, headline_only=True), seed=seed)[0][1]
    load, stop = Load(), threading.Event()
    client = threading.Thread(target=_ask, args=(api, text, load, stop), daemon=True)
    client.start()
    try:
        yield load
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while load.calls < _LEAST_CALLS and client.is_alive() and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_SECONDS)
    finally:
        stop.set()
        client.join()


def _ask(api: RealTimeApi, text: str, load: Load, stop: threading.Event) -> None:
    began = time.monotonic()
    while not stop.is_set():
        answer = api.classify([text])
        load.calls += 1
        document = (answer.body.get("documents") or [{}])[0]
        if answer.status != 200 or "error" in document:
            load.errors.append(f"{answer.status}: {document.get('error') or answer.body}")
        load.seconds = time.monotonic() - began
        stop.wait(max(0.0, load.calls / CALLS_A_SECOND - load.seconds))


def show(
    console: Console,
    texts: Sequence[tuple[str, str]],
    *,
    before: Sequence[ClassifiedText],
    after: Sequence[ClassifiedText],
) -> None:
    """What the API answered before and after the promotion."""
    table = Table(title="POST /classify", title_justify="left")
    for heading in ("text", "is about", "before", "after"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "text")
    for (label, text), former, present in zip(texts, before, after, strict=True):
        table.add_row(Text(text), label, _answer(former, label), _answer(present, label))
    console.print(table)


def _answer(answer: ClassifiedText, label: str) -> Text:
    if answer.confidence is None:
        return Text(str(answer.error), style="red")
    words = f"{', '.join(answer.labels)} {answer.confidence:.2f}"
    return Text(words, style="green" if answer.labels == (label,) else "red")


def differences(answers: Sequence[ClassifiedText], load: Load, promotion: Promotion) -> list[str]:
    """Sentences on what did not end as told; none if all did."""
    found = [
        f"The API did not classify {answer.text!r}: {answer.message}." for answer in answers if not answer.answered
    ]
    if load.errors:
        found.append(f"{len(load.errors)} of {load.calls} calls failed during the promotion, first {load.errors[0]}.")
    if load.calls < _LEAST_CALLS:
        found.append(f"Only {load.calls} calls were made during the promotion.")
    if not promotion.status.made_active or promotion.serving is None:
        found.append(f"The promotion under load is {promotion.status}: {promotion.reason}")
    return found
