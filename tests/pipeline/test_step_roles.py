"""A step that runs in this process gets what its function's role grants, and no more."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from tests.pipeline.step_roles import NotGranted
from tests.pipeline.turn_driver import ROLE, Deployment


@pytest.fixture
def at() -> Deployment:
    at = Deployment()
    at.bucket.write_bytes("datasets/a", b"a")
    at.bucket.write_bytes("promotions/a", b"a")
    return at


def test_a_test_may_do_anything(at: Deployment) -> None:
    at.intake.write_bytes("prepared/a", b"a")


@pytest.mark.parametrize(
    ("function", "allowed", "refused"),
    [
        (
            "register_dataset",
            lambda at: at.intake.read_bytes("datasets/a"),
            lambda at: at.intake.write_bytes("datasets/a", b""),
        ),
        (
            "accept_dataset",
            lambda at: at.intake.copy("datasets/a", "prepared/a"),
            lambda at: at.intake.copy("datasets/a", "rejected/a"),
        ),
        (
            "compose_datasets",
            lambda at: at.intake.copy("datasets/a", "prepared/a", size=1),
            # What is copied must be readable as well.
            lambda at: at.intake.copy("promotions/a", "prepared/a", size=1),
        ),
        ("run_iteration", lambda at: at.service.describe(), lambda at: at.service.at(f"{at.flywheel_arn}x").describe()),
        ("begin_turn", lambda at: at.published.active(), lambda at: at.intake.delete(["turns/begin.json"])),
        (
            "update_active_model",
            lambda at: at.service.describe(),
            lambda at: at.functions.clients["comprehend"].update_flywheel(
                FlywheelArn=at.flywheel_arn, DataAccessRoleArn=f"{ROLE}-of-somebody-else"
            ),
        ),
    ],
)
def test_a_step_gets_what_its_role_grants(
    at: Deployment, function: str, allowed: Callable[[Deployment], object], refused: Callable[[Deployment], object]
) -> None:
    with at.acting_as(function):
        allowed(at)
    with pytest.raises(NotGranted, match=f"The role of {function} does not grant"), at.acting_as(function):
        refused(at)


def test_a_step_that_makes_do_without_what_it_is_refused_fails_all_the_same(at: Deployment) -> None:
    with pytest.raises(NotGranted), at.acting_as("run_iteration"), contextlib.suppress(Exception):
        at.intake.write_bytes("datasets/a", b"")
