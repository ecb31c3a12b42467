"""How much longer `python app.py` takes than an app with one empty stack, with its templates checked and without.

All run by turns, so that whatever else the machine does falls on all.
Usage: `python benchmarks/synth.py [--repeats N] [--json]`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
EMPTY_APP = """
import aws_cdk as cdk
app = cdk.App(analytics_reporting=False)
cdk.Stack(app, "Empty")
app.synth()
"""


def seconds(arguments: list[str], *, outdir: str, checked: bool) -> float:
    """Wall time of one synthesis in a fresh process, with the bytecode that an earlier one left."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**environment, "CDK_OUTDIR": outdir, "PATH": path, "CDK_VALIDATION": str(checked).lower()},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    apps = {"empty": (["-c", EMPTY_APP], False), "unchecked": (["app.py"], False), "app": (["app.py"], True)}
    taken: dict[str, list[float]] = {name: [] for name in apps}
    with tempfile.TemporaryDirectory() as folder:
        for name, (command, checked) in apps.items():  # unpacks the CDK into jsii's cache, once on a machine
            seconds(command, outdir=f"{folder}/{name}", checked=checked)
        for _ in range(arguments.repeats):
            for name, (command, checked) in apps.items():
                taken[name].append(seconds(command, outdir=f"{folder}/{name}", checked=checked))
    median = {name: statistics.median(times) for name, times in taken.items()}
    ratio = median["app"] / median["empty"]
    if arguments.json:
        print(json.dumps({"seconds": taken, "median": median, "ratio": ratio}))
    else:
        for name, times in taken.items():
            print(f"{name:9} {median[name]:6.2f} s   ({', '.join(f'{value:.2f}' for value in times)})")
        print(f"ratio     {ratio:6.2f}")


if __name__ == "__main__":
    main()
