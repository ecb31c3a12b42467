"""Classifying, or finding entities, through the deployed real-time API, with requests signed by the caller's
credentials."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from pydantic import Field

from flywheel.api.messages import MOST_DOCUMENTS, ErrorCode
from flywheel.comprehend.model_kind import ModelType
from flywheel.confidence import YES
from flywheel.model_kinds import kind_of
from flywheel.store.record import Record
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.deployment.published import AnyDeployment

API = "api"
MOST_WAITS = 8
"""In a row, without a document getting an answer."""
LONGEST_WAIT = 30.0
_TIMEOUT = 35
"""API Gateway answers within 29 s."""


class PublishedApi(Record):
    """The JSON in the parameter `api`."""

    url: str


class ClassifiedText(Record):
    """One text with the API's answer, or why it has none."""

    text: str
    labels: tuple[str, ...] = ()
    """The class, or every label that the model says yes to; the best first. Of a recognizer the types of the entities,
    in the order of the text."""
    confidence: float | None = None
    scores: dict[str, float] = {}
    model_arn: str | None = None
    error: str | None = None
    message: str | None = None

    @property
    def answered(self) -> bool:
        return self.error is None

    @classmethod
    def of(cls, text: str, document: dict[str, Any], *, model_arn: str | None) -> Self:
        """`document` is a member of the answer's `documents` that is no error."""
        scored = document.get("classes") or document.get("labels") or []
        # Without `predicted` it is the answer of an API that has not been deployed again since.
        predicted = [item["name"] for item in scored if item.get("predicted", item["score"] >= YES)]
        return cls(
            text=text,
            labels=tuple(predicted) if "labels" in document else (document["label"],),
            confidence=document["confidence"],
            scores={item["name"]: item["score"] for item in scored},
            model_arn=model_arn,
        )


class FoundEntity(Record):
    """An entity as the API answers it."""

    text: str
    type: str
    begin: int
    end: int
    begin_utf16: int
    end_utf16: int
    score: float


class RecognizedText(ClassifiedText):
    scores: dict[str, float] = Field(default={}, exclude=True)
    """Each entity has its own."""
    entities: tuple[FoundEntity, ...] = ()
    """In the order of the text."""

    @classmethod
    def of(cls, text: str, document: dict[str, Any], *, model_arn: str | None) -> Self:
        entities = tuple(map(FoundEntity.model_validate, document["entities"]))
        return cls(
            text=text,
            labels=tuple(dict.fromkeys(entity.type for entity in entities)),
            confidence=document["confidence"],
            model_arn=model_arn,
            entities=entities,
        )


_RESULTS = {ModelType.DOCUMENT_CLASSIFIER: ClassifiedText, ModelType.ENTITY_RECOGNIZER: RecognizedText}


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: dict[str, Any]
    retry_after: float | None


