"""What operators do about serving: parameters, the smoke test's file, quotas, and the endpoint in the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.people import People
    from tests.simulation.schedule.act import Act


def change_parameters(people: People, act: Act) -> None:
    people.app.change_parameters("serving", dict(act.detail))


def upload_smoke_test(people: People, act: Act) -> None:
    assert act.file is not None
    people.client("s3").put_object(Bucket=people.app.intake, Key=act.file.name, Body=act.file.content)


def delete_endpoint(people: People, _: Act) -> None:
    for endpoint in _endpoints(people):
        people.client("comprehend").delete_endpoint(EndpointArn=endpoint["EndpointArn"])


def change_endpoint(people: People, act: Act) -> None:
    """To more units, or to a model."""
    service = people.client("comprehend")
    for endpoint in _endpoints(people):
        changes: dict[str, Any] = {"DesiredInferenceUnits": 3}
        models = sorted(model.arn for model in people.any_deployment.service.own_models() if model is not None)
        if act.chance < 0.5 and models:
            changes = {"DesiredModelArn": models[int(2 * act.chance * len(models))]}
        service.update_endpoint(EndpointArn=endpoint["EndpointArn"], **changes)


def _endpoints(people: People) -> list[Any]:
    found: list[Any] = people.client("comprehend").list_endpoints()["EndpointPropertiesList"]
    return found


def set_quota(people: People, act: Act) -> None:
    """Of the inference units of all endpoints together. There is one unit at least."""
    service = people.world.comprehend.local
    service.settings = service.settings.merged({"maximum_inference_units": act.detail["units"]})


def lift_quota(people: People) -> None:
    service = people.world.comprehend.local
    service.settings = service.settings.merged({"maximum_inference_units": 200})


ACTS: dict[str, Callable[[People, Act], Any]] = {
    "change serving": change_parameters,
    "upload the smoke test": upload_smoke_test,
    "delete the endpoint in the console": delete_endpoint,
    "change the endpoint in the console": change_endpoint,
    "set the quota of inference units": set_quota,
}
