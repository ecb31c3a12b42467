"""Who may import a model: PutResourcePolicy, DescribeResourcePolicy, DeleteResourcePolicy, and what a policy says to
the caller of ImportModel."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request, not_found, service_error
from local.comprehend.identifiers import Scope
from local.comprehend.models.policy_document import IMPORT, checked_policy
from local.comprehend.policies import Decide
from local.comprehend.requests.lookup import find
from local.comprehend.runtime import Runtime
from local.comprehend.state import RegionState, ResourcePolicy


class Sharing:
    def __init__(self, runtime: Runtime, decide: Decide) -> None:
        self._runtime = runtime
        self._decide = decide

    def put(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region, arn = self._runtime.region(scope), request["ResourceArn"]
        find(region.models, arn, what="model")
        checked_policy(request["ResourcePolicy"], of=arn)
        before = region.policies.get(arn)
        _require_revision(before, request)
        policy = new_policy(
            request["ResourcePolicy"], revision=self._runtime.new_id(), now=self._runtime.now(), before=before
        )
        region.policies[arn] = policy
        return {"PolicyRevisionId": policy.revision}

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        policy = _policy(self._runtime.region(scope), request["ResourceArn"])
        return {
            "ResourcePolicy": policy.document,
            "CreationTime": policy.created,
            "LastModifiedTime": policy.modified,
            "PolicyRevisionId": policy.revision,
        }

    def delete(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region, arn = self._runtime.region(scope), request["ResourceArn"]
        _require_revision(_policy(region, arn), request)
        del region.policies[arn]
        return {}

    def require_importable(self, scope: Scope, request: dict[str, Any], *, caller: str) -> None:
        """Raise AccessDeniedException unless ``caller`` may import the SourceModelArn as far as the model's own policy
        decides that. Another account's model needs one that allows it, whether or not there is such a model; any may
        forbid it."""
        arn = request["SourceModelArn"]
        source = Scope.of_arn(arn)
        if source.region != scope.region:
            raise invalid_request(f"{arn} is not in {scope.region}; only a model of the same Region can be imported.")
        with self._runtime.lock:
            policy = self._runtime.region(source).policies.get(arn)
        decision = (
            self._decide(policy.document, caller=caller, action=IMPORT, resource=arn) if policy else "ImplicitDeny"
        )
        if decision == "Allow" or (decision == "ImplicitDeny" and source.account == scope.account):
            return
        reason = (
            "with an explicit deny in a resource-based policy"
            if decision == "Deny"
            else f"because no resource-based policy allows the {IMPORT} action"
        )
        raise service_error(
            "AccessDeniedException",
            f"User: {caller} is not authorized to perform: {IMPORT} on resource: {arn} {reason}",
        )


def new_policy(document: str, *, revision: str, now: float, before: ResourcePolicy | None = None) -> ResourcePolicy:
    return ResourcePolicy(document=document, revision=revision, created=before.created if before else now, modified=now)


def _policy(region: RegionState, arn: str) -> ResourcePolicy:
    find(region.models, arn, what="model")
    policy = region.policies.get(arn)
    if policy is None:
        raise not_found(f"The model {arn} has no resource policy.")
    return policy


def _require_revision(policy: ResourcePolicy | None, request: dict[str, Any]) -> None:
    """Two writers do not overwrite each other if both say which revision they have seen."""
    given = request.get("PolicyRevisionId")
    if given is None:
        return
    if policy is None:
        raise invalid_request("The model has no resource policy yet; leave out PolicyRevisionId.")
    if given.lower() != policy.revision:
        raise invalid_request(f"The resource policy has another revision than {given}; read it anew.")
