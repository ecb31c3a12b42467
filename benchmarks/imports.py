"""How long the import of each function's module takes, against `import boto3` alone.

With the functions' own Python and packages, each time in a new process; all by turns, so that whatever else the machine
does falls on all. Usage: `python -m benchmarks.imports [--repeats N] [--json]`.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
from pathlib import Path

from benchmarks.machine import describe_machine
from local.cloud.pinned_environment import ensure_function_environment
from local.cloud.places import Places

ROOT = Path(__file__).parents[1]
LAMBDAS = ROOT / "lambdas"
BOTO3 = "boto3"
_MEASURE = """
import sys, time
begin = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - begin)
"""
# What the modules read when they are imported, with values of the right kinds.
_VARIABLES = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
    "MODEL_TYPE": "DOCUMENT_CLASSIFIER",
    "EVIDENCE": "ITERATION",
    "CONFLICTING_LABELS": "KEEP",
    "SELECTION_METRIC": "F1Score",
    "PROMOTION_MODE": "AUTOMATIC",
    "CONFIDENCE_LEVEL": "0.95",
    "LABEL_DELIMITER": "|",
}


def handlers() -> list[str]:
    """The modules that are functions' handlers, in `handlers` and wherever else a `handler` stands."""
    found = [path for path in sorted(LAMBDAS.rglob("*.py")) if "\ndef handler(" in path.read_text()]
    return [".".join(path.relative_to(LAMBDAS).with_suffix("").parts) for path in found]


def environment() -> dict[str, str]:
    """Every variable that any stack gives a function; what is not named above is a number between 0 and 1."""
    source = "".join(path.read_text() for path in (ROOT / "stacks").rglob("*.py"))
    names = set(re.findall(r'"([A-Z][A-Z_]{5,})"', source))
    return {**dict.fromkeys(names, "1"), **_VARIABLES, "PYTHONPATH": str(LAMBDAS), "PATH": "/usr/bin:/bin"}


def seconds(python: Path, module: str, *, variables: dict[str, str]) -> float:
    """Of one import in a new process."""
    done = subprocess.run(
        [str(python), "-c", _MEASURE, module], env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{module} cannot be imported:\n{done.stderr}")
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    places = Places(instance="benchmark")
    places.create()
    python, variables = ensure_function_environment(places), environment()
    modules = [BOTO3, *handlers()]
    taken: dict[str, list[float]] = {module: [] for module in modules}
    for module in modules:  # compiles what is not compiled yet
        seconds(python, module, variables=variables)
    for _ in range(arguments.repeats):
        for module in modules:
            taken[module].append(seconds(python, module, variables=variables))
    median = {module: statistics.median(times) for module, times in taken.items()}
    if arguments.json:
        print(json.dumps({"machine": describe_machine(), "seconds": taken, "median": median}))
        return
    print(describe_machine())
    print(f"{'module':32} {'median':>9} {'to boto3':>9}")
    for module, value in sorted(median.items(), key=lambda item: item[1]):
        print(f"{module:32} {value * 1000:6.0f} ms {value / median[BOTO3]:9.2f}")


if __name__ == "__main__":
    main()
