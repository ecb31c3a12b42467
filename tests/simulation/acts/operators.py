"""What operators, approvers and uploaders do: by the commands of `flywheel`, and by the console's own calls."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from flywheel.promotions.requests import current_beginning, waiting_promotion
from flywheel.records.uploads import Split
from flywheel.store.parameters import DESIRED
from ops.deployment.errors import OperatorError
from ops.deployment.published import Deployment, ImportDeployment
from ops.verbs import approve, exclude, pause, promotions, report, review_publish, rollback, turns
from ops.verbs import upload as uploading
from ops.verbs.status import status
from tests.simulation.acts import endpoints, reviewers

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.deployment.published import AnyDeployment
    from tests.simulation.machines.execution import Execution
    from tests.simulation.people import People
    from tests.simulation.schedule.act import Act


def upload(people: People, act: Act) -> None:
    """`flywheel upload FILE`; what is no upload of the flywheel's, as a smoke test's file, past the command."""
    assert act.file is not None
    # Until it is sure that it is there.
    people.app.deleted_uploads.add(act.file.key)
    if act.file.split in set(Split):
        path = people.new_folder("upload") / act.file.name
        path.write_bytes(act.file.content)
        uploading.upload(people.deployment, [path], Split(act.file.split))
    else:
        people.client("s3").put_object(Bucket=people.app.intake, Key=act.file.key, Body=act.file.content)
    people.app.deleted_uploads.discard(act.file.key)
    people.app.uploaded.add(act.file.key)


def delete_upload(people: People, act: Act) -> None:
    keys = [key for split in ("train/", "test/") for key in people.world.s3.keys(people.app.intake, split)]
    if keys:
        key = keys[int(act.chance * len(keys))]
        people.app.deleted_uploads.add(key)
        people.client("s3").delete_object(Bucket=people.app.intake, Key=key)
        # Another version may have been confirmed before this was carried out.
        people.app.deleted_uploads.add(key)


def request_turn(people: People, *, overrule_minimum: bool = False) -> None:
    turns.request_turn(people.deployment, overrule_minimum=overrule_minimum)


def approve_waiting(people: People, _: Act) -> None:
    """`flywheel approve TURN`"""
    deployment = people.any_deployment
    asked = _looked_at(deployment)
    found = waiting_promotion(deployment.intake)
    if asked is not None and found is not None and found.beginning.request is not None:
        people.app.wanted_models.add(found.beginning.request.model_arn)
        approve.approve(deployment, asked, reason="it looks good")


def decline_waiting(people: People, _: Act) -> None:
    deployment = people.any_deployment
    asked = _looked_at(deployment)
    if asked is not None:
        approve.decline(deployment, asked, reason="not this one")


def _looked_at(deployment: AnyDeployment) -> str | None:
    """The turn, or the promotion, that waits for approval, of which the report was read; None if nothing waits."""
    found = waiting_promotion(deployment.intake)
    request = found.beginning.request if found is not None else None
    if found is None or request is None:
        return None
    promotions.promotions_now(deployment)
    with suppress(OperatorError):  # There is none yet, or it has to do with no turn.
        report.report_page(deployment, request.turn or found.beginning.promotion)
    return request.turn or found.beginning.promotion


def roll_back(people: People, _: Act) -> None:
    deployment = people.any_deployment
    # Before it is asked for: the pipeline may carry it out before the verb has come to its end.
    active = deployment.service.describe().active_model_arn
    people.app.wanted_models.add(rollback.former_model(deployment, active))
    rollback.rollback(deployment, reason="it was better before", now=people.now())


def edit_desired(people: People, act: Act) -> None:
    model = _some_model(people, act)
    if model is not None:
        _edit_desired(people, model)


def _edit_desired(people: People, model: str) -> None:
    people.app.wanted_models.add(model)
    name = f"/comprehend-flywheel/{people.app.name}/{DESIRED}"
    people.client("ssm").put_parameter(Name=name, Value=model, Type="String", Overwrite=True)


def want_another(people: People, act: Act) -> None:
    """Than the published one, and than that of the last promotion."""
    beginning = current_beginning(people.any_deployment.intake)
    asked = beginning.request.model_arn if beginning is not None and beginning.request is not None else None
    models = [model for model in _models(people) if model not in (asked, people.app.published_model())]
    if models:
        _edit_desired(people, models[int(act.chance * len(models))])


def mistype_desired(people: People, _: Act) -> None:
    """To a model that there is not."""
    deployment = people.any_deployment
    model = f"{deployment.service.place}:{deployment.kind.arn_resource}/mistyped"
    if isinstance(deployment, ImportDeployment):
        model = f"{deployment.published.imported_model_arn}/version/mistyped"
    name = f"/comprehend-flywheel/{people.app.name}/{DESIRED}"
    people.client("ssm").put_parameter(Name=name, Value=model, Type="String", Overwrite=True)


def change_model(people: People, act: Act) -> None:
    model = _some_model(people, act)
    if model is not None:
        people.app.wanted_models.add(model)
        people.app.console_models.add(model)
        people.client("comprehend").update_flywheel(FlywheelArn=people.deployment.flywheel_arn, ActiveModelArn=model)


def _some_model(people: People, act: Act) -> str | None:
    models = _models(people)
    return models[int(act.chance * len(models))] if models else None


def _models(people: People) -> list[str]:
    return sorted(model.arn for model in people.any_deployment.service.own_models() if model is not None)


def delete_model(people: People, act: Act) -> None:
    model = _some_model(people, act)
    if model is not None:
        kind = people.any_deployment.kind
        kind.delete_model(people.client("comprehend"), model)
        people.app.deleted_models.add(model)


def _executions(people: People, machine: str) -> list[Execution]:
    if machine == "Serve" and "serving" in people.app.without:
        return []
    return sorted(people.world.states.of(people.app.machine(machine).arn), key=lambda one: one.start_date or 0)


def stop(people: People, act: Act, machine: str) -> None:
    running = [one for one in _executions(people, machine) if one.status == "RUNNING"]
    if running:
        people.client("stepfunctions").stop_execution(executionArn=running[-1].arn, cause="a person stopped it")


def redrive(people: People, act: Act, machine: str) -> None:
    failed = [one for one in _executions(people, machine) if one.status in ("FAILED", "ABORTED", "TIMED_OUT")]
    if failed:
        chosen = failed[-1] if act.chance < 0.7 else failed[int(act.chance * len(failed))]
        people.client("stepfunctions").redrive_execution(executionArn=chosen.arn)


def start(people: People, act: Act, machine: str, word: str) -> None:
    """Under a number of its own, or one that is not there yet, or one of the past."""
    names = ["by-hand", *(f"{word}-{number:06d}" for number in range(1, 6))]
    name = names[int(act.chance * len(names))]
    arn = people.app.machine(machine).arn
    people.client("stepfunctions").start_execution(stateMachineArn=arn, name=name, input="{}")


def exclude_upload(people: People, act: Act) -> None:
    deployment = people.deployment
    known = sorted(people.app.uploaded_ids())
    if known:
        exclude.exclude(deployment, [known[int(act.chance * len(known))]], [], reason="it is bad", now=people.now())


def poke(people: People, _: Act) -> None:
    deployment = people.any_deployment
    if isinstance(deployment, Deployment):
        deployment.poke()
    deployment.poke_promotions()


def look_after(people: People, _: Act) -> None:
    """As whoever reads the alarms: end what waits for a person, now that the weather is calm."""
    if people.app.unfinished:
        people.app.deploy()
    deployment = people.any_deployment
    if not isinstance(deployment, Deployment):
        return
    found = status(deployment, now=people.now())
    if found.paused is not None:
        pause.resume(deployment)
    with suppress(OperatorError):
        review_publish.publish(deployment)
    endpoints.lift_quota(people)
    reviewers.forget_the_rest(people)
    turns.request_turn(deployment)


ACTS: dict[str, Callable[[People, Act], Any]] = {
    "upload": upload,
    "delete an upload": delete_upload,
    "turn now": lambda people, _: request_turn(people),
    "overrule the minimum": lambda people, _: request_turn(people, overrule_minimum=True),
    "pause": lambda people, _: pause.pause(people.deployment, reason="a break"),
    "resume": lambda people, _: pause.resume(people.deployment),
    "approve": approve_waiting,
    "decline": decline_waiting,
    "roll back": roll_back,
    "edit desired-model-arn": edit_desired,
    "want another model": want_another,
    "mistype desired-model-arn": mistype_desired,
    "change the model in the console": change_model,
    "delete an old model": delete_model,
    "stop a turn": partial(stop, machine="Turn"),
    "stop a promotion": partial(stop, machine="Promote"),
    "stop a serving": partial(stop, machine="Serve"),
    "redrive a turn": partial(redrive, machine="Turn"),
    "redrive a promotion": partial(redrive, machine="Promote"),
    "start a turn by hand": partial(start, machine="Turn", word="turn"),
    "start a promotion by hand": partial(start, machine="Promote", word="promotion"),
    "exclude an upload": exclude_upload,
    "poke": poke,
    "look after the pipeline": look_after,
}
GROUPS = {
    **dict.fromkeys(("turn now", "overrule the minimum", "pause", "resume", "roll back"), ("Operators",)),
    **dict.fromkeys(("exclude an upload", "poke", "look after the pipeline"), ("Operators",)),
    **dict.fromkeys(("approve", "decline"), ("Approvers",)),
}
