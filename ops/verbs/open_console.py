"""Where AWS's console shows the parts of a deployed flywheel."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import quote, urlsplit

from flywheel.store.record import Record
from ops.deployment.published import AnyDeployment, Deployment, Published

_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")


class Part(StrEnum):
    DASHBOARD = "dashboard"
    MACHINE = "machine"
    BUCKET = "bucket"
    FLYWHEEL = "flywheel"


_WHERE_MODELS_ARE_IMPORTED = {Part.MACHINE, Part.BUCKET}
"""There is no flywheel, and no dashboard of one; the machine is the promotions'."""


class ConsolePage(Record):
    part: Part
    url: str


def console_pages(deployment: AnyDeployment) -> list[ConsolePage]:
    """One for each part that there is. Makes no call."""
    region, published = deployment.region, deployment.published
    partition = deployment.service.place.split(":")[1]
    host = f"https://{region}.{_CONSOLES.get(partition, 'console.aws.amazon.com')}"
    home = f"home?region={region}"
    dashboard = f"{deployment.name}-flywheel-{region}"
    trains = isinstance(deployment, Deployment)
    machine = published.turn_machine_arn if isinstance(published, Published) else published.promotion_machine_arn
    urls = {
        Part.DASHBOARD: f"{host}/cloudwatch/{home}#dashboards/dashboard/{dashboard}",
        Part.MACHINE: f"{host}/states/{home}#/statemachines/view/{quote(machine, safe='')}",
        Part.BUCKET: f"{host}/s3/buckets/{published.intake_bucket}?region={region}",
        # The list: how the console addresses one flywheel is documented nowhere.
        Part.FLYWHEEL: f"{host}/comprehend/{home}#flywheels",
    }
    there = [part for part in urls if trains or part in _WHERE_MODELS_ARE_IMPORTED]
    return [ConsolePage(part=part, url=urls[part]) for part in there]


def shown_by_aws(deployment: AnyDeployment) -> bool:
    """False on the local cloud, which has no console."""
    host = urlsplit(deployment.clients.ssm.meta.endpoint_url).hostname or ""
    return host.endswith(_AWS)
