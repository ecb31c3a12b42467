"""What `flywheel doctor` reads in the real templates is there, and the reference's Regions are those it knows."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from ops.deployment.clients import Clients
from ops.deployment.synthesised import read_synthesised
from ops.verbs import doctor_checks
from ops.verbs.doctor import Health, Surroundings, find
from tests.documents import quoted, section
from tests.infrastructure.synthesised import Synthesised


def surroundings(folder: Path, *parameters: str) -> Surroundings:
    session = boto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")
    around = Surroundings(
        clients=Clients(session), name="news", synthesised=read_synthesised(folder, parameters=parameters)
    )
    around.__dict__["stacks"] = {}
    return around


@pytest.fixture
def folder(default: Synthesised, tmp_path: Path) -> Path:
    (tmp_path / "cdk.out").symlink_to(default.folder)
    return tmp_path


def test_the_layer_is_found(folder: Path) -> None:
    (name,) = doctor_checks.layer_parameters(surroundings(folder))
    assert name.startswith("/aws/service/powertools/python/arm64/python3.")


def test_the_maps_are_found(folder: Path) -> None:
    most, _ = doctor_checks.concurrency(surroundings(folder))
    assert most > doctor_checks.BESIDE


def test_the_names_are_found(folder: Path) -> None:
    found = doctor_checks.named_resources(surroundings(folder))
    kinds = {kind for kind, _ in found}
    assert kinds == {
        *("AWS::Logs::LogGroup", "AWS::SSM::Parameter"),
        *("AWS::StepFunctions::StateMachine", "AWS::Comprehend::Flywheel"),
    }
    assert ("AWS::SSM::Parameter", "/comprehend-flywheel/news/analysis") in found


def test_the_regions_are_those_of_the_reference() -> None:
    assert sorted(quoted(section("docs/reference.md", "Regions"))[1:]) == sorted(doctor_checks.REGIONS)


QUOTAS = {
    "L-AE5B911F": 20.0,
    "L-7CC66BB8": 50.0,
    "L-55642075": 20.0,
    "L-70EC2949": 10.0,
    "L-2A73DEBC": 200.0,
}
"""As Service Quotas names them; an account of before 2024 has 10 inference units for an endpoint."""


@pytest.mark.parametrize(
    ("units", "health", "said"),
    [
        (0, Health.FINE, "flywheels 1 of 20"),
        (10, Health.FINE, "inference units of an endpoint 10 of 10"),
        (11, Health.TO_DO, "inference units of an endpoint: 11 wanted, the quota L-70EC2949 is 10"),
    ],
)
def test_quotas_against_settings(folder: Path, units: int, health: Health, said: str) -> None:
    around = surroundings(folder, f"news-serving:InferenceUnits={units}")
    quotas, comprehend = Stubber(around.clients.service_quotas), Stubber(around.clients.comprehend)
    listed = [{"QuotaCode": code, "Value": value} for code, value in QUOTAS.items()]
    quotas.add_response("list_service_quotas", {"Quotas": listed}, {"ServiceCode": "comprehend"})
    comprehend.add_response("list_flywheels", {"FlywheelSummaryList": []})
    if units:
        comprehend.add_response("list_endpoints", {"EndpointPropertiesList": []})
    with quotas, comprehend:
        (found,) = find(around, [("Comprehend quotas", doctor_checks.comprehend_quotas)])
    assert found.health is health, found.message
    assert said in found.message
