"""What those do who deploy, who work in the console past the pipeline, and who look at what others did."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ops.deployment.published import Deployment, ImportDeployment
from ops.verbs import (
    endpoint,
    exclude,
    import_model,
    model_card,
    models,
    picture,
    promotions,
    rejected,
    report,
    review_publish,
    share,
    status,
    turns,
)
from ops.verbs.import_status import import_status
from tests.simulation.api import ACCOUNT, ApiError
from tests.simulation.claims import records
from tests.simulation.kernel import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.people import People
    from tests.simulation.schedule.act import Act

_SECONDS_DENIED = 3000.0
_SECONDS_DEAF = 6 * 3600.0
_LOOKS = 30
_LOOKS_FOR_A_MODEL, _SECONDS_TIDY = 200, 60.0
_REPORTS = {
    "Turn": "report_turn",
    "Promote": "report_promotion",
    "Analyze": "report_analysis",
    "Source": "receive_announcement",
}
"""By machine."""


def change_parameter(people: People, act: Act) -> None:
    people.app.change_parameters(act.detail["stack"], act.detail["values"])


def deploy_serving(people: People, _: Act) -> None:
    people.app.without.discard("serving")
    people.app.deploy()


def new_generation(people: People, _: Act) -> None:
    people.app.new_generation()


def make_dataset(people: People, act: Act) -> None:
    """Of documents that the pipeline has never seen, from where the flywheel's role may read."""
    app, file = people.app, act.file
    assert file is not None
    people.client("s3").put_object(Bucket=app.lake, Key=file.key, Body=file.content)
    uri = f"s3://{app.lake}/{file.key}"
    if app.kind == "ENTITIES":
        manifest = {"S3Uri": uri, "AttributeNames": ["entities"]}
        config: dict[str, Any] = {"DataFormat": "AUGMENTED_MANIFEST", "AugmentedManifests": [manifest]}
    else:
        config = {"DataFormat": "COMPREHEND_CSV", "DocumentClassifierInputDataConfig": {"S3Uri": uri}}
    name = file.name.partition(".")[0]
    people.client("comprehend").create_dataset(
        FlywheelArn=app.flywheel_arn, DatasetName=name, DatasetType="TRAIN", InputDataConfig=config
    )


def start_iteration(people: People, _: Act) -> None:
    people.client("comprehend").start_flywheel_iteration(FlywheelArn=people.app.flywheel_arn)


def deny_data(people: People, act: Act) -> None:
    """Somebody changes a policy, and sees after a while what that did."""
    world = people.world
    role = people.app.data_access_role
    world.denied.add(role)
    world.kernel.sleep(act.chance * _SECONDS_DENIED)
    world.denied.discard(role)


def break_reports(people: People, act: Act) -> None:
    """Somebody takes a report's right to S3 away, then stops what it is to report once that runs, and sees after a
    while what they did: Lambda has given up."""
    world, machine, denied = people.world, people.app.machine(act.detail["machine"]).arn, _to_s3(people, act)
    for _ in range(_LOOKS):
        if world.kernel.now >= BEGINNING + act.detail["until"]:
            return
        running = [one for one in world.states.of(machine) if one.status == "RUNNING"]
        if running:
            world.denied.add(denied)
            with suppress(ApiError, ClientError):
                people.client("stepfunctions").stop_execution(executionArn=running[-1].arn, cause="a person stopped it")
            world.kernel.sleep(_SECONDS_DENIED)
            world.denied.discard(denied)
            return
        world.kernel.sleep(_SECONDS_DENIED / 10)


def break_announcements(people: People, act: Act) -> None:
    """The same of what is told by the account that trains, whenever that is."""
    denied = _to_s3(people, act)
    people.world.denied.add(denied)
    people.world.kernel.sleep(act.chance * _SECONDS_DEAF)
    people.world.denied.discard(denied)


def _to_s3(people: People, act: Act) -> tuple[str, str]:
    """The right to S3 of the function that a machine, or the account that trains, reports to."""
    return people.app.function(_REPORTS[act.detail["machine"]]).role, "s3"


