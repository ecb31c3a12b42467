"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe_machine() -> str:
    """`Linux x86_64, 2 processors (Intel Xeon ...), Python 3.11.7`."""
    model = platform.processor() or "unknown"
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors ({model}), "
        f"Python {platform.python_version()}"
    )
