"""Parameter Store in memory: each account's parameters, their versions, and the events of their changes."""

from __future__ import annotations

import base64
import re
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.simulation.api import REGION, ApiError, Caller
from tests.simulation.kernel import Kernel
from tests.simulation.services.operations import Operations, Perform

STANDARD_CHARACTERS = 4096
ADVANCED_CHARACTERS = 8192
VERSIONS_KEPT = 100
_NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")
_RESERVED = re.compile(r"/?(aws|ssm)", re.IGNORECASE)
_MOST_NAMES = 10


@dataclass(kw_only=True, frozen=True, slots=True)
class ParameterVersion:
    name: str
    value: str
    type: str
    version: int
    modified: datetime
    """In UTC, whole milliseconds."""
    by: str
    """ARN."""
    tier: str
    description: str


@dataclass(kw_only=True, frozen=True, slots=True)
class ParameterEvent:
    """A "Parameter Store Change"."""

    account: str
    name: str
    operation: str
    """Create, Update or Delete."""
    type: str
    description: str

    @property
    def resource(self) -> str:
        return arn_of(self.account, self.name)

    @property
    def detail(self) -> dict[str, str]:
        """https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html"""
        detail = {"operation": self.operation, "name": self.name, "type": self.type}
        return {**detail, "description": self.description} if self.description else detail


class _Account:
    def __init__(self) -> None:
        self.histories: dict[str, list[ParameterVersion]] = {}
        """The newest last."""
        self.names: list[str] = []
        """In order."""


