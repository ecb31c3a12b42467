"""What is done to a deployment, by the kind of the act."""

from __future__ import annotations

from tests.simulation.acts import analyses, api_users, endpoints, operators, reviewers

ACTS = {**operators.ACTS, **reviewers.ACTS, **api_users.ACTS, **analyses.ACTS, **endpoints.ACTS}
