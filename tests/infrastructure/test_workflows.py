"""What runs in continuous integration cannot change under the project: every action is pinned by commit."""

from __future__ import annotations

import re

from tests.infrastructure.synthesised import ROOT


def test_every_action_is_pinned_by_commit() -> None:
    used = [
        line.strip()
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
        for line in path.read_text().splitlines()
        if re.match(r"\s*(- )?uses:", line)
    ]
    assert used
    for line in used:
        assert re.fullmatch(r"- uses: [\w/-]+@[0-9a-f]{40} # v[0-9.]+", line), line
