"""Who may do what: every request is held to the role that the template gives its sender.

Policies are evaluated by the code that guards the local cloud.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.emulator.ministack import iam_evaluator
from tests.simulation.api import REGION, ApiError, Caller
from tests.simulation.deployment import requests
from tests.simulation.deployment.s3_requests import Check, needed_of_s3
from tests.simulation.deployment.stack import ManagedPolicy, Role, Stack, Statement

_REFUSALS = {"s3": ("AccessDenied", 403), "sqs": ("AccessDenied", 403), "sns": ("AuthorizationError", 403)}
_REFUSALS |= {"lambda": ("AccessDeniedException", 403)}
_REFUSALS |= {"cloudformation": ("AccessDenied", 403), "cloudwatch": ("AccessDenied", 403)}
_REFUSED = ("AccessDeniedException", 400)
_KINDS = dict(zip(("DOCUMENT_CLASSIFIER", "ENTITY_RECOGNIZER"), requests.MODEL_KINDS, strict=True))
_ALLOWED, _DENIED, _NOT_ALLOWED = map(iam_evaluator.EvalResult, ("Allow", "Deny", "ImplicitDeny"))
_NO_RESOURCE_POLICY = "because no resource-based policy allows the {action} action"
_ONLY_ENCRYPTED = {"Bool": {"aws:SecureTransport": "false"}}
"""Condition of denials that no request here meets: all come over TLS."""


@dataclass(frozen=True)
class _Grant:
    """Of a statement, one action on one resource. `text` says whose, and what, as the template has it."""

    text: str
    action: str
    resource: str
    allows: bool
    conditions: Mapping[str, Any]


class _Grants:
    """Of a role, or of a policy that may be attached to people."""

    def __init__(self, place: str, statements: Iterable[Statement]) -> None:
        self.all = tuple(_grants(place, statements))
        self._by_action: dict[str, tuple[_Grant, ...]] = {}

    def on(self, action: str) -> tuple[_Grant, ...]:
        """Those that are about an action, on whatever resource."""
        if action not in self._by_action:
            found = [each for each in self.all if iam_evaluator.fnmatch_iam(action, each.action)]
            self._by_action[action] = tuple(found)
        return self._by_action[action]


_known: dict[tuple[str, int], tuple[_Grants, Role | ManagedPolicy]] = {}
"""By stack and id of the role or policy, which is kept so that its id stays its own. Few deployments change any."""


def _grants_of(stack: str, holder: Role | ManagedPolicy) -> _Grants:
    key = (stack, id(holder))
    if key not in _known:
        _known[key] = (_Grants(f"{stack}/{holder.logical_id}", holder.statements), holder)
    return _known[key][0]


class Roles:
    """Of all deployments of a world. Answers are kept: `put_policy` tells of a resource's policy that changes."""

    def __init__(self, stacks: Iterable[Stack], *, former: Roles | None = None) -> None:
        """`former`: before a deployment. What was used stays, and so do people, policies that were put, and the kinds
        of models of flywheels that no stack has any more."""
        self.used: dict[str, int] = {}
        """How often each grant has allowed a request. Add up those of several schedules, for `unused`."""
        self._stacks = tuple(stacks)
        self._grants: dict[tuple[str, str], tuple[_Grants, ...]] = {}
        self._trust: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._owners: dict[str, str] = {}
        self._kinds: dict[str, str] = {} if former is None else dict(former._kinds)
        self._policies: dict[str, list[dict[str, Any]]] = {}
        for stack in self._stacks:
            for role in stack.roles:
                self._grants[stack.account, role.name] = (_grants_of(stack.name, role),)
                self._trust[stack.account, role.name] = [_as_document(each) for each in role.trust]
            self._owners |= {f"arn:aws:s3:::{bucket.name}": stack.account for bucket in stack.buckets}
            self._kinds |= {each.arn: _KINDS[each.properties["ModelType"]] for each in stack.flywheels}
            custom = (each.properties for each in stack.custom_resources if "FlywheelArn" in each.properties)
            self._kinds |= {each["FlywheelArn"]: _KINDS[each["ModelType"]] for each in custom}
            for policy in stack.resource_policies:
                for arn in policy.of:
                    own = [_as_document(each) for each in policy.statements if each.conditions != _ONLY_ENCRYPTED]
                    self._policies[arn] = self._policies.get(arn, []) + own
        self._for_action: dict[tuple[str, str, str], tuple[_Grant, ...]] = {}
        self._lent: dict[tuple[str | None, ...], bool] = {}
        self._allowed: dict[tuple[Caller, Check], tuple[str, ...]] = {}
        self._answered: dict[tuple[Any, ...], tuple[str, ...]] = {}
        self.put: dict[str, Mapping[str, Any] | None] = {}
        """Policies by resource, as they were put last."""
        self._people: dict[tuple[str, str], set[str]] = {}
        """ARNs of policies, by account and name."""
        if former is not None:
            self._take_over(former)

    def after(self, stacks: Iterable[Stack]) -> Roles:
        """Those after a deployment: the same, with all their answers, if it changed nothing that these depend on."""
        stacks = tuple(stacks)
        if [_told_by(each) for each in stacks] == [_told_by(each) for each in self._stacks]:
            return self
        return Roles(stacks, former=self)

    def _take_over(self, former: Roles) -> None:
        self.used = former.used
        for resource, document in former.put.items():
            self.put_policy(resource, document)
        for (account, name), arns in former._people.items():
            there = (policy for stack in self._stacks for policy in stack.managed_policies)
            self.add_person(name, account=account, policies=[policy for policy in there if policy.arn in arns])

    def add_person(self, name: str, *, account: str, policies: Iterable[ManagedPolicy]) -> Caller:
        """Somebody to whom these policies of a template are attached."""
        grants: list[_Grants] = []
        policies = list(policies)
        for policy in policies:
            (stack,) = (each for each in self._stacks if policy in each.managed_policies)
            grants.append(_grants_of(stack.name, policy))
        if self._grants.get((account, name)) != tuple(grants):
            self._grants[account, name] = tuple(grants)
            self._for_action.clear()
            self._allowed.clear()
            self._answered.clear()
        self._people[account, name] = {policy.arn for policy in policies}
        return Caller(account=account, role=name)

    def put_policy(self, resource: str, document: Mapping[str, Any] | None) -> None:
        """The policy that a resource has from here on, such as a shared model; None if it has none."""
        self.put[resource] = document
        self._policies[resource] = [] if document is None else _statements(document)
        self._allowed.clear()
        self._answered.clear()
        self._lent.clear()

    def require(
        self,
        caller: Caller,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        about: tuple[str, ...] = (),
    ) -> None:
        """Raises ApiError unless the caller may send this request; `service` is boto3's word, `about` as in `needed`.

        A caller without a role may do all in its account, and in others what these say.
        """
        if caller.role is None and not self._elsewhere(caller, parameters):
            return
        if service == "s3":
            try:
                self.require_all(caller, needed_of_s3(operation, parameters))
            except ApiError as error:
                if operation.startswith("Head"):  # The answer has no body that says more.
                    raise ApiError("403", "Forbidden", status=403) from error
                raise
            return
        members = requests.relevant(service, operation, tuple(parameters))
        key = (caller, service, operation, about, members, tuple([str(parameters[each]) for each in members]))
        texts = self._answered.get(key)
        if texts is None:
            checks = requests.needed(
                service,
                operation,
                parameters,
                account=caller.account,
                region=REGION,
                kinds=self._kinds,
                about=about,
            )
            texts = self._answered[key] = tuple(text for check in checks for text in self._texts(caller, check))
        self._count(texts)

    def require_all(self, caller: Caller, checks: Iterable[Check]) -> None:
        """Raises ApiError for the first action that the caller may not do."""
        for check in checks:
            self._count(self._texts(caller, check))

    def allows(self, caller: Caller, action: str, resource: str, **conditions: str) -> bool:
        """Without counting it: for what an answer depends on, such as how S3 says that there is no object."""
        try:
            self._texts(caller, (action, resource, tuple((key.lower(), value) for key, value in conditions.items())))
        except ApiError:
            return False
        return True

    def require_service(self, service: str, action: str, resource: str, *, source: str, account: str) -> None:
        """Raises ApiError unless the policy of a resource lets a service (events.amazonaws.com) use it in the name of
        `source`, such as a rule's ARN in this account."""
        if not self._lets(service, action, resource, self._policies.get(_holder(resource), []), source, account):
            raise _refusal(service, action, resource, _NO_RESOURCE_POLICY)

    def require_trust(self, role: str, service: str, *, account: str, source: str | None = None) -> Caller:
        """The role as a service takes it on, in the name of `source`. Raises ApiError unless the role trusts it."""
        arn = f"arn:aws:iam::{account}:role/{role}"
        if not self._lets(service, "sts:AssumeRole", arn, self._trust.get((account, role), []), source, account):
            raise _refusal(service, "sts:AssumeRole", arn, _NO_RESOURCE_POLICY)
        return Caller(account=account, role=role)

    def grants(self) -> list[str]:
        """Everything that roles and people's policies allow, once, as `used` has it."""
        of_people = (
            grant
            for stack in self._stacks
            for policy in stack.managed_policies
            for grant in _grants_of(stack.name, policy).all
        )
        of_roles = (grant for several in self._grants.values() for each in several for grant in each.all)
        return list(dict.fromkeys(grant.text for grant in (*of_roles, *of_people) if grant.allows))

    def unused(self, used: Mapping[str, int] | None = None) -> list[str]:
        """Grants that nothing needed: stack and logical id of role or policy, action, resource as in the template."""
        needed = self.used if used is None else used
        return sorted(text for text in self.grants() if text not in needed)

    def _lets(
        self, service: str, action: str, resource: str, policy: list[dict[str, Any]], source: str | None, account: str
    ) -> bool:
        """Whether a policy of a resource lets a service act in the name of `source` in an account."""
        key = (service, action, resource, source, account)
        if key not in self._lent:
            conditions = {"aws:sourceaccount": account} | ({} if source is None else {"aws:sourcearn": source})
            context = _context(service, "Service", account, action, resource, conditions)
            found = iam_evaluator.evaluate_resource_policy({"Statement": policy}, context, service=service)
            self._lent[key] = found.decision == "Allow"
        return self._lent[key]

    def _count(self, texts: Iterable[str]) -> None:
        used = self.used
        for text in texts:
            used[text] = used.get(text, 0) + 1

    def _elsewhere(self, caller: Caller, parameters: Mapping[str, Any]) -> bool:
        """Whether a request names what another account has."""
        if "Bucket" in parameters:
            return self._owners.get(f"arn:aws:s3:::{parameters['Bucket']}", caller.account) != caller.account
        values = [*parameters.values(), *(entry.get("EventBusName") for entry in _entries(parameters))]
        places = [each for each in values if isinstance(each, str) and each.startswith(("arn:", "https://sqs."))]
        return any(caller.account not in each for each in places)

    def _texts(self, caller: Caller, check: Check) -> tuple[str, ...]:
        """Of the grants that allow it. Raises ApiError if none does."""
        key = (caller, check)
        found = self._allowed.get(key)
        if found is None:
            found = self._allowed[key] = self._decide(caller, *check)
        return found

    def _decide(
        self, caller: Caller, action: str, resource: str, conditions: tuple[tuple[str, str], ...]
    ) -> tuple[str, ...]:
        identity, texts = self._identity(caller, action, resource, conditions)
        owner = self._owner(resource) or caller.account
        own = self._policies.get(_holder(resource), [])
        result = identity
        if own or owner != caller.account:
            context = _context_of(caller, action, resource, conditions)
            result = iam_evaluator.combine_resource_policy(identity, context, {"Statement": own}, owner)
        if result.decision == "Allow":
            return texts
        if result.decision == "Deny":
            which = "an identity" if identity.decision == "Deny" else "a resource"
            raise _refusal(caller.arn, action, resource, f"with an explicit deny in {which}-based policy")
        which = "resource" if identity.decision == "Allow" else "identity"
        raise _refusal(caller.arn, action, resource, f"because no {which}-based policy allows the {{action}} action")

    def _identity(
        self, caller: Caller, action: str, resource: str, conditions: tuple[tuple[str, str], ...]
    ) -> tuple[Any, tuple[str, ...]]:
        """What the caller's own policies say, and the grants that say it."""
        if caller.role is None:
            return _ALLOWED, ()
        key = (caller.account, caller.role, action)
        candidates = self._for_action.get(key)
        if candidates is None:
            if key[:2] not in self._grants:
                raise LookupError(f"There is no role {caller.role} in account {caller.account}.")
            some = [grant for each in self._grants[key[:2]] for grant in each.on(action)]
            candidates = self._for_action[key] = tuple(some)
        fitting = [each for each in candidates if iam_evaluator.fnmatch_iam_cs(resource, each.resource)]
        if any(each.conditions for each in fitting):
            context = _context_of(caller, action, resource, conditions)
            fitting = [each for each in fitting if iam_evaluator._conditions_met(each.conditions, context)]
        if not all(each.allows for each in fitting):
            return _DENIED, ()
        return _ALLOWED if fitting else _NOT_ALLOWED, tuple([each.text for each in fitting])

    def _owner(self, resource: str) -> str | None:
        """The account that has a resource, if that is known."""
        if resource.startswith("arn:aws:s3:::"):
            return self._owners.get(_holder(resource))
        parts = resource.split(":", 5)
        return parts[4] if len(parts) == 6 and parts[4].isdigit() else None


