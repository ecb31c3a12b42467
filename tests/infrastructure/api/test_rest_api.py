"""The real-time API's template: signed, checked, throttled, logged; and what callers get to call it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stacks.api.rest_api import INVALID_REQUEST
from tests.infrastructure.synthesised import ROOT, Resource, Synthesised, as_list, as_text, run_app, statements

GATEWAY = "AWS::ApiGateway"
LOG_ROLE_POLICY = "service-role/AmazonAPIGatewayPushToCloudWatchLogs"


@pytest.fixture(scope="module")
def serving(default: Synthesised) -> Synthesised:
    return default.beside("serving")


@pytest.fixture(scope="module")
def recognizing(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The Serving stack of an entity recognizer's flywheel."""
    folder = tmp_path_factory.mktemp("recognizer")
    settings = {"name": "names", "model_type": "ENTITY_RECOGNIZER", "entity_types": ["PERSON", "PLACE"]}
    finished = run_app(context={"flywheel": settings}, outdir=folder)
    assert finished.returncode == 0, finished.stderr
    return Synthesised(folder=folder, stack="names-serving")


def stage_of(stack: Synthesised) -> Resource:
    (stage,) = stack.of_type(f"{GATEWAY}::Stage")
    return stage


def routes(stack: Synthesised) -> dict[str, dict[str, Any]]:
    """The methods by verb and path."""
    found = {}
    for method in stack.of_type(f"{GATEWAY}::Method"):
        path = stack.resources[method.properties["ResourceId"]["Ref"]].properties["PathPart"]
        found[f"{method.properties['HttpMethod']} /{path}"] = method.properties
    return found


def described(name: str) -> set[str]:
    document = json.loads((ROOT / "docs" / name).read_text())
    return {f"{verb.upper()} {path}" for path, verbs in document["paths"].items() for verb in verbs}


def test_the_routes_are_those_of_the_document(serving: Synthesised) -> None:
    assert set(routes(serving)) == described("openapi.json")


def test_a_recognizers_api_differs_in_its_route_and_its_words_only(
    serving: Synthesised, recognizing: Synthesised
) -> None:
    assert set(routes(recognizing)) == described("openapi-entities.json")
    assert "POST /entities" in routes(recognizing)

    def rest(stack: Synthesised) -> list[dict[str, Any]]:
        of_this_api = [f"{GATEWAY}::{kind}" for kind in ("Model", "RequestValidator", "GatewayResponse", "Stage")]
        found = [resource for kind in of_this_api for resource in stack.of_type(kind)]
        return [{**found.properties, "RestApiId": None, "DeploymentId": None, "Tags": None} for found in found]

    assert rest(recognizing) == rest(serving)


def test_no_word_of_a_recognizers_api_is_of_classification(recognizing: Synthesised) -> None:
    (api,) = recognizing.of_type(f"{GATEWAY}::RestApi")
    assert api.properties["Name"] == "names-entity-recognition"
    texts = [api.properties["Description"]]
    for policy in recognizing.of_type("AWS::IAM::ManagedPolicy"):
        texts += [policy.properties["Description"], as_text(policy.properties)]
    assert "POST/entities" in " ".join(texts)
    assert not re.search("classif", " ".join(texts), re.IGNORECASE)


def test_a_recognizers_function_finds_entities(recognizing: Synthesised) -> None:
    function = recognizing.functions()["classify_api"]
    assert function.properties["Environment"]["Variables"]["MODEL_TYPE"] == "ENTITY_RECOGNIZER"
    role = as_text(recognizing.role_of(function.properties["Role"]).properties)
    assert "comprehend:DetectEntities" in role
    assert "comprehend:DescribeEntityRecognizer" in role
    assert ":entity-recognizer-endpoint/" in role
    assert "ClassifyDocument" not in role


def test_every_method_wants_a_signature(any_variant: Synthesised) -> None:
    methods = routes(any_variant.beside("serving"))
    assert {method["AuthorizationType"] for method in methods.values()} == {"AWS_IAM"}


