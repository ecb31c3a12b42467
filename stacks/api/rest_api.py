"""The real-time API: API Gateway REST, signed by its callers, in front of one function."""

from __future__ import annotations

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from stacks.api.role import ApiLogAccess
from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.role import ManagedPolicy, Permission
from stacks.constructs.stack_parameters import as_number
from stacks.flywheel.access import READ, WRITE, FlywheelAccess
from stacks.names import API
from stacks.serving.parameters import ServingParameters
from stacks.settings import ApiLogRole

STAGE = "live"
FEEDBACK = ("POST", "/feedback")
INVALID_REQUEST = (
    'The body must be a JSON object with either "text" (a string) or "documents" (an array of strings), and no other '
    "member."
)
_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "time": "$context.requestTime",
    "caller": "$context.identity.userArn",
    "sourceIp": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    "status": "$context.status",
    "error": "$context.error.responseType",
    "latency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "responseLength": "$context.responseLength",
    "trace": "$context.xrayTraceId",
}
"""No member holds anything of a body."""
_GATEWAY_ANSWERS: dict[str, tuple[apigateway.ResponseType, str, Mapping[str, str]]] = {
    # The same codes and sentences as the function's own, where they mean the same.
    "InvalidBody": (
        apigateway.ResponseType.BAD_REQUEST_BODY,
        json.dumps({"code": "INVALID_REQUEST", "message": INVALID_REQUEST}),
        {},
    ),
    "Throttled": (
        apigateway.ResponseType.THROTTLED,
        json.dumps(
            {
                "code": "THROTTLED",
                "message": "The API takes no more requests for the moment (RequestsPerSecond). Try again later.",
            }
        ),
        {"Retry-After": "'1'"},
    ),
    "Refused": (
        apigateway.ResponseType.DEFAULT_4_XX,
        '{"code": "$context.error.responseType", "message": $context.error.messageString}',
        {},
    ),
    "Failed": (
        apigateway.ResponseType.DEFAULT_5_XX,
        '{"code": "INTERNAL_ERROR", "message": $context.error.messageString}',
        {},
    ),
}


