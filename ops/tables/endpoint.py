"""The answer of `flywheel endpoint`."""

from __future__ import annotations

from rich.console import RenderableType

from flywheel.records.model_arn import short_name
from flywheel.records.serving import ServingState, ServingStatus, in_words
from flywheel.serving.target import EndpointTarget
from ops.tables.figures import count, moment
from ops.tables.listing import Facts, Words, words
from ops.verbs.endpoint import Dollars, EndpointReport, EndpointThere

_STYLES = {ServingStatus.IN_SERVICE: "green", ServingStatus.BEHIND: "red"}


def endpoint_view(report: EndpointReport) -> RenderableType:
    facts = Facts()
    facts.add("Wanted", _wanted_words(report))
    facts.add("State", state_words(report.state))
    facts.add("Endpoint", _endpoint_words(report.endpoint))
    if report.endpoint:
        facts.add("Model", _model_words(report, report.endpoint))
        facts.add("Auto scaling", _scaling_words(report))
    facts.add("Smoke test", _smoke_test_words(report))
    facts.add("Costs now", _money(report.costs_now))
    if report.wanted and report.wanted.inference_units:
        facts.add("As wanted", _money(report.costs_wanted))
        if report.wanted.scales:
            facts.add("At most", _money(report.costs_at_most))
    return facts


def state_words(state: ServingState | None) -> Words:
    """In a line: what the serve machine noted last."""
    if state is None:
        return words("none yet: InferenceUnits asks for one")
    return words(
        f"{in_words(state.status)} since {moment(state.since)}: {state.reason}", style=_STYLES.get(state.status, "")
    )


def _wanted_words(report: EndpointReport) -> Words:
    wanted = report.wanted
    if wanted is None:
        return words("nothing: no Serving stack is deployed")
    if not wanted.inference_units:
        return words("no endpoint: InferenceUnits is 0")
    up_to = f", up to {wanted.most_units} by auto scaling" if wanted.scales else ""
    return words(f"{count(wanted.inference_units, 'inference unit')}{up_to}", _hours_words(wanted, report))


def _hours_words(wanted: EndpointTarget, report: EndpointReport) -> str:
    if not wanted.hours_start:
        return "at all hours"
    now = "these are the hours" if report.in_hours else "now is outside them"
    return f"from {wanted.hours_start} to {wanted.hours_end} (UTC): {now}"


def _endpoint_words(endpoint: EndpointThere | None) -> Words:
    if endpoint is None:
        return words("there is none")
    units = endpoint.current_units if endpoint.current_units is not None else 0
    changing = f", {endpoint.desired_units} desired" if endpoint.desired_units not in (None, units) else ""
    return words(
        f"{endpoint.status}, {count(units, 'inference unit')}{changing}, created at {moment(endpoint.created_at)}",
        endpoint.arn,
        *([endpoint.message] if endpoint.message else []),
    )


def _model_words(report: EndpointReport, endpoint: EndpointThere) -> Words:
    model = short_name(endpoint.model_arn) if endpoint.model_arn else "a model that Comprehend does not name yet"
    served = [f"{model}, changed at {moment(endpoint.changed_at)}"]
    if endpoint.flywheel_arn is None and not report.imports:
        served.append("pinned: it follows no promotion")
    if report.serves_active_model:
        return words(*served, "the active one", style="green")
    moving = " The endpoint moves to it." if endpoint.desired_model_arn == report.active_model_arn else ""
    active = short_name(report.active_model_arn) if report.active_model_arn else "none"
    return words(*served, f"not the active one, which is {active}.{moving}", style="yellow")


def _scaling_words(report: EndpointReport) -> str:
    if report.scaling is None:
        return "none"
    return f"{report.scaling.least} to {count(report.scaling.most, 'inference unit')}"


def _smoke_test_words(report: EndpointReport) -> Words:
    test = report.smoke_test
    if test is None:
        return words("none has run")
    return words(
        test.sentence, f"of {short_name(test.model_arn)}, at {moment(test.at)}", style="" if test.passed else "red"
    )


def _money(dollars: Dollars) -> str:
    return f"${dollars.an_hour:,.2f} an hour, ${dollars.a_month:,.2f} a month"
