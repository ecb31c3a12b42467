"""The names of imported versions."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from flywheel.records.imports import version_name

_NAMES = st.from_regex(r"\A[a-zA-Z0-9](-?[a-zA-Z0-9]){0,61}\Z")
ARNS = st.builds(
    lambda account, name, version: (
        f"arn:aws:comprehend:us-east-1:{account}:document-classifier/{name}/version/{version}"
    ),
    st.from_regex(r"\A[0-9]{12}\Z"),
    _NAMES,
    _NAMES,
)


@given(arn=ARNS)
def test_comprehend_takes_them(arn: str) -> None:
    name = version_name(arn)
    assert len(name) <= 63
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", name)


@given(one=ARNS, other=ARNS)
def test_two_sources_have_two(one: str, other: str) -> None:
    assert (version_name(one) == version_name(other)) is (one == other)


def test_say_where_they_come_from() -> None:
    arn = "arn:aws:comprehend:us-east-1:444455556666:document-classifier/news/version/v7"
    assert version_name(arn).startswith("news-v7-")
    long = arn.replace("news", "Comprehend-Generated-8384239a").replace("v7", "Comprehend-Generated-v1-aaa2cebb")
    assert version_name(long).startswith("Generated-8384239a-Comprehend-Generated-v1-aaa2cebb-")
