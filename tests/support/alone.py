"""An nginx without a supervisor."""

from __future__ import annotations

import os
from pathlib import Path

from control.supervisor import nginx


def command(file: Path) -> list[str]:
    """As a supervisor starts it; where we are root, its workers stay root, whose the folders are."""
    started = nginx.command(file)
    return [*started[:-1], started[-1] + " user root;"] if os.geteuid() == 0 else started
