"""`make conformance TARGET=aws|local`: asks the open questions, cleans up, writes the report."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.conformance.asking import Asking, GaveUp
from tests.conformance.cleaning_up import clean_up
from tests.conformance.findings import Findings
from tests.conformance.places import Account, Place, local_place

COST = """This makes, in {title} (account {account}), a bucket, a role, two flywheels, two iterations and one endpoint:
  two trainings of about 40 minutes at $3.00 an hour   about $4
  one inference unit for about 30 minutes              about $1
  models and storage for a few hours                   less than $0.10
It takes two to five hours and removes what it made. To remove what a killed run of this name left: --clean-up {name}"""


def main(arguments: list[str]) -> int:
    """Returns the exit status: 0 if every question was asked and nothing is left."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("target", choices=("aws", "local"))
    parser.add_argument("--report", type=Path, default=Path("conformance.md"))
    parser.add_argument("--yes", action="store_true", help="the cost is agreed to")
    parser.add_argument("--clean-up", metavar="NAME", help="only remove what a killed run left on AWS")
    options = parser.parse_args(arguments)
    name = options.clean_up or f"conformance-{int(time.time()):x}"
    # As an interrupt, so that what was made is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.target == "local":
        with local_place(name, {}) as place:
            return _written(ask_and_clean_up(place), options.report)
    account = Account(name)
    if options.clean_up:
        left = clean_up(account, say=_say)
        _say(f"Left: {', '.join(left) or 'nothing'}")
        return 1 if left else 0
    _say(COST.format(title=account.title, account=account.account, name=name))
    if not options.yes and input("Type the account's number to go on: ").strip() != account.account:
        _say("Nothing was done.")
        return 1
    return _written(ask_and_clean_up(account, make=account.make), options.report)


def ask_and_clean_up(place: Place, *, make: Any = None) -> Findings:
    """Whatever happens on the way, what was made is removed."""
    findings = Findings(target=place.title)
    try:
        if make is not None:
            make()
        Asking(place=place, findings=findings, say=_say).all()
    except (GaveUp, ClientError, BotoCoreError) as error:
        findings.ended_early = f"{type(error).__name__}: {error}"
    except KeyboardInterrupt:
        findings.ended_early = "it was interrupted"
    finally:
        findings.left = clean_up(place, say=_say)
    return findings


def _written(findings: Findings, report: Path) -> int:
    report.write_text(findings.report(), encoding="utf-8")
    _say(f"{report}: {len(findings.answers)} answers. {findings.ended_early or ''}".rstrip())
    return 1 if findings.ended_early or findings.left else 0


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
