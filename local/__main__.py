"""`python -m local`: the local cloud from the command line."""

import importlib.util
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this with an older one gets a sentence
    sys.exit(
        "The local cloud needs Python 3.11 or newer; this is "
        + ".".join(str(part) for part in sys.version_info[:3])
        + ". Install a newer one and make the virtual environment again with it."
    )

if importlib.util.find_spec("typer") is None:
    sys.exit(
        "This Python ("
        + sys.executable
        + ") does not have the project's packages: run `make setup`, then `.venv/bin/python -m local`."
    )

from local.command_line import main

main()
