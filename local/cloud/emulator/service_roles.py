"""IAM for what services do by themselves: assuming a role, acting as one, using what a policy lets them use.

MiniStack enforces IAM on the requests that clients send, but not when one of its services calls another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.emulator.ministack import iam, iam_evaluator, kms, responses, router, sts
from local.cloud.endpoint import Credentials
from local.comprehend.policies import Decision

# The access key in the unsigned calls that MiniStack's state machines make.
_STATE_MACHINES_KEY = "test"
STATE_MACHINES_SESSION = "state-machine"
# Where MiniStack keeps policies of resources under another name than IAM has for the service.
_KEEPS_POLICIES = {"execute-api": "apigateway"}


class AccessDenied(Exception):
    """IAM does not allow what a service wants to do; the text is the one AWS gives."""


def assume_role(*, role_arn: str, service: str, session_name: str, conditions: Mapping[str, str]) -> Credentials:
    """Credentials of a session of `role_arn`, taken by a service principal such as `comprehend.amazonaws.com`.

    `conditions` are the values of condition keys (`aws:SourceArn`, `aws:SourceAccount`) that the trust policy may ask
    for. Raises AccessDenied when the role does not exist or does not trust the service under these conditions.
    """
    account, name = _account_and_name(role_arn)
    if not role_trusts(role_arn=role_arn, service=service, conditions=conditions):
        raise AccessDenied(f"{service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}")
    digest = hashlib.sha256(f"{role_arn} {session_name}".encode()).hexdigest()
    credentials = Credentials(
        access_key_id=f"ASIA{digest[:16].upper()}",
        secret_access_key=hashlib.sha256(f"secret {digest}".encode()).hexdigest(),
        session_token=hashlib.sha256(f"token {digest}".encode()).hexdigest(),
    )
    sts.register_session(
        credentials.access_key_id,
        {
            "Arn": _session_arn(account, name, session_name),
            "UserId": f"{name}:{session_name}",
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
        },
    )
    return credentials


def check_role(
    *, role_arn: str, session_name: str, action: str, resource: str, conditions: Mapping[str, str] | None = None
) -> None:
    """Raise AccessDenied unless a session of the role may perform `action` on `resource`.

    Counts the role's policies, its permissions boundary, and the policy of the resource if it has one.
    """
    account, name = _account_and_name(role_arn)
    context = _context(
        principal=_session_arn(account, name, session_name),
        kind="AssumedRole",
        account=account,
        action=action,
        resource=resource,
        conditions=conditions or {},
    )
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    identity = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account), *limits)
    service = action.partition(":")[0]
    result = identity
    own_policy = iam_evaluator._resource_policy(service, resource)
    if own_policy is not None:
        result = iam_evaluator.combine_resource_policy(
            result, context, *own_policy, required=service == "kms", limits=tuple(limits)
        )
    if result.decision != "Allow":
        raise _denied(context.principal_arn, action, resource, result.decision, identity.decision)


def check_caller(
    *,
    headers: Mapping[str, str],
    query: Mapping[str, Any],
    action: str,
    resource: str,
    conditions: Mapping[str, str] | None = None,
) -> None:
    """Raise AccessDenied unless the caller of a request may perform `action` on `resource`.

    Counts the caller's policies and the policy of the resource. If another account owns the resource both must allow
    it, and that also for the caller's root, whom MiniStack allows everything everywhere. The request's signature was
    verified before.
    """
    access_key, region = router.extract_access_key_id(headers, query), responses.get_region()
    caller = str(iam_evaluator.request_caller_arn(headers, query))
    namespace = action.partition(":")[0]
    service = _KEEPS_POLICIES.get(namespace, namespace)
    asked = {"resource_arn": resource, "service_context": dict(conditions or {})}
    refused = iam_evaluator.enforce(access_key, action, service, region, **asked)
    if refused is not None:
        # Of no service, so that no resource's policy counts.
        identity = iam_evaluator.enforce(access_key, action, "", region, **asked)
        raise _denied(caller, action, resource, refused.decision, identity.decision if identity else "Allow")
    policy, owner = iam_evaluator._resource_policy(service, resource) or (None, None)
    if caller.endswith(":root") and owner not in (None, responses.get_account_id()):
        decision = decision_of_policy(policy, caller=caller, action=action, resource=resource, conditions=conditions)
        if decision != "Allow":
            raise _denied(caller, action, resource, decision, "Allow")


def _denied(caller: str, action: str, resource: str, decision: Decision, identity: Decision) -> AccessDenied:
    """In AWS's words (IAM User Guide, "Access denied error messages"); `identity` is what the caller's policies say."""
    if decision == "Deny":
        reason = f"with an explicit deny in {'an identity' if identity == 'Deny' else 'a resource'}-based policy"
    else:
        kind = "resource" if identity == "Allow" else "identity"
        reason = f"because no {kind}-based policy allows the {action} action"
    return AccessDenied(f"User: {caller} is not authorized to perform: {action} on resource: {resource} {reason}")


def check_service(*, service: str, action: str, resource: str, conditions: Mapping[str, str]) -> None:
    """Raise AccessDenied unless the resource's own policy lets the service principal perform `action` on it."""
    context = _context(
        principal=service,
        kind="Service",
        account=responses.get_account_id(),
        action=action,
        resource=resource,
        conditions={"aws:SecureTransport": "true", **conditions},
    )
    own_policy = iam_evaluator._resource_policy(action.partition(":")[0], resource)
    policy = own_policy[0] if own_policy else None
    if iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision != "Allow":
        raise AccessDenied(f"{service} is not authorized to perform: {action} on resource: {resource}")


