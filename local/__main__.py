"""`python -m local`: the local cloud from the command line."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this with an older one gets a sentence
    sys.exit(
        "The local cloud needs Python 3.11 or newer; this is "
        + ".".join(str(part) for part in sys.version_info[:3])
        + ". Install a newer one and make the virtual environment again with it."
    )

from local.command_line import main

main()
