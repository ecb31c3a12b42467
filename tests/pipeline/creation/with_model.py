"""A flywheel that begins with an existing model, which CloudFormation has the create machine make."""

from __future__ import annotations

from typing import Any

from tests.infrastructure.conftest import VARIANTS
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, as_csv, documents
from tests.pipeline.observed_world import PARAMETERS, SmallApp, parameters_of
from tests.pipeline.seen import Seen
from tests.simulation.api import ACCOUNT
from tests.simulation.app import FLYWHEEL_WITH_MODEL
from tests.simulation.deployment.stack import CustomResource, Stack
from tests.simulation.trainings import train

MODEL: str = VARIANTS["initial-model"]["initial_model_arn"]
(FOLDER,) = VARIANTS["initial-model"]["initial_model_data"]
ROWS = documents(*LABELS, count=60)


def mostly_wrong() -> list[tuple[str, str]]:
    """Another model is better."""
    other = dict(zip(LABELS, LABELS[::-1], strict=True))
    return [(other[label] if n % 10 < 8 else label, text) for n, (label, text) in enumerate(ROWS)]


class FlywheelWithModel(Deployment):
    """Not deployed yet. `parameters` are those of the Flywheel stack."""

    def __init__(self, *, trained: bool = True, **parameters: object) -> None:
        """`trained`: the model exists."""
        Seen.__init__(self)
        given = {"flywheel": PARAMETERS | parameters_of(parameters)}
        app = SmallApp(self.world, kind="MULTI_CLASS", labels=LABELS, parameters=given, starts_turns=False)
        app.settings = VARIANTS["initial-model"]
        self.take(app)
        self._by_hand = 0
        if trained:
            train(self.world, as_csv(mostly_wrong()), name="initial", version="first", folder=FOLDER, account=ACCOUNT)

    def provide(self, **properties: Any) -> None:
        """Deploy, also again, with these properties of the resource. Raises DeploymentFailed."""
        former, self.app.of_resource = self.app.of_resource, properties
        try:
            self.app.deploy()
        except Exception:
            self.app.of_resource = former
            raise

    @property
    def stack(self) -> Stack:
        """As the template has it, whether or not it is deployed."""
        name, template = next(iter(self.app.templates().items()))
        return self.app.resolved(name, template, self.app.parameters["flywheel"])

    @property
    def resource(self) -> CustomResource:
        return next(each for each in self.stack.custom_resources if each.type == FLYWHEEL_WITH_MODEL)

    def request(self, kind: str, **more: str) -> dict[str, Any]:
        """CloudFormation's, of which nobody waits for the answer."""
        return {
            "RequestType": kind,
            "ResponseURL": "https://cloudformation-custom-resource-response.s3.amazonaws.com/none",
            "StackId": self.stack.id,
            "RequestId": "none",
            "LogicalResourceId": self.resource.logical_id,
            "ResourceProperties": dict(self.resource.properties),
            **more,
        }

    def described(self) -> dict[str, Any]:
        found = self.comprehend.describe_flywheel(FlywheelArn=self.resource.properties["FlywheelArn"])
        return dict(found["FlywheelProperties"])

    def tags(self) -> dict[str, str]:
        found = self.comprehend.list_tags_for_resource(ResourceArn=self.flywheel_arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}