def _told_by(stack: Stack) -> tuple[Any, ...]:
    """All that `Roles` takes from a stack."""
    return (
        (stack.account, stack.name),
        (stack.roles, stack.managed_policies, stack.resource_policies),
        [bucket.name for bucket in stack.buckets],
        [(flywheel.arn, flywheel.properties["ModelType"]) for flywheel in stack.flywheels],
    )


def _grants(place: str, statements: Iterable[Statement]) -> Iterable[_Grant]:
    for statement in statements:
        allows = statement.effect == "Allow"
        sid = f" ({statement.sid})" if statement.sid else ""
        for action in statement.actions:
            for resource, text in zip(statement.resources, statement.texts, strict=True):
                yield _Grant(f"{place}{sid} {action} {text}", action, resource, allows, statement.conditions)


def _as_document(statement: Statement) -> dict[str, Any]:
    """For the evaluator. The statement of a trust policy has no resource: it is about the role."""
    return {
        "Effect": statement.effect,
        "Principal": statement.principal,
        "Action": list(statement.actions),
        "Resource": list(statement.resources) or ["*"],
        "Condition": dict(statement.conditions),
    }


def _statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = document["Statement"]
    return list(found) if isinstance(found, list) else [found]


def _entries(parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = parameters.get("Entries", [])
    return found if isinstance(found, list) else []


def _holder(resource: str) -> str:
    """What has the policy that counts for a resource: of an object its bucket."""
    return resource.partition("/")[0] if resource.startswith("arn:aws:s3:::") else resource


def _context_of(caller: Caller, action: str, resource: str, conditions: tuple[tuple[str, str], ...]) -> Any:
    kind = "Root" if caller.role is None else "AssumedRole"
    return _context(caller.arn, kind, caller.account, action, resource, dict(conditions))


def _context(principal: str, kind: str, account: str, action: str, resource: str, conditions: Mapping[str, str]) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type=kind,
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=REGION,
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context={"aws:tagkeys": None, **conditions},
    )


def _refusal(who: str, action: str, resource: str, why: str) -> ApiError:
    """In AWS's words (IAM User Guide, "Access denied error messages")."""
    service = action.partition(":")[0]
    code, status = _REFUSALS.get(service, _REFUSED)
    what = f'"{resource}"' if service == "s3" else resource
    user = who if who.endswith(".amazonaws.com") else f"User: {who}"
    words = f"{user} is not authorized to perform: {action} on resource: {what} {why.format(action=action)}"
    return ApiError(code, words, status=status)
