"""Where AWS's console shows a flywheel: of its own partition and Region."""

from __future__ import annotations

import json

import boto3
import pytest

from ops.deployment.clients import Clients
from ops.deployment.published import Deployment, Published
from ops.verbs.open_console import Part, console_pages, shown_by_aws


def deployment(*, partition: str = "aws", region: str = "eu-west-1") -> Deployment:
    session = boto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name=region)
    published = {
        **dict.fromkeys(("intake_bucket", "lake_bucket", "turn_queue_url", "promotion_queue_url", "topic_arn"), "b"),
        "turn_machine_arn": f"arn:{partition}:states:{region}:111122223333:stateMachine:news-flywheel-turn",
        "promotion_machine_arn": "p",
        "mode": "MULTI_CLASS",
        "labels": ["A", "B"],
        "label_delimiter": "|",
        "language": "en",
    }
    return Deployment(
        name="news",
        flywheel_arn=f"arn:{partition}:comprehend:{region}:111122223333:flywheel/news-0a1b2c3d",
        published=Published.model_validate_json(json.dumps(published)),
        clients=Clients(session),
    )


def test_every_part_has_a_page() -> None:
    pages = {page.part: page.url for page in console_pages(deployment())}
    assert set(pages) == set(Part)
    assert all(url.startswith("https://eu-west-1.console.aws.amazon.com/") for url in pages.values())
    assert pages[Part.DASHBOARD].endswith("#dashboards/dashboard/news-flywheel-eu-west-1")
    assert "stateMachine%3Anews-flywheel-turn" in pages[Part.MACHINE]


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
    ],
)
def test_other_partitions_have_consoles_of_their_own(partition: str, region: str, host: str) -> None:
    assert all(page.url.startswith(host) for page in console_pages(deployment(partition=partition, region=region)))


def test_the_local_cloud_has_no_console(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_by_aws(deployment())
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://localhost:4566")
    assert not shown_by_aws(deployment())