def test_every_method_invokes_its_function_which_lets_only_this_api_do_so(serving: Synthesised) -> None:
    functions = {name: function.logical_id for name, function in serving.functions().items()}
    for route, method in routes(serving).items():
        function = functions["take_feedback" if route == "POST /feedback" else "classify_api"]
        assert method["Integration"]["Type"] == "AWS_PROXY"
        assert f"functions/<{function}.Arn>/invocations" in as_text(method["Integration"]["Uri"])
    (api,) = serving.of_type(f"{GATEWAY}::RestApi")
    for name, allowed in (("classify_api", "*/*"), ("take_feedback", "POST/feedback")):
        (permission,) = [
            found.properties
            for found in serving.of_type("AWS::Lambda::Permission")
            if found.properties["FunctionName"] == {"Fn::GetAtt": [functions[name], "Arn"]}
        ]
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert as_text(permission["SourceArn"]).endswith(f":<{api.logical_id}>/live/{allowed}")


def test_nobody_is_taught_where_models_are_imported(importing: Synthesised) -> None:
    serving = importing.beside("serving")
    assert set(routes(serving)) == {"POST /classify", "GET /model"}
    assert set(serving.functions()) & {"classify_api", "take_feedback"} == {"classify_api"}
    assert "FeedbackPolicyArn" not in serving.template["Outputs"]
    variables = serving.functions()["classify_api"].properties["Environment"]["Variables"]
    assert not {"KEEP_PREDICTIONS", "AUDIT_PERCENT"} & set(variables)


def test_what_the_function_has_for_itself_follows_the_requests_and_is_nothing_by_default(serving: Synthesised) -> None:
    """A new account can reserve nothing, and refuses a deployment that would."""
    reserved = serving.functions()["classify_api"].properties["ReservedConcurrentExecutions"]
    condition, yes, no = reserved["Fn::If"]
    assert (yes, no) == ({"Ref": "RequestsPerSecond"}, {"Ref": "AWS::NoValue"})
    assert serving.template["Conditions"][condition] == {"Fn::Equals": [{"Ref": "ReserveConcurrency"}, "true"]}
    assert serving.template["Parameters"]["ReserveConcurrency"]["Default"] == "false"


def test_bodies_are_checked_by_the_documents_own_shape(serving: Synthesised) -> None:
    method = routes(serving)["POST /classify"]
    validator = serving.resources[method["RequestValidatorId"]["Ref"]]
    assert validator.properties["ValidateRequestBody"] is True
    schema = serving.resources[method["RequestModels"]["application/json"]["Ref"]].properties["Schema"]
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())["components"]["schemas"]
    alternatives = [document["OneText"], document["SeveralDocuments"]]
    described = {name: found for each in alternatives for name, found in each["properties"].items()}
    assert schema["properties"] == {
        "text": {"type": described["text"]["type"]},
        "documents": {
            "type": described["documents"]["type"],
            "items": {"type": described["documents"]["items"]["type"]},
        },
    }
    assert all(each["additionalProperties"] is False and len(each["required"]) == 1 for each in alternatives)
    # Exactly one of the members is to be there.
    assert (schema["additionalProperties"], schema["minProperties"], schema["maxProperties"]) == (False, 1, 1)


def test_stage_is_throttled_by_the_parameters_and_traced(serving: Synthesised) -> None:
    stage = stage_of(serving).properties
    (settings,) = stage["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    assert stage["TracingEnabled"] is True
    # Both may quote a request.
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)


def test_access_log_is_json_without_a_body_in_a_group_that_ends_and_is_encrypted(new_key: Synthesised) -> None:
    stack = new_key.beside("serving")
    setting = stage_of(stack).properties["AccessLogSetting"]
    line = json.loads(setting["Format"])
    assert {"requestId", "caller", "status", "path"} <= set(line)
    assert not any("body" in value.lower() or "input" in value.lower() for value in line.values())
    (group,) = [
        found
        for found in stack.of_type("AWS::Logs::LogGroup")
        if found.properties["LogGroupName"].endswith("/api-access")
    ]
    assert as_text(setting["DestinationArn"]).endswith(f":log-group:<{group.logical_id}>")
    assert group.properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert group.properties["KmsKeyId"] == {"Ref": "KeyArn"}


