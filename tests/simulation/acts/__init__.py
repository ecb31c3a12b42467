"""What is done to a deployment, by the kind of the act."""

from __future__ import annotations

from tests.simulation.acts import operators

ACTS = {**operators.ACTS}
