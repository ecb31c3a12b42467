"""Which handlers can raise an error of the pipeline, as their source says."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping

from tests.infrastructure.synthesised import ROOT

_CODE = ROOT / "lambdas"
_CLIENT = "comprehend"
"""A call of it is no call of ours, though some have the same name."""


def handlers_that_raise(error: str) -> set[str]:
    """By the module in `handlers`. Followed by name alone: a method is all that are so named in what the handler
    imports. What is caught on the way counts as well."""
    modules = {
        ".".join(path.relative_to(_CODE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in _CODE.rglob("*.py")
    }
    imports = {name: set(_imported(module)) & modules.keys() for name, module in modules.items()}
    uses = {name: _uses(module) for name, module in modules.items()}
    return {
        name.rpartition(".")[2]
        for name in modules
        if name.startswith("handlers.") and "handler" in uses[name]
        if error in _reached("handler", uses[name], *(uses[each] for each in _reached(name, imports) & modules.keys()))
    }


def _reached(start: str, *ways: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = {start}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= {then for each in ways for then in each.get(name, ())} - reached
    return reached


def _imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            yield from (str(node.module), *(f"{node.module}.{each.name}" for each in node.names))


def _uses(module: ast.Module) -> Mapping[str, set[str]]:
    """By function or method, the functions that it names and the methods that it calls."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    known = {name.rpartition(".")[2] for name in _imported(module)} | {function.name for function in functions}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for function in functions:
        for node in ast.walk(function):
            match node:
                case ast.Name(id=name) if name in known:
                    found[function.name].add(name)
                case ast.Call(func=ast.Attribute(value=of, attr=name)) if not ast.unparse(of).endswith(_CLIENT):
                    found[function.name].add(name)
    return found
