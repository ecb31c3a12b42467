"""What users of the real-time API do: they find it as `flywheel classify` does. API Gateway is this module: it checks
who calls, and waits for 29 seconds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flywheel.records.predictions import text_digest
from flywheel.review.propose import Taken
from flywheel.spans import Span
from ops.verbs.classify import find_api
from tests.simulation.acts.heard import ApiAnswer
from tests.simulation.acts.truth import mistake, truth
from tests.simulation.api import ApiError
from tests.simulation.deployment.service_requests import require_api
from tests.simulation.functions import FunctionFailed, FunctionKilled, FunctionTimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.simulation.people import People
    from tests.simulation.schedule.act import Act

_WAITS = 29.0
_LONGEST = 30.0
"""A function may go on for so long after a request came, in seconds."""
_CALLERS, _FEEDBACK = "ApiCallersPolicy", "ApiFeedbackCallersPolicy"


def ask(people: People, act: Act) -> None:
    """One text, or several documents."""
    texts = act.detail["texts"]
    path = "/entities" if people.app.kind == "ENTITIES" else "/classify"
    body = {"text": texts[0]} if len(texts) == 1 else {"documents": list(texts)}
    _call(people, "POST", path, body, texts=texts, who=act.detail["who"])


def see_model(people: People, act: Act) -> None:
    _call(people, "GET", "/model", None, texts=(), who=act.detail["who"])


def give_feedback(people: People, act: Act) -> None:
    """About a text, or about one of the predictions that the API gave."""
    text = act.detail["texts"][0]
    about: dict[str, Any] = {"text": text}
    if act.detail["by_id"]:
        predictions = [
            (one, document)
            for answer in people.heard.api
            if answer.status == 200 and "documents" in answer.body
            for one, document in zip(answer.texts, answer.body["documents"], strict=True)
            if "prediction_id" in document
        ]
        if predictions:
            text, document = predictions[int(act.chance * len(predictions))]
            about = {"prediction_id": document["prediction_id"]}
    if text_digest(text) in people.heard.forgotten_items:
        # It would be a new text, whose answers may be published again.
        return
    said = _said(people, act, text) if not act.detail["correct"] else {"correct": True}
    answer, by = _call(people, "POST", "/feedback", {**about, **said}, texts=(text,), who=act.detail["who"])
    if "label" in said and answer.status == 200 and answer.body["state"] == Taken.WAITS_FOR_REVIEW:
        people.heard.proposed[text_digest(text), by] = frozenset({str(said["label"])})
    elif answer.status == 200:
        # It is an answer now.
        people.heard.proposed.pop((text_digest(text), by), None)


def _said(people: People, act: Act, text: str) -> dict[str, Any]:
    kind = people.app.kind
    labels = truth(text, kind=kind)
    if act.chance < act.detail["wrong"]:
        labels = mistake(text, kind=kind, labels=act.detail["labels"], chance=act.chance)
    if kind == "ENTITIES":
        spans = map(Span.of_label, labels)
        return {"entities": [{"type": span.type, "begin": span.begin, "end": span.end} for span in spans]}
    return {"label": labels[0]} if len(labels) == 1 else {"labels": list(labels)}


def _call(
    people: People, verb: str, path: str, body: Mapping[str, Any] | None, *, texts: tuple[str, ...], who: str
) -> tuple[ApiAnswer, str]:
    """What was answered, and the ARN of who asked."""
    world, app, heard = people.world, people.app, people.heard
    person = world.with_policies(who, _CALLERS, _FEEDBACK, account=app.account)
    stage = find_api(people.any_deployment_of(person)).url.rpartition("/")[2]
    if "serving" not in app.stacks:
        raise ApiError("ServiceUnavailable", "The stack with the API is still being created.", status=503)
    function = require_api(world.roles, person.caller, app.stacks["serving"], method=verb, path=path)
    event = {
        "resource": path,
        "path": path,
        "httpMethod": verb,
        "headers": {"Content-Type": "application/json"},
        "requestContext": {
            "stage": stage,
            "path": f"/{stage}{path}",
            "requestId": f"request-{len(heard.api):06d}",
            "identity": {"userArn": person.caller.arn},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
    began = world.kernel.now
    for text in texts:
        heard.sent[text] = max(heard.sent[text], began + _LONGEST)
    world.kernel.sleep(world.weather.latency("execute-api"))
    process = world.functions.begin(function, event)
    status, answer = 504, None
    if process.join(at_most=_WAITS):
        match process.error:
            case None:
                assert process.result is not None
                status, answer = process.result["statusCode"], json.loads(process.result["body"])
            case FunctionFailed() | FunctionKilled() | FunctionTimedOut():
                status = 502
            case error:
                raise error
    world.tell(who, f"is answered {status}" + (f": {answer['code']}" if answer and "code" in answer else ""))
    world.visits[f"api/{path}/{status}/{answer.get('code', '') if isinstance(answer, dict) else ''}"] += 1
    heard.api.append(
        ApiAnswer(
            path=path, by=who, began=began, ended=world.kernel.now, texts=tuple(texts), status=status, body=answer
        )
    )
    if status >= 500 and status != 503:
        raise ApiError(str(status), f"{verb} {path} has no answer.", status=status)
    return heard.api[-1], person.caller.arn


ACTS: dict[str, Callable[[People, Act], Any]] = {
    "ask the API": ask,
    "ask for the model": see_model,
    "give feedback": give_feedback,
}
