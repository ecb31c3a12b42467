"""The answer of `flywheel doctor`: a line for each check."""

from __future__ import annotations

from rich.text import Text

from ops.verbs.doctor import Examination, Finding, Health

_SIGNS = {Health.FINE: ("fine", "green"), Health.TO_DO: ("to do", "red"), Health.UNKNOWN: ("not known", "yellow")}
_SIGN_WIDTH = max(len(sign) for sign, _ in _SIGNS.values())


def examination_text(examination: Examination) -> Text:
    width = max(len(finding.check) for finding in examination.findings)
    lines = [_line(finding, width) for finding in examination.findings]
    return Text("\n").join([*lines, Text(_closing(examination))])


def _line(finding: Finding, width: int) -> Text:
    sign, style = _SIGNS[finding.health]
    return Text.assemble(
        (f"{sign:<{_SIGN_WIDTH}}", style), "  ", (f"{finding.check:<{width}}", "bold"), f"  {finding.message}"
    )


def _closing(examination: Examination) -> str:
    to_do = sum(finding.health is Health.TO_DO for finding in examination.findings)
    state = "is deployed" if examination.deployed else "is not deployed yet"
    what = f"{to_do} to do" if to_do else "nothing to do"
    return f"{examination.name} {state} in {examination.region}: {what}."
