"""The operator's command line `flywheel`, and the Python API underneath each of its verbs."""

from __future__ import annotations

import sys
from pathlib import Path

_DOMAIN = Path(__file__).resolve().parent.parent / "lambdas"

# In a checkout the domain package `flywheel` lies in the functions' code asset beside this package.
if _DOMAIN.is_dir() and str(_DOMAIN) not in sys.path:
    sys.path.insert(0, str(_DOMAIN))
