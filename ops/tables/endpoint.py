"""The answer of `flywheel endpoint`."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from flywheel.serving_state import ServingState, ServingStatus
from flywheel.serving_wish import ServingWish
from ops.endpoint import Dollars, EndpointReport, EndpointThere
from ops.tables.figures import count, model_name, moment

_STYLES = {ServingStatus.IN_SERVICE: "green", ServingStatus.BEHIND: "red"}


def endpoint_view(report: EndpointReport) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("Wanted", _wanted_words(report))
    facts.add_row("State", state_words(report.state))
    facts.add_row("Endpoint", _endpoint_words(report.endpoint))
    if report.endpoint:
        facts.add_row("Model", _model_words(report, report.endpoint))
        facts.add_row("Auto scaling", _scaling_words(report))
    facts.add_row("Smoke test", _smoke_test_words(report))
    facts.add_row("Costs now", _money(report.costs_now))
    if report.wanted and report.wanted.inference_units:
        facts.add_row("As wanted", _money(report.costs_wanted))
        if report.wanted.scales:
            facts.add_row("At most", _money(report.costs_at_most))
    return facts


def state_words(state: ServingState | None) -> Text:
    """In a line: what the serve machine noted last."""
    if state is None:
        return Text("none: nothing has been wanted yet (InferenceUnits)")
    words = f"{state.status} since {moment(state.since)}: {state.reason}"
    return Text(words, style=_STYLES.get(state.status, ""))


def _wanted_words(report: EndpointReport) -> str:
    wanted = report.wanted
    if wanted is None:
        return "nothing: no Serving stack is deployed"
    if not wanted.inference_units:
        return "no endpoint: InferenceUnits is 0"
    up_to = f", up to {wanted.most_units} by auto scaling" if wanted.scales else ""
    return f"{count(wanted.inference_units, 'inference unit')}{up_to}\n{_hours_words(wanted, report)}"


def _hours_words(wanted: ServingWish, report: EndpointReport) -> str:
    if not wanted.hours_start:
        return "at all hours"
    now = "wanted now" if report.in_hours else "not wanted now"
    return f"from {wanted.hours_start} to {wanted.hours_end} (UTC): {now}"


def _endpoint_words(endpoint: EndpointThere | None) -> str:
    if endpoint is None:
        return "there is none"
    units = endpoint.current_units if endpoint.current_units is not None else 0
    changing = f", {endpoint.desired_units} desired" if endpoint.desired_units != units else ""
    message = f"\n{endpoint.message}" if endpoint.message else ""
    return (
        f"{endpoint.status}, {count(units, 'inference unit')}{changing}, created at {moment(endpoint.created_at)}\n"
        f"{endpoint.arn}{message}"
    )


def _model_words(report: EndpointReport, endpoint: EndpointThere) -> Text:
    served = f"{model_name(endpoint.model_arn)}, changed at {moment(endpoint.changed_at)}"
    if endpoint.flywheel_arn is None:
        served += "\npinned: it follows no promotion"
    if report.serves_active_model:
        return Text(f"{served}\nthe active one", style="green")
    moving = " The endpoint moves to it." if endpoint.desired_model_arn == report.active_model_arn else ""
    active = model_name(report.active_model_arn) if report.active_model_arn else "none"
    return Text(f"{served}\nnot the active one, which is {active}.{moving}", style="yellow")


def _scaling_words(report: EndpointReport) -> str:
    if report.scaling is None:
        return "none"
    return f"{report.scaling.least} to {count(report.scaling.most, 'inference unit')}"


def _smoke_test_words(report: EndpointReport) -> Text:
    test = report.smoke_test
    if test is None:
        return Text("none has run")
    return Text(
        f"{test.sentence}\nof {model_name(test.model_arn)}, at {moment(test.at)}",
        style="" if test.passed else "red",
    )


def _money(dollars: Dollars) -> str:
    return f"${dollars.an_hour:,.2f} an hour, ${dollars.a_month:,.2f} a month"
