"""Modules share a local cloud when the same process runs them, so each deploys into accounts of its own."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path


def test_no_two_modules_deploy_into_one_account() -> None:
    modules: dict[str, set[str]] = defaultdict(set)
    for path in Path(__file__).parent.rglob("*.py"):
        for account in re.findall(r'"(1000000000\d\d)"', path.read_text()):
            modules[account].add(path.name)
    shared = {account: sorted(names) for account, names in modules.items() if len(names) > 1}
    assert not shared
