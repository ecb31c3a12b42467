"""A template's values, with functions and conditions worked out (CloudFormation User Guide, "Intrinsic functions")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Template = Mapping[str, Any]


class _NoValue:
    """What AWS::NoValue is until the member that has it is left out."""


_NO_VALUE = _NoValue()


class Resolver:
    """Of one stack. `reference` and `attribute` say what Ref and Fn::GetAtt of a resource give."""

    def __init__(
        self,
        template: Template,
        *,
        pseudo: Mapping[str, Any],
        parameters: Mapping[str, Any],
        reference: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
    ) -> None:
        self._template = template
        self._pseudo = pseudo
        self._parameters = parameters
        self._reference = reference
        self._attribute = attribute
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": self._join,
            "Fn::Sub": self._sub,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Equals": self._equals,
            "Fn::Not": lambda given: not self._holds(given[0]),
            "Fn::And": lambda given: all(self._holds(each) for each in given),
            "Fn::Or": lambda given: any(self._holds(each) for each in given),
            "Condition": self.condition,
        }

    def value(self, given: Any) -> Any:
        """Resolved. Members and items that are AWS::NoValue are left out; at the top it is None."""
        found = self._value(given)
        return None if found is _NO_VALUE else found

    def condition(self, name: str) -> bool:
        if name not in self._template.get("Conditions", {}):
            raise LookupError(f"The template has no condition {name}.")
        return self._holds(self._template["Conditions"][name])

    def _value(self, given: Any) -> Any:
        match given:
            case dict():
                name = next(iter(given)) if len(given) == 1 else ""
                # In a policy a member Condition is no function: its value is not a name.
                if name in self._functions and not (name == "Condition" and not isinstance(given[name], str)):
                    return self._functions[name](given[name])
                if name.startswith("Fn::"):
                    raise NotImplementedError(f"No template of the project has {name}: it is not resolved here.")
                items = ((key, self._value(each)) for key, each in given.items())
                return {key: each for key, each in items if each is not _NO_VALUE}
            case list():
                return [each for each in map(self._value, given) if each is not _NO_VALUE]
        return given

    def _holds(self, condition: Any) -> bool:
        found = self._value(condition)
        if not isinstance(found, bool):
            raise ValueError(f"{condition} is no condition.")
        return found

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        return self._reference(name)

    def _get_att(self, given: list[str] | str) -> Any:
        name, attribute = given.split(".", 1) if isinstance(given, str) else given
        return self._attribute(name, attribute)

    def _join(self, given: list[Any]) -> str:
        delimiter, parts = given
        texts = self._value(parts)
        if wrong := [each for each in texts if isinstance(each, (dict, list))]:
            raise ValueError(f"Fn::Join takes text only, and was given {wrong[0]}.")
        return str(delimiter).join(map(as_value, texts))

    def _sub(self, given: str | list[Any]) -> str:
        text, own = (given, {}) if isinstance(given, str) else given

        def named(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in own:
                return as_value(self._value(own[name]))
            return as_value(self._get_att(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", named, text)

    def _select(self, given: list[Any]) -> Any:
        index, items = int(self._value(given[0])), self._value(given[1])
        if not 0 <= index < len(items):
            raise ValueError(f"Fn::Select cannot take item {index} of {items}.")
        return items[index]

    def _split(self, given: list[Any]) -> list[str]:
        return str(self._value(given[1])).split(given[0])

    def _if(self, given: list[Any]) -> Any:
        name, yes, no = given
        return self._value(yes if self.condition(name) else no)

    def _find_in_map(self, given: list[Any]) -> Any:
        name, first, second = map(self._value, given)
        try:
            return self._value(self._template["Mappings"][name][first][second])
        except KeyError:
            raise LookupError(f"The mapping {name} has no {first}, {second}.") from None

    def _equals(self, given: list[Any]) -> bool:
        one, other = map(self._value, given)
        return as_value(one) == as_value(other)


def as_value(found: Any) -> str:
    """As CloudFormation writes a value that stands in a text."""
    return str(found).lower() if isinstance(found, bool) else str(found)


class Parameters(Mapping[str, Any]):
    """Values of a template's parameters: those given, else the defaults.

    Raises ValueError for a value that CloudFormation refuses. A parameter of type AWS::SSM::Parameter::Value is the
    name of one of Systems Manager, which is looked up in `published` when it is referred to.
    """

    def __init__(self, template: Template, *, given: Mapping[str, Any], published: Mapping[str, str]) -> None:
        self._declared: Mapping[str, Mapping[str, Any]] = template.get("Parameters", {})
        self._published = published
        if unknown := [name for name in given if name not in self._declared]:
            raise ValueError(f"The template has no parameter {unknown[0]}.")
        self._values: dict[str, str] = {}
        for name, declared in self._declared.items():
            value = given.get(name, declared.get("Default"))
            if value is None:
                raise ValueError(f"The parameter {name} has no default: give a value.")
            self._values[name] = str(value)
            _check(name, str(value), declared)

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        kind = self._declared[name]["Type"]
        if kind.startswith("AWS::SSM::Parameter::Value<"):
            if value not in self._published:
                raise LookupError(f"{name} is read from Systems Manager's parameter {value}, which nobody gave.")
            value = self._published[value]
            kind = kind.removeprefix("AWS::SSM::Parameter::Value<").removesuffix(">")
        return value.split(",") if kind == "CommaDelimitedList" or kind.startswith("List<") else value

    def known(self, name: str) -> tuple[str, str | None]:
        """All that a parameter's value depends on: as given, and what is published under it."""
        return self._values[name], self._published.get(self._values[name])

    @property
    def all_known(self) -> tuple[tuple[str, str | None], ...]:
        return tuple([self.known(name) for name in self._values])

    @property
    def names(self) -> Mapping[str, str]:
        """The values as given: of a parameter of type AWS::SSM::Parameter::Value the name."""
        return dict(self._values)

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _check(name: str, value: str, declared: Mapping[str, Any]) -> None:
    allowed = declared.get("AllowedValues")
    wrong = [
        allowed is not None and value not in map(str, allowed),
        "AllowedPattern" in declared and re.fullmatch(declared["AllowedPattern"], value) is None,
        "MaxLength" in declared and len(value) > int(declared["MaxLength"]),
        "MinLength" in declared and len(value) < int(declared["MinLength"]),
        "MinValue" in declared and float(value) < float(declared["MinValue"]),
        "MaxValue" in declared and float(value) > float(declared["MaxValue"]),
    ]
    if any(wrong):
        advice = declared.get("ConstraintDescription", f"allowed are {allowed}")
        raise ValueError(f"{name} cannot be {value!r}: {advice}")
