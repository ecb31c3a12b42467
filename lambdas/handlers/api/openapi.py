"""The OpenAPI documents of the real-time API, one for each kind of model: `make openapi` writes them to `docs`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn

from flywheel.comprehend.model_kind import ModelType
from flywheel.model_kinds import kind_of
from handlers.api.classify_routes import routes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flywheel.api.classify_api import Classified
    from flywheel.api.messages import ModelAnswer

NAMES = {ModelType.DOCUMENT_CLASSIFIER: "openapi.json", ModelType.ENTITY_RECOGNIZER: "openapi-entities.json"}
_SIGNATURE = "sigv4"


class NoWork:
    """Stands for the work, which the document does not need."""

    endpoint_arn = ""

    def classify(self, texts: Sequence[str]) -> Classified:
        raise NotImplementedError

    def describe_model(self) -> ModelAnswer:
        raise NotImplementedError


def openapi_document(model_type: ModelType) -> str:
    real_time = kind_of(model_type).real_time
    described = routes(NoWork(), real_time=real_time).get_openapi_json_schema(
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