class Api(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        parameters: ServingParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._classify_api = self._add_classify_api(functions=functions, access=access)
        self._routes = {("POST", access.kind.route): self._classify_api, ("GET", "/model"): self._classify_api}
        of_callers = [*self._routes]
        self._take_feedback = None
        if not access.imports:
            # There is nobody to teach where models are imported.
            self._take_feedback = self._add_take_feedback(functions=functions, access=access)
            self._routes[FEEDBACK] = self._take_feedback
        if access.settings.reserved_concurrency is None:
            self._reserve_concurrency(parameters.reserve_concurrency, limit=parameters.requests_per_second)
        self._api = self._rest_api(access=access, parameters=parameters)
        self._add_methods()
        self._answer_errors()
        self._let_api_invoke("Invocation", self._classify_api, "*", "/*")
        parameter = ssm.CfnParameter(
            self,
            "Published",
            name=access.names.parameter(API),
            type="String",
            value=json.dumps({"url": self.url, "rest_api_id": self._api.rest_api_id, "stage": STAGE}),
            description="Where the real-time API is, as JSON.",
        )
        find_api = (access.find_deployment(), access.parameters(API, actions=("GetParameter",)))
        self.callers_policy_arn = ManagedPolicy(
            self,
            "Callers",
            description=access.kind.callers_description,
            permissions=[
                self._call(*of_callers),
                *find_api,
            ],
        ).arn
        self.feedback_policy_arn: str | None = None
        if self._take_feedback is not None:
            self._let_api_invoke("FeedbackInvocation", self._take_feedback, *FEEDBACK)
            self.feedback_policy_arn = ManagedPolicy(
                self,
                "FeedbackCallers",
                description="Say through the flywheel's real-time API what the right answer is.",
                permissions=[
                    self._call(FEEDBACK),
                    *find_api,
                ],
            ).arn
        parameter.node.add_dependency(self._api.deployment_stage)

    def _add_classify_api(self, *, functions: Functions, access: FlywheelAccess) -> FlywheelFunction:
        return FlywheelFunction(
            self,
            "classify_api",
            wing="api",
            # As it was called when it was first deployed: an id decides what is replaced.
            construct_id="Classify",
            functions=functions,
            description="Answers the real-time API.",
            # API Gateway waits 29 s.
            timeout=cdk.Duration.seconds(28),
            # More memory is more processor: half of one shortens the first answer.
            memory_mib=1024,
            environment=[
                *access.identity,
                "PARAMETER_PREFIX",
                "ENDPOINT_ARN",
                "REVIEW_THRESHOLD",
                *([] if access.imports else ["KEEP_PREDICTIONS", "KEEP_PREDICTIONS_PERCENT", "AUDIT_PERCENT"]),
            ],
            permissions=[
                Permission(
                    actions=[f"comprehend:{access.kind.detect}", "comprehend:DescribeEndpoint"],
                    resources=[access.names.endpoint_arn],
                ),
                access.models(access.kind.describe_model),
                access.parameters("active-model-arn", actions=("GetParameter",)),
                access.objects("serving/state.json", actions=("GetObject",)),
                *_keep_predictions(access),
                *access.thresholds("GetObject"),
                access.list_intake(),
            ],
        )

    def _add_take_feedback(self, *, functions: Functions, access: FlywheelAccess) -> FlywheelFunction:
        return FlywheelFunction(
            self,
            "take_feedback",
            wing="api",
            functions=functions,
            description="Takes what people say of the real-time API's answers.",
            # API Gateway waits 29 s.
            timeout=cdk.Duration.seconds(28),
            memory_mib=512,
            environment=[*access.identity, "FEEDBACK_TRUST"],
            permissions=[
                access.objects("predictions/*", actions=READ),
                access.objects("review/waiting/*", actions=(*WRITE, "DeleteObjectVersion")),
                access.objects("review/items/*", actions=WRITE),
                # Of these only the keys say something.
                access.objects("review/claimed/*", actions=("PutObject", "DeleteObjectVersion")),
                access.objects("review/answered/*", actions=("PutObject",)),
                access.list_intake(versions=True),
                access.flywheel("DescribeFlywheel"),
            ],
        )

    def _let_api_invoke(self, construct_id: str, function: FlywheelFunction, method: str, path: str) -> None:
        lambda_.CfnPermission(
            self,
            construct_id,
            action="lambda:InvokeFunction",
            function_name=function.arn,
            principal="apigateway.amazonaws.com",
            source_arn=self._api.arn_for_execute_api(method, path, STAGE),
        )

    def _call(self, *routes: tuple[str, str]) -> Permission:
        return Permission(
            actions=["execute-api:Invoke"],
            resources=[self._api.arn_for_execute_api(method, path, STAGE) for method, path in routes],
        )

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        region, suffix = cdk.Aws.REGION, cdk.Aws.URL_SUFFIX
        return f"https://{self._api.rest_api_id}.execute-api.{region}.{suffix}/{STAGE}"

    def _reserve_concurrency(self, wanted: cdk.CfnParameter, *, limit: cdk.CfnParameter) -> None:
        """As many as arrive in a second: one answer takes less, unless the endpoint is throttled, and then the requests
        that wait for it would take what the account's other functions need."""
        reserve = cdk.CfnCondition(
            self,
            "Reserve",
            expression=cdk.Fn.condition_equals(wanted.value_as_string, "true"),
        )
        function = self._classify_api.resource
        function.reserved_concurrent_executions = cdk.Token.as_number(
            cdk.Fn.condition_if(reserve.logical_id, limit.value_as_string, cdk.Aws.NO_VALUE)
        )
        cdk.Validations.of(function).acknowledge(
            cdk.Acknowledgment(
                id="CloudFormation-Validate::W9003",
                reason="Every parameter of a template is text; CloudFormation makes the number of it.",
            )
        )

    def _rest_api(self, *, access: FlywheelAccess, parameters: ServingParameters) -> apigateway.RestApi:
        settings = access.settings
        log_group = logs.CfnLogGroup(
            self,
            "Access",
            log_group_name=f"/comprehend-flywheel/{settings.name}/api-access",
            retention_in_days=as_number(parameters.log_retention_days),
            kms_key_id=access.encryption.arn,
        )
        log_group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=f"{settings.name}-{access.kind.api_name}",
            description=access.kind.api_description,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            default_method_options=apigateway.MethodOptions(authorization_type=apigateway.AuthorizationType.IAM),
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                tracing_enabled=True,
                throttling_rate_limit=as_number(parameters.requests_per_second),
                throttling_burst_limit=as_number(parameters.request_burst),
                metrics_enabled=True,
                # Its lines may quote the names of members that a caller made up.
                logging_level=apigateway.MethodLoggingLevel.OFF,
                data_trace_enabled=False,
            ),
        )
        stage = api.deployment_stage.node.default_child
        assert isinstance(stage, apigateway.CfnStage)  # noqa: S101 - for mypy
        stage.access_log_setting = apigateway.CfnStage.AccessLogSettingProperty(
            destination_arn=cdk.Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=log_group.ref,
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            ),
            format=json.dumps(_ACCESS_LOG),
        )
        if settings.api_log_role is ApiLogRole.NEW:
            stage.add_resource_dependency(ApiLogAccess(self, "LogAccess").resource)
        if settings.api_web_acl:
            wafv2.CfnWebACLAssociation(
                self, "WebAcl", resource_arn=api.deployment_stage.stage_arn, web_acl_arn=settings.api_web_acl
            )
        else:
            cdk.Validations.of(stage).acknowledge(
                cdk.Acknowledgment(
                    id="AwsSolutions-APIG3",
                    reason="Every request is signed and throttled; a web ACL costs by the month: setting api_web_acl.",
                )
            )
        cdk.Validations.of(stage).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-APIG6",
                reason="Execution logs may quote a request; access log, function log and trace name each by its id.",
            ),
        )
        return api

    def _add_methods(self) -> None:
        string = apigateway.JsonSchema(type=apigateway.JsonSchemaType.STRING)
        # What API Gateway itself refuses. The limits are the function's: its errors name the document.
        request = self._api.add_model(
            "Request",
            content_type="application/json",
            schema=apigateway.JsonSchema(
                schema=apigateway.JsonSchemaVersion.DRAFT4,
                type=apigateway.JsonSchemaType.OBJECT,
                properties={
                    "text": string,
                    "documents": apigateway.JsonSchema(type=apigateway.JsonSchemaType.ARRAY, items=string),
                },
                additional_properties=False,
                min_properties=1,
                max_properties=1,
            ),
        )
        validator = self._api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        partition, region = cdk.Aws.PARTITION, cdk.Aws.REGION
        for (verb, path), function in self._routes.items():
            integration = apigateway.Integration(
                type=apigateway.IntegrationType.AWS_PROXY,
                integration_http_method="POST",
                uri=f"arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{function.arn}/invocations",
            )
            # What is wrong with feedback only its function says: the gateway has one sentence for all routes.
            checked = verb == "POST" and function is self._classify_api
            method = self._api.root.add_resource(path.strip("/")).add_method(
                verb,
                integration,
                request_validator=validator,
                request_models={"application/json": request} if checked else None,
            )
            cdk.Validations.of(method).acknowledge(
                cdk.Acknowledgment(
                    id="AwsSolutions-COG4", reason="Callers are people and systems with AWS credentials: IAM decides."
                )
            )

    def _answer_errors(self) -> None:
        for name, (kind, template, headers) in _GATEWAY_ANSWERS.items():
            self._api.add_gateway_response(
                name, type=kind, templates={"application/json": template}, response_headers=dict(headers)
            )


def _keep_predictions(access: FlywheelAccess) -> list[Permission]:
    """Where models are imported there is nobody to teach by them."""
    return [] if access.imports else [access.objects("predictions/*", "review/waiting/*", actions=("PutObject",))]
