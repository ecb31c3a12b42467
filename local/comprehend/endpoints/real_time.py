"""ClassifyDocument and DetectEntities: one text, answered by the model that an endpoint serves at that moment."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request, service_error, unavailable
from local.comprehend.identifiers import Scope
from local.comprehend.inferences import Inference, Rate
from local.comprehend.model_kind import ModelKind
from local.comprehend.runtime import Runtime
from local.comprehend.state import Model
from local.comprehend.workers.worker_processes import WorkerDiedError


class RealTime:
    """The operation that endpoints of one kind of model answer."""

    def __init__(self, runtime: Runtime, kind: ModelKind) -> None:
        self._runtime = runtime
        self._kind = kind

    def detect(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        """Takes the lock only to find the model: a prediction holds up no other call."""
        if "EndpointArn" not in request:
            raise invalid_request(
                "The local Comprehend service has no built-in models; give "
                f"{self._kind.detection} the EndpointArn of a custom {self._kind.words}."
            )
        text = self._text_of(request)
        with self._runtime.lock:
            model, inference = self._admitted(scope, request["EndpointArn"], text)
        try:
            found = self._runtime.predictors.run(self._kind.detect, model.path, text)
        except WorkerDiedError as error:
            raise service_error("InternalServerException", f"An internal error occurred: {error}") from error
        self._runtime.observe(inference)
        return self._kind.answer(found, model.task, self._runtime.settings)

    def _text_of(self, request: dict[str, Any]) -> str:
        if ("Text" in request) == ("Bytes" in request):
            raise invalid_request("Give either Text or Bytes.")
        if "Text" not in request or "DocumentReaderConfig" in request:
            raise invalid_request("The local Comprehend service reads plain text only; give Text and nothing else.")
        text: str = request["Text"]
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise invalid_request("Value at 'text' is not valid Unicode: it has half a surrogate pair.") from error
        limit = self._kind.maximum_text_bytes(self._runtime.settings)
        if size > limit:
            raise service_error(
                "TextSizeLimitExceededException",
                f"Input text size exceeds limit. Max length of request text allowed is {limit} bytes while in this "
                f"request the text size is {size} bytes",
            )
        return text

    def _admitted(self, scope: Scope, arn: str, text: str) -> tuple[Model, Inference]:
        """The model to answer with, and what is to be counted once it has.

        Raises ResourceUnavailableException, or the throttling error of the settings.
        """
        endpoint = self._runtime.region(scope).endpoints.get(arn)
        if endpoint is None:
            # No ResourceNotFoundException is modelled.
            raise unavailable(f"There is no endpoint {arn}.")
        if not endpoint.serving or endpoint.units is None:
            raise unavailable(f"The endpoint is {endpoint.status}; it answers when it is IN_SERVICE or UPDATING.")
        settings, units = self._runtime.settings, endpoint.units
        rate = Rate(
            documents=settings.documents_per_inference_unit * units,
            characters=settings.characters_per_inference_unit * units,
            burst=settings.inference_burst,
        )
        if not endpoint.throughput.take(characters=len(text), rate=rate, now=self._runtime.clock.now()):
            raise service_error(
                settings.classification_throttle_error,
                f"Rate exceeded: the endpoint's {units} inference units take {rate.documents:g} documents and "
                f"{rate.characters:g} characters a second.",
            )
        return endpoint.model, Inference(
            scope=scope,
            endpoint_arn=arn,
            model_arn=endpoint.model.arn,
            characters=len(text),
            units=units,
            characters_a_second=rate.characters,
        )
