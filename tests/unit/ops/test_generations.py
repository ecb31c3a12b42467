"""Which flywheels belong to one: purging must not take the models of another."""

from __future__ import annotations

import pytest

from ops.deployment.generations import belongs_to

PREFIX = "arn:aws:comprehend:us-east-1:111122223333:flywheel/"


@pytest.mark.parametrize("flywheel", ["news-0a1b2c3d", "news-ffffffff"])
def test_every_generation_belongs(flywheel: str) -> None:
    assert belongs_to("news", PREFIX + flywheel)


@pytest.mark.parametrize(
    "flywheel",
    ["news", "news-2-0a1b2c3d", "mynews-0a1b2c3d", "news-0a1b2c3", "news-0a1b2c3d-0a1b2c3d", "news-0A1B2C3D"],
)
def test_other_flywheels_do_not(flywheel: str) -> None:
    assert not belongs_to("news", PREFIX + flywheel)


def test_a_model_of_no_flywheel_does_not() -> None:
    assert not belongs_to("news", "")


def test_a_name_is_not_a_pattern() -> None:
    assert not belongs_to("n.ws", PREFIX + "news-0a1b2c3d")
