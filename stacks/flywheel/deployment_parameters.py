"""What CloudFormation publishes in Parameter Store about the deployment, for the operator's command line and others."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.flywheel.flywheel import Flywheel
from stacks.names import Names
from stacks.settings import FlywheelSettings

MOST_LABEL_BYTES = 5000
"""A parameter holds 8 KB at most. The other members need 2 KB: ten ARNs, and the values of the parameters."""


class DeploymentParameters(Construct):
    """`deployment`, and `flywheel-arn` where there is a flywheel.

    `deployment` has `"labels": null` where the list is too long for a parameter: DescribeFlywheel has it then. Above
    4 KB Parameter Store takes the value as an advanced parameter, at $0.05 a month.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FlywheelSettings,
        flywheel: Flywheel | None,
        resources: Mapping[str, str],
        parameters: Mapping[str, str],
        for_later_stacks: Mapping[str, str],
    ) -> None:
        """`resources` become members of `deployment` as they are; `parameters` are the tunables with their values;
        `for_later_stacks` become parameters of their own."""
        super().__init__(scope, construct_id)
        names = Names(settings)
        if flywheel is not None:
            self.flywheel_arn = ssm.CfnParameter(
                self,
                "FlywheelArn",
                name=names.parameter("flywheel-arn"),
                type="String",
                value=flywheel.arn,
                description="The flywheel of the present generation.",
            )
            self.flywheel_arn.add_resource_dependency(flywheel.resource)
        ssm.CfnParameter(
            self,
            "Deployment",
            name=names.parameter("deployment"),
            type="String",
            tier="Intelligent-Tiering",
            # Not the CDK's `to_json_string`, which drops a null. No value that deployment fills in needs escaping.
            value=json.dumps(
                {
                    **resources,
                    **(_of_flywheel(settings) if flywheel is not None else _of_imports(settings)),
                    "parameters": dict(parameters),
                }
            ),
            description="Where the flywheel's parts are and how it is tuned, as JSON.",
        )
        for name, value in for_later_stacks.items():
            ssm.CfnParameter(
                self,
                "".join(word.title() for word in name.split("-")),
                name=names.parameter(name),
                type="String",
                value=value,
                description="Read by the stacks that are deployed after this one.",
            )


def _of_flywheel(settings: FlywheelSettings) -> dict[str, object]:
    labels_fit = len(json.dumps(settings.task_labels)) <= MOST_LABEL_BYTES
    return {
        "model_type": settings.model_type,
        "mode": settings.mode,
        "labels": settings.task_labels if labels_fit else None,
        "label_delimiter": settings.label_delimiter,
        "language": settings.language,
        "generation": settings.generation,
    }


def _of_imports(settings: FlywheelSettings) -> dict[str, object]:
    return {
        "role": settings.role,
        "model_type": settings.model_type,
        "label_delimiter": settings.label_delimiter,
        "imported_model_arn": Names(settings).imported_model_arn,
    }
