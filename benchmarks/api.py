"""How much longer a call of the real-time API takes than ClassifyDocument itself, in a local cloud.

Deploys the app, trains a model, brings an endpoint up and calls both by turns, with one text a call. Most of what is
added is the local API Gateway's and Lambda's own time, which says nothing of AWS's. What the function takes for the
same calls, ClassifyDocument included, it logs itself: that is printed too.

Usage: `python -m benchmarks.api [--calls N] [--json]`.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.machine import describe_machine
from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus
from local.cloud import CloudAccount, LocalCloud
from ops.deployment.clients import Clients
from ops.deployment.published import Deployment, find_deployment
from ops.verbs.classify import find_api

NAME = "bench"
STACKS = (f"{NAME}-flywheel", f"{NAME}-serving")
WORDS = {"CALM": "harbour meadow lullaby", "STORM": "thunder gale lightning"}
DIRECT, THROUGH = "ClassifyDocument", "through the API"
PATIENCE = 300.0
WARMING_UP = 20


def deploy(account: CloudAccount) -> Deployment:
    """The app with an endpoint that answers."""
    account.comprehend_administration(
        "PUT", "settings", {"documents_per_inference_unit": 1e6, "characters_per_inference_unit": 1e6}
    )
    account.deploy(
        stacks=STACKS,
        context={"name": NAME, "labels": ",".join(WORDS)},
        parameters={
            f"{STACKS[0]}:QuietPeriodMinutes": "0",
            f"{STACKS[0]}:PollSeconds": "30",
            f"{STACKS[1]}:InferenceUnits": "1",
            f"{STACKS[1]}:PollSeconds": "30",
            f"{STACKS[1]}:RequestsPerSecond": "1000",
            f"{STACKS[1]}:RequestBurst": "1000",
        },
    )
    deployment = find_deployment(Clients(account.session()), name=NAME)
    rows = "".join(f"{label},{words} {number}\n" for number in range(60) for label, words in WORDS.items())
    account.client("s3").put_object(Bucket=deployment.intake.name, Key="train/first.csv", Body=rows.encode())
    deadline = time.monotonic() + PATIENCE
    while True:
        state = deployment.intake.read(STATE_KEY, ServingState)
        if state is not None and state.status is ServingStatus.IN_SERVICE:
            return deployment
        if time.monotonic() > deadline:
            raise SystemExit(f"No endpoint answers after {PATIENCE:.0f} s: {state}")
        time.sleep(0.2)


def seconds(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def percentile(values: list[float], part: float) -> float:
    """The least value that so much of all is not above."""
    ordered = sorted(values)
    return ordered[math.ceil(part * len(ordered)) - 1]


def in_the_function(account: CloudAccount) -> list[float]:
    """Seconds that classifying took in each invocation, as the function logs it."""
    pages = account.client("logs").get_paginator("filter_log_events")
    events = pages.paginate(logGroupName=f"/comprehend-flywheel/{NAME}/classify_api")
    lines = [event["message"] for page in events for event in page["events"] if event["message"].startswith('{"level"')]
    logged = [json.loads(line) for line in lines]
    return [entry["seconds"] for entry in logged if entry["message"] == "classified"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    with LocalCloud(instance="benchmark-api") as cloud:
        account = cloud.account()
        deployment = deploy(account)
        api, comprehend = find_api(deployment), account.client("comprehend")
        arn = api.classify([WORDS["CALM"]]).body["endpoint_arn"]

        def through_api() -> None:
            answer = api.request("POST", "/classify", {"text": WORDS["CALM"]})
            assert answer.status == 200, answer

        def directly() -> None:
            comprehend.classify_document(EndpointArn=arn, Text=WORDS["CALM"])

        calls = {DIRECT: directly, THROUGH: through_api}
        taken: dict[str, list[float]] = {name: [] for name in calls}
        for number in range(WARMING_UP + arguments.calls):
            for name, call in calls.items():
                spent = seconds(call)
                if number >= WARMING_UP:
                    taken[name].append(spent)
        taken["in the function"] = in_the_function(account)[-arguments.calls :]
    figures = {
        name: {"median": statistics.median(times), "p99": percentile(times, 0.99)} for name, times in taken.items()
    }
    added = [api - direct for api, direct in zip(taken[THROUGH], taken[DIRECT], strict=True)]
    figures["added"] = {"median": statistics.median(added), "p99": percentile(added, 0.99)}
    if arguments.json:
        print(json.dumps({"machine": describe_machine(), "calls": arguments.calls, "seconds": figures}))
        return
    print(f"{describe_machine()}; {arguments.calls} calls each, by turns")
    for name, figure in figures.items():
        print(f"{name:20} median {figure['median'] * 1000:6.1f} ms   p99 {figure['p99'] * 1000:6.1f} ms")


if __name__ == "__main__":
    main()
