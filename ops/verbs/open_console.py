"""Where AWS's console shows the parts of a deployed flywheel."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import quote, urlsplit

from flywheel.store.record import Record
from ops.deployment.published import Deployment

_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")


class Part(StrEnum):
    DASHBOARD = "dashboard"
    MACHINE = "machine"
    BUCKET = "bucket"
    FLYWHEEL = "flywheel"


class ConsolePage(Record):
    part: Part
    url: str


def console_pages(deployment: Deployment) -> list[ConsolePage]:
    """One for each part. Makes no call."""
    region, published = deployment.region, deployment.published
    partition = deployment.flywheel_arn.split(":")[1]
    host = f"https://{region}.{_CONSOLES.get(partition, 'console.aws.amazon.com')}"
    home = f"home?region={region}"
    dashboard = f"{deployment.name}-flywheel-{region}"
    urls = {
        Part.DASHBOARD: f"{host}/cloudwatch/{home}#dashboards/dashboard/{dashboard}",
        Part.MACHINE: f"{host}/states/{home}#/statemachines/view/{quote(published.turn_machine_arn, safe='')}",
        Part.BUCKET: f"{host}/s3/buckets/{published.intake_bucket}?region={region}",
        # The list: how the console addresses one flywheel is documented nowhere.
        Part.FLYWHEEL: f"{host}/comprehend/{home}#flywheels",
    }
    return [ConsolePage(part=part, url=url) for part, url in urls.items()]


def shown_by_aws(deployment: Deployment) -> bool:
    """False on the local cloud, which has no console."""
    host = urlsplit(deployment.clients.ssm.meta.endpoint_url).hostname or ""
    return host.endswith(_AWS)
