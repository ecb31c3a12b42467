"""How much longer `python app.py` takes than an app with one empty stack, with its templates checked and without, and
how much longer three environments take than one deployment.

All run by turns, so that whatever else the machine does falls on all. The time of the processors stands beside the time
that passed.
Usage: `python benchmarks/synth.py [--repeats N] [--json]`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EMPTY_APP = """
import aws_cdk as cdk
app = cdk.App(analytics_reporting=False)
cdk.Stack(app, "Empty")
app.synth()
"""
ENVIRONMENTS = {
    name: {"account": account, "region": "eu-west-1"}
    for name, account in {"dev": "111122223333", "staging": "444455556666", "prod": "777788889999"}.items()
}


@dataclass(frozen=True, kw_only=True)
class App:
    command: tuple[str, ...] = ("app.py",)
    checked: bool
    context: Mapping[str, Any] = field(default_factory=dict)


APPS = {
    "empty": App(command=("-c", EMPTY_APP), checked=False),
    "unchecked": App(checked=False),
    "app": App(checked=True),
    "three unchecked": App(checked=False, context={"environments": ENVIRONMENTS}),
    "three": App(checked=True, context={"environments": ENVIRONMENTS}),
}


def seconds(app: App, *, outdir: str) -> tuple[float, float]:
    """Of one synthesis in a fresh process, with the bytecode that an earlier one left: passed, and of processors."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin, before = time.perf_counter(), _processor_seconds()
    subprocess.run(
        [sys.executable, *app.command],
        cwd=ROOT,
        env={
            **environment,
            "CDK_OUTDIR": outdir,
            "CDK_CONTEXT_JSON": json.dumps(app.context),
            "PATH": path,
            "CDK_VALIDATION": str(app.checked).lower(),
        },
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - begin, _processor_seconds() - before


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in APPS}
    used: dict[str, list[float]] = {name: [] for name in APPS}
    with tempfile.TemporaryDirectory() as folder:
        for name, app in APPS.items():  # unpacks the CDK into jsii's cache, once on a machine
            seconds(app, outdir=f"{folder}/{name}")
        for _ in range(arguments.repeats):
            for name, app in APPS.items():
                passed, processors = seconds(app, outdir=f"{folder}/{name}")
                taken[name].append(passed)
                used[name].append(processors)
    median = {name: statistics.median(times) for name, times in taken.items()}
    processor = {name: statistics.median(times) for name, times in used.items()}
    ratio = median["app"] / median["empty"]
    three = processor["three"] / processor["app"]
    if arguments.json:
        found = {"seconds": taken, "median": median, "ratio": ratio, "processor": processor, "three": three}
        print(json.dumps(found))
    else:
        for name, times in taken.items():
            each = ", ".join(f"{value:.2f}" for value in times)
            print(f"{name:15} {median[name]:6.2f} s   processors {processor[name]:6.2f} s   ({each})")
        print(f"ratio           {ratio:6.2f}")
        print(f"three to one    {three:6.2f}   of the processors' time")


if __name__ == "__main__":
    main()
