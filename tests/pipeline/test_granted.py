"""A function gets what its role grants, and no more. A test in which one asks for more fails in any case."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.pipeline.deployed import Deployment
from tests.pipeline.observed_world import NotGranted


@pytest.fixture
def at() -> Deployment:
    at = Deployment()
    at.bucket.write_bytes("datasets/a", b"a")
    at.bucket.write_bytes("promotions/a", b"a")
    return at


@pytest.mark.parametrize(
    ("function", "allowed", "refused"),
    [
        (
            "register_dataset",
            lambda at: at.bucket.read_bytes("datasets/a"),
            lambda at: at.bucket.write_bytes("datasets/a", b""),
        ),
        (
            "accept_dataset",
            lambda at: at.bucket.copy("datasets/a", "prepared/a"),
            lambda at: at.bucket.copy("datasets/a", "rejected/a"),
        ),
        (
            "compose_datasets",
            lambda at: at.bucket.copy("datasets/a", "prepared/a", size=1),
            # What is copied must be readable as well.
            lambda at: at.bucket.copy("promotions/a", "prepared/a", size=1),
        ),
        ("run_iteration", lambda at: at.service.describe(), lambda at: at.service.at(f"{at.flywheel_arn}x").describe()),
        ("begin_turn", lambda at: at.published.active(), lambda at: at.bucket.delete(["turns/begin.json"])),
        (
            "update_active_model",
            lambda at: at.service.describe(),
            lambda at: at.client("comprehend").update_flywheel(
                FlywheelArn=at.flywheel_arn, DataAccessRoleArn="arn:aws:iam::111122223333:role/of-somebody-else"
            ),
        ),
    ],
)
def test_a_function_gets_what_its_role_grants(
    at: Deployment, function: str, allowed: Callable[[Deployment], object], refused: Callable[[Deployment], object]
) -> None:
    with at.acting_as(function):
        allowed(at)
        with pytest.raises(ClientError, match="no identity-based policy allows"):
            refused(at)


def test_one_that_makes_do_without_what_it_is_refused_fails_the_test_all_the_same(at: Deployment) -> None:
    def make_do() -> None:
        with contextlib.suppress(ClientError):
            at.bucket.write_bytes("datasets/a", b"")

    with at.acting_as("run_iteration"):
        at.kernel.start(make_do, name="run_iteration")
    with pytest.raises(NotGranted, match=r"RunIteration.*s3:PutObject"):
        at.settle()
