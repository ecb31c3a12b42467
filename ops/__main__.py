"""`python -m ops`: the same as the console script `flywheel`."""

from __future__ import annotations

from ops.main import app

if __name__ == "__main__":
    app(prog_name="flywheel")