class RealTimeApi:
    def __init__(self, *, url: str, clients: Clients, model_type: ModelType = ModelType.DOCUMENT_CLASSIFIER) -> None:
        """`url` has no slash at its end."""
        self.url = url
        self.result = _RESULTS[model_type]
        self._route = kind_of(model_type).real_time
        self._clients = clients
        # The CA bundle of the configuration, as boto3's own clients have it: there is no public way to ask for it.
        verify = clients.session._session.get_config_variable("ca_bundle")  # noqa: SLF001
        self._http = URLLib3Session(verify=verify or True, proxies=get_environ_proxies(url), timeout=_TIMEOUT)

    def classify(self, documents: Sequence[str]) -> Answer:
        return self.request("POST", self._route.path, {"documents": list(documents)})

    @property
    def most_text_bytes(self) -> int:
        return self._route.most_text_bytes

    def model(self) -> Answer:
        return self.request("GET", "/model")

    def request(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        """`content` becomes JSON; `body` is sent as it is.

        Raises botocore's errors if there are no credentials, or nothing answers.
        """
        credentials = self._clients.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        request = AWSRequest(
            method=method,
            url=f"{self.url}{path}",
            data=body if content is None else json.dumps(content).encode(),
            headers={"Content-Type": content_type},
        )
        SigV4Auth(credentials, "execute-api", self._clients.region).add_auth(request)
        answer = self._http.send(request.prepare())
        wait = answer.headers.get("Retry-After", "")
        return Answer(
            status=answer.status_code, body=_object(answer.content), retry_after=float(wait) if wait.isdigit() else None
        )


def find_api(deployment: AnyDeployment) -> RealTimeApi:
    """Raises OperatorError if the Serving stack is not deployed."""
    published = deployment.read_published(API, PublishedApi)
    if published is None:
        raise OperatorError(
            f"The flywheel {deployment.name!r} has no real-time API ({deployment.prefix}/{API} is not in Parameter "
            f"Store): deploy its stack {deployment.name}-serving."
        )
    return RealTimeApi(
        url=published.url.rstrip("/"), clients=deployment.clients, model_type=deployment.published.model_type
    )


def classify(
    texts: Iterable[str],
    *,
    api: RealTimeApi,
    on_wait: Callable[[float], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[ClassifiedText]:
    """The answer to each text, in order, as they come: up to 25 a request, and what is throttled is sent again.

    Raises OperatorError for a text that is too long (what came before it is answered), and if the API refuses.
    """
    checked = _checked(texts, most_bytes=api.most_text_bytes)
    while batch := list(islice(checked, MOST_DOCUMENTS)):
        yield from _classify_batch(batch, api=api, on_wait=on_wait, pause=pause)


def _checked(texts: Iterable[str], *, most_bytes: int) -> Iterator[str]:
    for number, text in enumerate(texts, start=1):
        size = len(text.encode(errors="surrogatepass"))
        if size > most_bytes:
            raise OperatorError(
                f"Text {number} has {size:,} bytes in UTF-8, and Comprehend takes {most_bytes:,}: shorten it, or give "
                "it to an analysis job."
            )
        yield text


def _classify_batch(
    batch: Sequence[str], *, api: RealTimeApi, on_wait: Callable[[float], None], pause: Callable[[float], None]
) -> list[ClassifiedText]:
    found: dict[int, ClassifiedText] = {}
    open_numbers = list(range(len(batch)))
    waits = 0
    while True:
        answer = api.classify([batch[number] for number in open_numbers])
        if answer.status == 200:
            model = (answer.body.get("model") or {}).get("arn")
            for number, document in zip(open_numbers, answer.body["documents"], strict=True):
                found[number] = _result(batch[number], document, kind=api.result, model_arn=model)
        elif answer.status != 429:
            raise _error(answer)
        again = [n for n in open_numbers if n not in found or found[n].error == ErrorCode.THROTTLED]
        waits = waits + 1 if len(again) == len(open_numbers) else 0
        if waits > MOST_WAITS:
            if answer.status == 429:
                raise _error(answer)
            again = []
        if not again:
            return [found[number] for number in range(len(batch))]
        open_numbers = again
        seconds = min(LONGEST_WAIT, answer.retry_after or 1.0)
        on_wait(seconds)
        pause(seconds)


def _result(
    text: str, document: dict[str, Any], *, kind: type[ClassifiedText], model_arn: str | None
) -> ClassifiedText:
    if "error" in document:
        problem = document["error"]
        return kind(text=text, error=problem.get("code"), message=problem.get("message"))
    return kind.of(text, document, model_arn=model_arn)


def _error(answer: Answer) -> OperatorError:
    code = str(answer.body.get("code", ""))
    message = str(answer.body.get("message") or answer.body.get("Message") or "no reason given")
    if code == ErrorCode.NO_ENDPOINT:
        since = answer.body.get("since")
        return OperatorError(f"{message} Since {since}." if since else message)
    if answer.status == 403:
        return OperatorError(
            "These credentials may not call the API: attach the policy that is the output CallersPolicyArn of the "
            f"Serving stack (execute-api:Invoke), or use others with --profile. ({message})"
        )
    return OperatorError(f"The API answered {f'{answer.status} {code}'.strip()}: {message}")


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
