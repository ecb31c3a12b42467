"""Lines of a file are the same however it is cut and however it is read."""

from __future__ import annotations

import io
import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flywheel.analysis.begin_analysis import JobLimits, plan_units
from flywheel.analysis.lines import read_lines
from flywheel.records.analyses import InputFile, InputFormat

contents = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"\n\n", b"\xc3\xa9", b" "])).map(b"".join)


def reference(content: bytes) -> list[bytes]:
    """By the definition: LF, CR and CRLF end a line, and a last line need not be ended."""
    lines = re.split(rb"\r\n|\r|\n", content)
    return lines[:-1] if not lines[-1] else lines


def read(content: bytes, *, start: int, end: int, block: int, longest: int = 1000) -> list[tuple[bytes, bool]]:
    stream = io.BytesIO(content)
    stream.seek(max(0, start - 1))
    return list(read_lines(stream.read, continued=start > 0, length=end - start, longest=longest, block=block))


@given(content=contents, cuts=st.sets(st.integers(1, 60)), block=st.integers(1, 7))
@example(content=b"a\r\nb", cuts={2}, block=1)
@example(content=b"a\r\nb", cuts={3}, block=2)
@example(content=b"\r\r\n\n", cuts={1, 2, 3}, block=1)
def test_every_line_is_in_exactly_one_range(content: bytes, cuts: set[int], block: int) -> None:
    bounds = [0, *sorted(cut for cut in cuts if cut < len(content)), len(content)]
    found = [
        line for start, end in itertools.pairwise(bounds) for line in read(content, start=start, end=end, block=block)
    ]
    assert found == [(line, False) for line in reference(content)]


@given(content=contents, longest=st.integers(1, 5), block=st.integers(1, 7))
@example(content=b"aaaaaaaaaa\r\nb", longest=2, block=3)
@example(content=b"aaaaaaaaaa\r", longest=2, block=3)
def test_a_line_that_is_too_long_is_one_line_that_says_so(content: bytes, longest: int, block: int) -> None:
    found = read(content, start=0, end=len(content), block=block, longest=longest)
    assert [too_long for _, too_long in found] == [len(line) > longest for line in reference(content)]
    for (line, _), whole in zip(found, reference(content), strict=True):
        assert whole.startswith(line)
        assert line or not whole


def test_a_line_that_is_too_long_takes_no_memory() -> None:
    """All that is read of it at a time is what may be a document."""
    asked: list[int] = []

    def endless(size: int) -> bytes:
        asked.append(size)
        return b"x" * size if len(asked) < 100 else b""

    ((line, too_long),) = read_lines(endless, continued=False, length=10, longest=10_000, block=1000)
    assert too_long
    assert len(line) <= 10_000


files = st.lists(st.integers(0, 50), min_size=1, max_size=12)


@given(
    sizes=files,
    part_bytes=st.integers(1, 40),
    unit_files=st.integers(1, 5),
    format_=st.sampled_from(InputFormat),
)
def test_units_hold_every_byte_once_and_in_order(
    sizes: list[int], part_bytes: int, unit_files: int, format_: InputFormat
) -> None:
    given_files = [InputFile(key=f"{n:02d}", version_id="1", size=size) for n, size in enumerate(sizes)]
    limits = JobLimits(part_bytes=part_bytes, unit_files=unit_files)
    units = list(plan_units(given_files, format_=format_, limits=limits))
    segments = [segment for unit in units for segment in unit.segments]
    for _, of_file in itertools.groupby(segments, key=lambda segment: segment.file):
        found = list(of_file)
        assert [segment.start for segment in found] == [0, *(segment.end for segment in found[:-1])]
        assert found[-1].end == found[-1].file.size
        if format_ is InputFormat.FILES:
            assert len(found) == 1
    assert [key for key, _ in itertools.groupby(segment.file.key for segment in segments)] == [
        file.key for file in given_files
    ]
    for unit in units:
        assert 0 < len(unit.segments) <= unit_files
        size = sum(segment.end - segment.start for segment in unit.segments)
        assert size <= part_bytes or (format_ is InputFormat.FILES and len(unit.segments) == 1)
        assert not any(segment.goes_on for segment in unit.segments[:-1])


@pytest.mark.parametrize("content", [b"", b"\n", b"a", b"a\n"])
def test_the_last_line_need_not_be_ended(content: bytes) -> None:
    assert len(read(content, start=0, end=len(content), block=10)) == len(content.splitlines())
