"""What the review page asks for, below `/api/review/`: docs/review-api.md."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from ops.deployment.published import Deployment
from ops.server.answers import json_route

BASE = "/api/review"
_POLICY = "ReviewersPolicyArn"


def review_routes(deployment: Deployment) -> list[BaseRoute]:
    def session(_: object) -> object:
        caller = deployment.clients.caller()
        return {
            "flywheel": deployment.name,
            "reviewer": {"id": caller, "name": caller.rsplit("/", 1)[-1]},
            "model_type": deployment.published.model_type,
            "multi_label": deployment.multi_label,
            "labels": deployment.labels,
            "label_word": deployment.kind.label_word,
        }

    return [Route(f"{BASE}/session", json_route(session, policy=_POLICY), methods=["GET"])]
