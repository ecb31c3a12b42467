"""`flywheel classify`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from ops.commands.invocation import invocation_of, show_line
from ops.tables.classify import answers_table
from ops.tables.terminal import remark, result_console
from ops.verbs import classify as api


def classify(
    context: typer.Context,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT]...", help="Default: each line of standard input that is not empty.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each text.")] = False,
) -> None:
    """Classify texts, or find their entities, through the real-time API, signed with these credentials. What is
    throttled is sent again.

    Exit status 1 if a text has no answer.
    """
    found: list[api.ClassifiedText] = []
    through = api.find_api(invocation_of(context).any_deployment())
    for result in api.classify(texts if texts else _lines(), api=through, on_wait=_say_wait):
        found.append(result)
        if as_json:
            show_line(result)
    if not as_json:
        result_console().print(answers_table(found))
    if not all(result.answered for result in found):
        raise typer.Exit(1)


def _lines() -> Iterator[str]:
    for line in sys.stdin:
        text = line.rstrip("\r\n")
        if text.strip():
            yield text


def _say_wait(seconds: float) -> None:
    remark(f"The endpoint takes no more for the moment: again in {seconds:g} s")