def import_version(people: People, act: Act) -> None:
    """One that the source has, announced or not."""
    deployment = people.any_deployment
    assert isinstance(deployment, ImportDeployment)
    found = records.models_of(people.world, ACCOUNT)
    if found:
        chosen = found[int(act.chance * len(found))]
        people.app.wanted_models.add(deployment.service.version_arn(chosen))
        import_model.import_model(deployment, chosen, reason="it is wanted here", now=people.now())


def delete_candidate(people: People, _: Act) -> None:
    """Somebody who tidies up deletes the next model as soon as it is trained."""
    world, service, kind = people.world, people.any_deployment.service, people.any_deployment.kind
    known = {model.arn for model in service.own_models() if model is not None}
    for _look in range(_LOOKS_FOR_A_MODEL):
        world.kernel.sleep(_SECONDS_TIDY)
        for model in service.own_models():
            if model is not None and model.arn not in known and model.trained:
                people.app.deleted_models.add(model.arn)
                kind.delete_model(people.client("comprehend"), model.arn)
                return


def delete_replaced(people: People, _: Act) -> None:
    """Somebody who tidies up deletes the active model as soon as another one is active."""
    world, service, kind = people.world, people.any_deployment.service, people.any_deployment.kind
    before = service.find_active_model()
    for _look in range(_LOOKS_FOR_A_MODEL):
        world.kernel.sleep(_SECONDS_TIDY)
        active = service.find_active_model()
        if before is not None and active != before:
            people.app.deleted_models.add(before)
            kind.delete_model(people.client("comprehend"), before)
            return
        before = active


def look_around(people: People, _: Act) -> None:
    """By every verb that only reads, and as the console does, which must not fail for whoever may use it."""
    deployment = people.any_deployment
    for model in models.list_models(deployment):
        model_card.model_card(deployment, model.arn)
    now = promotions.promotions_now(deployment)
    if now.running is not None:
        picture.picture(deployment.clients, deployment.promotion_execution(now.running), picture.PROMOTION)
    promotions.past_promotions(deployment)
    endpoint.endpoint(deployment, now=people.now())
    if isinstance(deployment, ImportDeployment):
        import_status(deployment)
    if isinstance(deployment, Deployment):
        status.status(deployment, now=people.now())
        share.share(deployment)
        past = turns.list_turns(deployment)
        if past:
            turns.show_turn(deployment, past[-1].turn)
            report.report_page(deployment, past[-1].turn)


def look_at_rejected(people: People, _: Act) -> None:
    deployment = people.deployment
    for result in rejected.list_rejected(deployment)[:3]:
        rejected.find_rejected(deployment, result.upload.id)


def publish_answers(people: People, _: Act) -> None:
    review_publish.publish(people.deployment)


def take_exclusion_back(people: People, act: Act) -> None:
    deployment = people.deployment
    found = [upload.id for upload in exclude.excluded(deployment).uploads]
    if found:
        exclude.undo(deployment, [found[int(act.chance * len(found))]], [])


ACTS: dict[str, Callable[[People, Act], Any]] = {
    "change a parameter": change_parameter,
    "deploy serving": deploy_serving,
    "deploy a new generation": new_generation,
    "make a dataset in the console": make_dataset,
    "start an iteration in the console": start_iteration,
    "deny the flywheel its data": deny_data,
    "break reports": break_reports,
    "break announcements": break_announcements,
    "import a version": import_version,
    "delete the next model": delete_candidate,
    "delete the replaced model": delete_replaced,
    "look around": look_around,
    "look at what was rejected": look_at_rejected,
    "publish answers": publish_answers,
    "take an exclusion back": take_exclusion_back,
}
GROUPS = {
    **dict.fromkeys(("import a version", "look around", "publish answers", "take an exclusion back"), ("Operators",)),
    "look at what was rejected": ("RejectedReviewers",),
}
