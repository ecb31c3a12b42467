"""What those do who deploy, who work in the console past the pipeline, and who look at what others did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.deployment.published import Deployment, ImportDeployment
from ops.verbs import endpoint, import_model, models, promotions, report, share, status, turns
from ops.verbs.import_status import import_status
from tests.simulation.api import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.people import People
    from tests.simulation.schedule.act import Act

_SECONDS_DENIED = 3000.0


def change_parameter(people: People, act: Act) -> None:
    people.app.change_parameters(act.detail["stack"], act.detail["values"])


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


def import_version(people: People, act: Act) -> None:
    """One that the source has, announced or not."""
    deployment = people.any_deployment
    assert isinstance(deployment, ImportDeployment)
    found = people.world.models_of(ACCOUNT)
    if found:
        chosen = found[int(act.chance * len(found))]
        people.app.wanted_models.add(deployment.service.version_arn(chosen))
        import_model.import_model(deployment, chosen, reason="it is wanted here", now=people.now())


def look_around(people: People, _: Act) -> None:
    """By every verb that only reads, which must not fail for whoever may use it."""
    deployment = people.any_deployment
    models.list_models(deployment)
    promotions.promotions_now(deployment)
    promotions.past_promotions(deployment)
    endpoint.endpoint(deployment, now=people.now())
    if isinstance(deployment, ImportDeployment):
        import_status(deployment)
    if isinstance(deployment, Deployment):
        status.status(deployment, now=people.now())
        share.share(deployment)
        found = turns.list_turns(deployment)
        if found:
            turns.show_turn(deployment, found[-1].turn)
            report.report_page(deployment, found[-1].turn)


ACTS: dict[str, Callable[[People, Act], Any]] = {
    "change a parameter": change_parameter,
    "deploy a new generation": new_generation,
    "make a dataset in the console": make_dataset,
    "start an iteration in the console": start_iteration,
    "deny the flywheel its data": deny_data,
    "import a version": import_version,
    "look around": look_around,
}
GROUPS = {"import a version": "Operators", "look around": "Operators"}