def test_stage_waits_for_the_accounts_role_which_is_kept(serving: Synthesised) -> None:
    (account,) = serving.of_type(f"{GATEWAY}::Account")
    role = serving.role_of(account.properties["CloudWatchRoleArn"])
    assert account.logical_id in as_list(stage_of(serving).body["DependsOn"])
    for resource in (account, role):
        assert (resource.body["DeletionPolicy"], resource.body["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert [as_text(arn).partition(":policy/")[2] for arn in role.properties["ManagedPolicyArns"]] == [LOG_ROLE_POLICY]
    (trust,) = statements(role.properties["AssumeRolePolicyDocument"])
    assert trust["Principal"] == {"Service": "apigateway.amazonaws.com"}


def test_an_accounts_own_role_is_left_alone(tmp_path: Path) -> None:
    finished = run_app(context={"api_log_role": "existing"}, outdir=tmp_path)
    assert finished.returncode == 0, finished.stderr
    serving = Synthesised(folder=tmp_path, stack="news-flywheel").beside("serving")
    assert serving.of_type(f"{GATEWAY}::Account") == []
    assert stage_of(serving).properties["AccessLogSetting"]


def test_what_the_gateway_answers_has_the_apis_form(serving: Synthesised) -> None:
    answers = {
        found.properties["ResponseType"]: found.properties for found in serving.of_type(f"{GATEWAY}::GatewayResponse")
    }
    body = {kind: found["ResponseTemplates"]["application/json"] for kind, found in answers.items()}
    assert json.loads(body["BAD_REQUEST_BODY"]) == {"code": "INVALID_REQUEST", "message": INVALID_REQUEST}
    assert json.loads(body["THROTTLED"])["code"] == "THROTTLED"
    assert answers["THROTTLED"]["ResponseParameters"] == {"gatewayresponse.header.Retry-After": "'1'"}
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        filled = body[kind].replace("$context.error.responseType", "X").replace("$context.error.messageString", '"why"')
        assert set(json.loads(filled)) == {"code", "message"}


def test_a_changed_answer_is_deployed(serving: Synthesised) -> None:
    """A deployment is a picture of the API: it has to come after everything that it shows."""
    (deployment,) = serving.of_type(f"{GATEWAY}::Deployment")
    shown = [
        found.logical_id
        for kind in ("Method", "Model", "RequestValidator", "GatewayResponse")
        for found in serving.of_type(f"{GATEWAY}::{kind}")
    ]
    assert set(shown) <= set(as_list(deployment.body["DependsOn"]))


def test_callers_may_call_the_api_find_it_and_nothing_else(serving: Synthesised) -> None:
    outputs = serving.template["Outputs"]
    routes = {"CallersPolicyArn": {"POST/classify", "GET/model"}, "FeedbackPolicyArn": {"POST/feedback"}}
    for output, allowed in routes.items():
        check_policy(serving.resources[outputs[output]["Value"]["Ref"]], allowed)


def check_policy(policy: Resource, allowed: set[str]) -> None:
    invoke, *find = statements(policy.properties["PolicyDocument"])
    assert (invoke["Effect"], as_list(invoke["Action"])) == ("Allow", ["execute-api:Invoke"])
    assert {as_text(arn).partition("/live/")[2] for arn in as_list(invoke["Resource"])} == allowed
    read = {
        (action, as_text(arn).rpartition("/")[2])
        for statement in find
        for action in as_list(statement["Action"])
        for arn in as_list(statement["Resource"])
    }
    several = {("ssm:GetParameters", "deployment"), ("ssm:GetParameters", "flywheel-arn")}
    assert read == {("ssm:GetParameter", "api"), *several}


def test_where_the_api_is(serving: Synthesised) -> None:
    (api,) = serving.of_type(f"{GATEWAY}::RestApi")
    assert api.properties["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    url = f"https://<{api.logical_id}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/live"
    assert as_text(serving.template["Outputs"]["ApiUrl"]["Value"]) == url
    (published,) = [
        found.properties
        for found in serving.of_type("AWS::SSM::Parameter")
        if found.properties["Name"] == "/comprehend-flywheel/news/api"
    ]
    assert json.loads(as_text(published["Value"])) == {
        "url": url,
        "rest_api_id": f"<{api.logical_id}>",
        "stage": stage_of(serving).properties["StageName"],
    }
