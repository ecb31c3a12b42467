"""What people do with analysis jobs: files in a folder of the bucket, or `flywheel analyze`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flywheel.faults.service_faults import error_code
from flywheel.records.analyses import INPUT, OPTIONS, input_folder
from ops.verbs import analyze
from tests.simulation.acts.operators import redrive
from tests.simulation.claims.broken import ClaimBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.verbs.analyze import StartedAnalysis
    from tests.simulation.people import People
    from tests.simulation.schedule.act import Act


_PATIENCE, _POLL = 6 * 3600.0, 600.0
"""Seconds."""


def upload(people: People, act: Act) -> None:
    """Files of a job one after the other, then perhaps its job.json. Also in the place of some that are there."""
    s3, folder = people.client("s3"), input_folder(act.detail["job"])
    _sends(people, act)
    people.heard.jobs[act.detail["job"]].add("uploaded")
    for name, content in act.detail["files"].items():
        s3.put_object(Bucket=people.app.intake, Key=f"{folder}{name}", Body=content)
    if act.detail["options"] is not None:
        s3.put_object(Bucket=people.app.intake, Key=f"{folder}{OPTIONS}", Body=act.detail["options"])


def start(people: People, act: Act) -> None:
    """`flywheel analyze FILE...`"""
    folder = people.new_folder("analyze")
    paths = []
    for name, content in act.detail["files"].items():
        (folder / name).write_bytes(content)
        paths.append(folder / name)
    _sends(people, act)
    people.heard.jobs[act.detail["job"]].add("uploaded")
    started = analyze.start_job(people.any_deployment, paths, job=act.detail["job"])
    _wait(people, started)


def _wait(people: People, started: StartedAnalysis) -> None:
    """Until it has ended: if something is wrong, the command says so in its own words, unless the services refuse."""
    try:
        analyze.wait_for_analysis(people.any_deployment, started, timeout_seconds=_PATIENCE, poll_seconds=_POLL)
    except ClientError as error:
        if error_code(error) == "ExecutionDoesNotExist":
            raise ClaimBroken("a_command_knows_what_it_started", str(error)) from error
        raise


def again(people: People, act: Act) -> None:
    """`flywheel analyze --again JOB`"""
    _wait(people, analyze.start_again(people.any_deployment, act.detail["job"]))


def delete(people: People, act: Act) -> None:
    keys = people.world.s3.keys(people.app.intake, input_folder(act.detail["job"]))
    if keys:
        key = keys[int(act.chance * len(keys))]
        people.heard.jobs[act.detail["job"]].add("deleted")
        people.client("s3").delete_object(Bucket=people.app.intake, Key=key)


def upload_loose(people: People, _: Act) -> None:
    """A file that belongs to no job."""
    people.client("s3").put_object(Bucket=people.app.intake, Key=f"{INPUT}loose.txt", Body=b"a text\n")


def stop(people: People, _: Act) -> None:
    machine = people.app.machine("Analyze").arn
    running = [one for one in people.world.states.of(machine) if one.status == "RUNNING"]
    if running:
        one = min(running, key=lambda execution: (execution.start_date or 0, execution.name))
        people.client("stepfunctions").stop_execution(executionArn=one.arn, cause="a person stopped it")


def _sends(people: People, act: Act) -> None:
    for content in act.detail["files"].values():
        for line in content.decode(errors="replace").splitlines():
            # The job puts it into the queue whenever it comes to that.
            people.heard.sent[line] = float("inf")


ACTS: dict[str, Callable[[People, Act], Any]] = {
    "upload for analysis": upload,
    "analyze": start,
    "analyze again": again,
    "delete a file of an analysis": delete,
    "upload a file outside of a job": upload_loose,
    "stop an analysis": stop,
    "redrive an analysis": partial(redrive, machine="Analyze"),
}
