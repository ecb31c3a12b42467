"""What the console's page asks for, below `/api/console/`."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from ops.deployment.clients import Clients
from ops.deployment.published import list_deployments
from ops.server.answers import json_route

BASE = "/api/console"
_OPERATORS = "OperatorsPolicyArn"


def console_routes(clients: Clients) -> list[BaseRoute]:
    def flywheels(_: object) -> object:
        return list_deployments(clients)

    return [Route(f"{BASE}/flywheels", json_route(flywheels, policy=_OPERATORS), methods=["GET"])]