class SSM:
    """`on_event` is called for each change, before the request is answered; it may not wait."""

    def __init__(self, kernel: Kernel, *, on_event: Callable[[ParameterEvent], None] | None = None) -> None:
        self._kernel = kernel
        self._on_event = on_event
        self._accounts: dict[str, _Account] = {}
        paged = {"WithDecryption", "MaxResults", "NextToken"}
        known: dict[str, tuple[Perform, set[str]]] = {
            "GetParameter": (self._get, {"Name", "WithDecryption"}),
            "GetParameters": (self._get_several, {"Names", "WithDecryption"}),
            "GetParametersByPath": (self._get_by_path, {"Path", "Recursive"} | paged),
            "GetParameterHistory": (self._get_history, {"Name"} | paged),
            "PutParameter": (self._put, {"Name", "Value", "Type", "Overwrite", "Tier", "Description"}),
            "DeleteParameter": (self._delete, {"Name"}),
            "DeleteParameters": (self._delete_several, {"Names"}),
        }
        self._operations = Operations("Parameter Store", known)

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return self._operations.answer(operation, parameters, caller)

    def parameter(self, account: str, name: str) -> ParameterVersion | None:
        """As it is now, for claims."""
        history = self._account(account).histories.get(name)
        return history[-1] if history else None

    def history(self, account: str, name: str) -> Sequence[ParameterVersion]:
        """The versions since it was created, the newest last, for claims."""
        return self._account(account).histories.get(name, ())

    def names(self, account: str, prefix: str = "") -> list[str]:
        """In order, for claims."""
        found = self._account(account).names
        return [name for name in found[bisect_left(found, prefix) :] if name.startswith(prefix)]

    def _get(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        history = self._account(caller.account).histories.get(_name(parameters["Name"]))
        if not history:
            raise _not_found()
        return {"Parameter": _shown(caller.account, history[-1])}

    def _get_several(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        names = _names(parameters["Names"])
        histories = self._account(caller.account).histories
        return {
            # In no order that AWS promises.
            "Parameters": [_shown(caller.account, histories[name][-1]) for name in sorted(names) if name in histories],
            "InvalidParameters": [name for name in names if name not in histories],
        }

    def _get_by_path(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        account = self._account(caller.account)
        path = _name(parameters["Path"]).rstrip("/") + "/"
        if not path.startswith("/"):
            raise _invalid(f"The parameter path {path!r} has to begin with a slash.")
        deep = parameters.get("Recursive", False)
        found = []
        for position in range(bisect_left(account.names, path), len(account.names)):
            name = account.names[position]
            if not name.startswith(path):
                break
            if deep or "/" not in name[len(path) :]:
                found.append(_shown(caller.account, account.histories[name][-1]))
        return _page(found, parameters, most=10, key="Name")

    def _get_history(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        history = self._account(caller.account).histories.get(_name(parameters["Name"]))
        if not history:
            raise _not_found()
        found = [
            {
                "Name": each.name,
                "Type": each.type,
                "LastModifiedDate": each.modified,
                "LastModifiedUser": each.by,
                **({"Description": each.description} if each.description else {}),
                "Value": each.value,
                "Version": each.version,
                "Labels": [],
                "Tier": each.tier,
                "Policies": [],
                "DataType": "text",
            }
            for each in history
        ]
        return _page(found, parameters, most=50, key="Version")

    def _put(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        account = self._account(caller.account)
        name = _name(parameters["Name"])
        _check_name(name)
        history = account.histories.get(name)
        last = history[-1] if history else None
        if last is not None and not parameters.get("Overwrite"):
            message = (
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to "
                "true."
            )
            raise ApiError("ParameterAlreadyExists", message)
        type_ = parameters.get("Type") or (last.type if last else None)
        if type_ is None:
            raise _invalid("A parameter type is required when you create a parameter.")
        if type_ != "String" or (last and type_ != last.type):
            raise NotImplementedError("The simulation's Parameter Store has parameters of type String only.")
        value = parameters["Value"]
        tier = _tier(value, asked=parameters.get("Tier"), last=last.tier if last else None)
        version = ParameterVersion(
            name=name,
            value=value,
            type=type_,
            version=last.version + 1 if last else 1,
            modified=datetime.fromtimestamp(int(self._kernel.now * 1000) / 1000, UTC),
            by=caller.arn,
            tier=tier,
            description=parameters.get("Description", last.description if last else ""),
        )
        if history is None:
            account.histories[name] = history = []
            insort(account.names, name)
        history.append(version)
        del history[:-VERSIONS_KEPT]
        self._tell(caller.account, "Update" if last else "Create", version)
        return {"Version": version.version, "Tier": tier}

    def _delete(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        if not self._deleted(_name(parameters["Name"]), caller):
            raise _not_found()
        return {}

    def _delete_several(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        names = _names(parameters["Names"])
        deleted = [name for name in names if self._deleted(name, caller)]
        return {"DeletedParameters": deleted, "InvalidParameters": [name for name in names if name not in deleted]}

    def _deleted(self, name: str, caller: Caller) -> bool:
        account = self._account(caller.account)
        history = account.histories.pop(name, None)
        if history is None:
            return False
        del account.names[bisect_left(account.names, name)]
        self._tell(caller.account, "Delete", history[-1])
        return True

    def _account(self, account: str) -> _Account:
        found = self._accounts.get(account)
        if found is None:
            found = self._accounts[account] = _Account()
        return found

    def _tell(self, account: str, operation: str, version: ParameterVersion) -> None:
        if self._on_event is not None:
            self._on_event(
                ParameterEvent(
                    account=account,
                    name=version.name,
                    operation=operation,
                    type=version.type,
                    description=version.description,
                )
            )


def arn_of(account: str, name: str) -> str:
    return f"arn:aws:ssm:{REGION}:{account}:parameter/{name.removeprefix('/')}"


def _name(name: str) -> str:
    if ":" in name:
        raise NotImplementedError(f"The simulation's Parameter Store knows parameters by name only, not {name}.")
    return name


def _names(names: Sequence[str]) -> list[str]:
    if len(names) > _MOST_NAMES:
        raise _invalid(
            f"1 validation error detected: Value '[{', '.join(names)}]' at 'names' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_MOST_NAMES}"
        )
    if len(set(names)) < len(names):
        raise _invalid("Parameter names have to be distinct in one request.")
    return [_name(name) for name in names]


def _check_name(name: str) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"""
    if _NAME.fullmatch(name) is None or ("/" in name and not name.startswith("/")):
        raise _invalid(
            "Parameter name must be a fully qualified name: letters, numbers and .-_ in parts that slashes separate, "
            "with a slash before the first."
        )
    if _RESERVED.match(name):
        raise _invalid('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).')


def _tier(value: str, *, asked: str | None, last: str | None) -> str:
    """An advanced parameter stays one: https://docs.aws.amazon.com/systems-manager/latest/userguide/
    parameter-store-advanced-parameters.html"""
    if not value:
        raise _invalid(
            "1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length "
            "greater than or equal to 1"
        )
    if last == "Advanced":
        if asked == "Standard":
            raise _invalid("This parameter uses the advanced-parameter tier. You can't downgrade it to a standard one.")
        tier = "Advanced"
    elif asked == "Intelligent-Tiering":
        tier = "Standard" if len(value) <= STANDARD_CHARACTERS else "Advanced"
    else:
        tier = asked or "Standard"
    most = STANDARD_CHARACTERS if tier == "Standard" else ADVANCED_CHARACTERS
    if len(value) > most:
        more = (
            " To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
            if tier == "Standard"
            else ""
        )
        raise _invalid(f"{tier} tier parameters support a maximum parameter value of {most} characters.{more}")
    return tier


def _shown(account: str, version: ParameterVersion) -> dict[str, Any]:
    return {
        "Name": version.name,
        "Type": version.type,
        "Value": version.value,
        "Version": version.version,
        "LastModifiedDate": version.modified,
        "ARN": arn_of(account, version.name),
        "DataType": "text",
    }


def _page(found: list[dict[str, Any]], parameters: Mapping[str, Any], *, most: int, key: str) -> dict[str, Any]:
    """Those after the last of the page before, which may be gone by now."""
    if "NextToken" in parameters:
        after = base64.b64decode(parameters["NextToken"]).decode()
        last: Any = int(after) if key == "Version" else after
        found = [each for each in found if each[key] > last]
    size = min(parameters.get("MaxResults", most), most)
    page = found[:size]
    answer: dict[str, Any] = {"Parameters": page}
    if len(found) > size:
        answer["NextToken"] = base64.b64encode(str(page[-1][key]).encode()).decode()
    return answer


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)


def _not_found() -> ApiError:
    # AWS gives no message.
    return ApiError("ParameterNotFound", "")
