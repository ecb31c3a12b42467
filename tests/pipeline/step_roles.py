"""The permissions that the synthesised templates give each function, for steps that run in the tests' own process.

A step is held to the role of the function it belongs to: what that does not grant fails the test at once. What a
request needs is found by the code that guards the deployed functions in the local cloud.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from local.cloud.emulator import parameters
from local.cloud.emulator.auto_scaling import permissions
from local.cloud.emulator.comprehend import comprehend_service
from local.cloud.emulator.ministack import iam_actions, iam_evaluator, responses
from tests.infrastructure.synthesised import Synthesised, as_list, as_text, inline_statements

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

KINDS = ("serving", "analysis")
"""Of stacks, besides the first one."""
_MINISTACKS_NAMES = {"stepfunctions": "states"}

Check = tuple[str, str, Mapping[str, Any]]
"""Action, resource and condition keys."""


class NotGranted(Exception):
    """A step asked for what its function's role does not grant."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a deployment calls its things, in place of what they are called in the template."""

    account: str
    region: str
    bucket: str
    flywheel: str
    roles: Mapping[str, str]
    """ARNs by the beginning of the role's logical id."""
    parameters: Mapping[str, str]
    """Values of template parameters."""


class Role:
    def __init__(self, function: str, statements: list[Any]) -> None:
        self._function = function
        self._statements = statements
        self._granted: set[tuple[str, str]] = set()

    def require(self, checks: list[Check], *, account: str, region: str) -> None:
        for action, resource, conditions in checks:
            if not conditions and (action, resource) in self._granted:
                continue
            context = iam_evaluator.EvalContext(
                principal_arn=f"arn:aws:sts::{account}:assumed-role/{self._function}/tests",
                principal_type="AssumedRole",
                principal_account=account,
                action=action,
                resource_arn=resource,
                region=region,
                source_ip="127.0.0.1",
                secure_transport=True,
                service_context={"aws:tagkeys": None, **{key.lower(): value for key, value in conditions.items()}},
            )
            if iam_evaluator.evaluate(context, [self._statements]).decision != "Allow":
                raise NotGranted(f"The role of {self._function} does not grant {action} on {resource}.")
            if not conditions:
                self._granted.add((action, resource))


class Roles:
    """Of every function of an app, by the module in `handlers`."""

    def __init__(self, default: Synthesised) -> None:
        self._flywheel_name, _, first = default.stack.rpartition("-")
        self._statements: dict[str, list[dict[str, Any]]] = {}
        for kind in (first, *KINDS):
            stack = default.beside(kind)
            for function, resource in stack.functions().items():
                self._statements[function] = inline_statements(stack.role_of(resource.properties["Role"]))

    def of(self, function: str, names: Names) -> Role:
        statements = [
            {**statement, "Resource": [self._arn(resource, names) for resource in as_list(statement["Resource"])]}
            for statement in self._statements[function]
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        return Role(function, iam_evaluator.parse_policy_document(document))

    def _arn(self, resource: Any, names: Names) -> str:
        given = {
            "AWS::Partition": "aws",
            "AWS::Region": names.region,
            "AWS::AccountId": names.account,
            "IntakeBucket": names.bucket,
            **names.parameters,
        }
        text = re.sub(r"<BucketsIntake\w+\.Arn>", f"arn:aws:s3:::{names.bucket}", as_text(resource))
        for prefix, arn in names.roles.items():
            text = re.sub(rf"<{prefix}\w+\.Arn>", arn, text)
        text = re.sub(r"<([\w:]+)>", lambda found: given.get(found[1], found[0]), text)
        own = re.escape(self._flywheel_name)
        text = re.sub(rf":flywheel/{own}-[0-9a-f]{{8}}", f":flywheel/{names.flywheel}", text)
        text = re.sub(rf":flywheel/{own}-\?{{8}}", f":flywheel/{names.bucket}-????????", text)
        text = re.sub(
            rf":parameter/comprehend-flywheel/{own}/", f":parameter/comprehend-flywheel/{names.bucket}/", text
        )
        imported = "document-classifier|entity-recognizer"
        return re.sub(rf":([a-z-]+-endpoint|{imported})/{own}(/|$)", rf":\1/{names.bucket}\2", text)


_synthesise: Callable[[str], Synthesised] | None = None


def take_templates_from(synthesise: Callable[[str], Synthesised]) -> None:
    """From here on steps are held to the roles of this app; a variant is synthesised when its first step runs."""
    global _synthesise
    _synthesise = synthesise
    roles.cache_clear()


@cache
def roles(variant: str) -> Roles | None:
    """None outside of a test run, such as in a benchmark: steps may do anything then."""
    return Roles(_synthesise(variant)) if _synthesise is not None else None


def needed(service: str, request: AWSPreparedRequest, body: bytes, *, account: str, region: str) -> list[Check]:
    """What the sender of a request must be allowed; `service` in boto3's words."""
    url = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    query = parse_qs(url.query, keep_blank_values=True)
    with responses.request_scope(account, region):
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if service == "application-autoscaling":
            return [*permissions.needed(operation=operation, request=json.loads(body))]
        if service == "comprehend":
            asked = json.loads(body)
            resource = comprehend_service.resource_of(
                operation=operation, request=asked, region=region, account=account
            )
            further = comprehend_service.also_needed(operation=operation, request=asked)
            return [(f"comprehend:{operation}", resource, {}), *further]
        if several := parameters.parameters_of(headers, body) if service == "ssm" else []:
            return [(f"ssm:{operation}", parameter, {}) for parameter in several]
        name, method, path = _MINISTACKS_NAMES.get(service, service), request.method or "", unquote(url.path)
        action = iam_actions.extract_iam_action(name, method, path, headers, body, query)
        resource = iam_actions.extract_resource_arn(name, method, path, headers, body, query, region, account)
        checks: list[Check] = [(action, resource, {})]
        if service == "s3":
            checks += [(*found, {}) for found in iam_actions.s3_additional_checks(method, path, headers, body, query)]
            if "uploads" in query or "x-amz-copy-source" in headers:
                # What is large is copied in parts as well, and parts that nobody completes must be given up.
                checks.append(("s3:AbortMultipartUpload", resource, {}))
        return checks
