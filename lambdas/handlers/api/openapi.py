"""The OpenAPI documents of the real-time API, one for each kind of model: `make openapi` writes them to `docs`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn

from flywheel.comprehend.model_kind import ModelType
from flywheel.model_kinds import kind_of
from handlers.api import classify_routes, feedback_routes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flywheel.api.classify_api import Classified
    from flywheel.api.messages import FeedbackTaken, ModelAnswer
    from flywheel.comprehend.real_time import Feedback

NAMES = {ModelType.DOCUMENT_CLASSIFIER: "openapi.json", ModelType.ENTITY_RECOGNIZER: "openapi-entities.json"}
_SIGNATURE = "sigv4"


class NoWork:
    """Stands for the work, which the document does not need."""

    endpoint_arn = ""

    def classify(self, texts: Sequence[str]) -> Classified:
        raise NotImplementedError

    def describe_model(self) -> ModelAnswer:
        raise NotImplementedError

    def take(self, said: Feedback, *, by: str) -> FeedbackTaken:
        raise NotImplementedError


def openapi_document(model_type: ModelType) -> str:
    real_time = kind_of(model_type).real_time
    api = APIGatewayRestResolver(enable_validation=True)
    classify_routes.add_routes(api, NoWork(), real_time=real_time)
    feedback_routes.add_routes(api, NoWork(), real_time=real_time)
    described = api.get_openapi_json_schema(
        title=real_time.title,
        version="1",
        description=(
            f"{real_time.description} Every request is signed with AWS Signature Version 4 for the service "
            "execute-api; the URL is the output ApiUrl of the Serving stack."
        ),
        security_schemes={
            _SIGNATURE: APIKey(
                **{"in": APIKeyIn.header},
                name="Authorization",
                description="AWS Signature Version 4",
                **{"x-amazon-apigateway-authtype": "awsSigv4"},
            )
        },
        security=[{_SIGNATURE: []}],
    )
    document = json.loads(described)
    # Powertools describes its own response to an invalid request, but the routes give another.
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422")
    for schema in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        document["components"]["schemas"].pop(schema)
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    for model_type, name in NAMES.items():
        Path(sys.argv[1], name).write_text(openapi_document(model_type), encoding="utf-8")
