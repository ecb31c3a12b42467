"""The smallest app that uses what the emulator has to be able to: deployed by `test_emulator_deploy.py`."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

FUNCTIONS = Path(__file__).parent / "functions"


class Probe(cdk.Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        bucket = s3.Bucket(self, "Bucket", enforce_ssl=True, versioned=True, removal_policy=cdk.RemovalPolicy.DESTROY)
        greeting = cdk.CfnParameter(self, "Greeting", default="hello", allowed_values=["hello", "good day"])
        layer = ssm.StringParameter.value_for_string_parameter(
            self, "/aws/service/powertools/python/arm64/python3.13/3.37.0"
        )
        function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler="probe.handle",
            code=lambda_.Code.from_asset(str(FUNCTIONS)),
            layers=[lambda_.LayerVersion.from_layer_version_arn(self, "Powertools", layer)],
            environment={"BUCKET": bucket.bucket_name, "GREETING": greeting.value_as_string},
            timeout=cdk.Duration.seconds(20),
        )
        bucket.grant_put(function, "written/*")
        machine = sfn.StateMachine(
            self,
            "Machine",
            query_language=sfn.QueryLanguage.JSONATA,
            definition_body=sfn.DefinitionBody.from_chainable(
                tasks.LambdaInvoke.jsonata(
                    self, "Greet", lambda_function=function, outputs="{% $states.result.Payload %}"
                )
            ),
        )
        cdk.CfnOutput(self, "BucketName", value=bucket.bucket_name)
        cdk.CfnOutput(self, "FunctionName", value=function.function_name)
        cdk.CfnOutput(self, "MachineArn", value=machine.state_machine_arn)


app = cdk.App()
Probe(app, "Probe")
app.synth()
