"""The tags of what the pipeline creates, as it reads them off the flywheel."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.stub import Stubber

from flywheel.comprehend.flywheel import FlywheelService
from flywheel.document_classification import DOCUMENT_CLASSIFICATION

ARN = "arn:aws:comprehend:eu-west-1:111122223333:flywheel/news-12345678"


@pytest.mark.parametrize(
    ("answer", "tags"),
    [
        ({}, {}),
        ({"Tags": [{"Key": "owner", "Value": "me"}, {"Key": "empty"}]}, {"owner": "me", "empty": ""}),
        # CloudFormation's own come with the flywheel and can be put on nothing.
        (
            {"Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "x"}, {"Key": "awsome", "Value": "y"}]},
            {"awsome": "y"},
        ),
    ],
)
def test_the_flywheels_own_tags_without_those_of_aws(answer: dict[str, Any], tags: dict[str, str]) -> None:
    client = boto3.client("comprehend", region_name="eu-west-1", config=Config(signature_version=UNSIGNED))
    with Stubber(client) as stub:
        stub.add_response("list_tags_for_resource", answer, {"ResourceArn": ARN})
        assert FlywheelService(comprehend=client, flywheel_arn=ARN, kind=DOCUMENT_CLASSIFICATION).tags() == tags