def decision_of_policy(
    document: str | dict[str, Any] | None,
    *,
    caller: str,
    action: str,
    resource: str,
    conditions: Mapping[str, str] | None = None,
) -> Decision:
    """What a resource's own policy says to a principal; the principal's own policies do not count."""
    context = _context(
        principal=caller,
        kind=iam_evaluator._principal_type(caller, ""),
        account=caller.split(":")[4],
        action=action,
        resource=resource,
        conditions=conditions or {},
    )
    decision: Decision = iam_evaluator.evaluate_resource_policy(document, context).decision
    return decision


def role_trusts(*, role_arn: str, service: str, conditions: Mapping[str, str]) -> bool:
    """Whether a service principal may assume the role under these conditions."""
    account, name = _account_and_name(role_arn)
    role = iam._roles.get_scoped(account, None, name)
    context = _context(
        principal=service,
        kind="Service",
        account=account,
        action="sts:AssumeRole",
        resource=role_arn,
        conditions=conditions,
    )
    trust = role and role["AssumeRolePolicyDocument"]
    return bool(iam_evaluator.evaluate_resource_policy(trust, context, service=service).decision == "Allow")


def refusal_of_caller(
    *, headers: Mapping[str, str], query: Mapping[str, Any], checks: Sequence[tuple[str, str, Mapping[str, str]]]
) -> str | None:
    """Why the caller of a request may not do all of `checks` (action, resource, condition keys), None when it may.

    The calls that MiniStack's state machines make are not signed: their role is checked where the machine makes them.
    """
    access_key = router.extract_access_key_id(headers, query)
    if access_key == _STATE_MACHINES_KEY:
        return None
    for action, resource, context in checks:
        denied = iam_evaluator.enforce(
            access_key,
            action,
            action.partition(":")[0],
            responses.get_region(),
            resource_arn=resource,
            service_context=dict(context),
        )
        if denied:
            caller = getattr(denied, "principal_arn", access_key)
            return f"User: {caller} is not authorized to perform: {action} on resource: {resource}"
    return None


def caller_of(*, headers: Mapping[str, str], query: Mapping[str, Any], machine_role: str | None) -> str:
    """The ARN of the principal that sends a request: a session of the state machine's role if a machine makes the call,
    otherwise whoever signed it."""
    if machine_role is not None:
        return _session_arn(*_account_and_name(machine_role), STATE_MACHINES_SESSION)
    return str(iam_evaluator.request_caller_arn(headers, query))


def operation_of(headers: Mapping[str, str]) -> str:
    """The operation that a request of the AWS JSON protocol names."""
    return headers.get("x-amz-target", "").rpartition(".")[2]


def refused(message: str) -> Any:
    """The answer of the AWS JSON protocol to a caller whom IAM does not allow a request."""
    return responses.error_response_json(
        "AccessDeniedException", message, message_key="Message", content_type="application/x-amz-json-1.1"
    )


def _account_and_name(role_arn: str) -> tuple[str, str]:
    return role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]


def _session_arn(account: str, role: str, session: str) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{role}/{session}"


def _context(
    *, principal: str, kind: str, account: str, action: str, resource: str, conditions: Mapping[str, str]
) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type=kind,
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=responses.get_region(),
        secure_transport=True,
        service_context={name.lower(): value for name, value in conditions.items()},
    )


def key_arn(key: str | None) -> str | None:
    """The ARN of a customer's key given as id, ARN or alias; None for keys of AWS's own, which need no permission."""
    record = kms._resolve_key(key) if key and "alias/aws/" not in key else None
    return str(record["Arn"]) if record else None
