"""The unit for systemd, judged by systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from control.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "docs" / "systemd" / "qplus.service"
MOST = 2.0  # of systemd's exposure level, 0 to 10


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_a_service_is_exposed_to_little() -> None:
    told = subprocess.run(["systemd-analyze", "security", "--offline=true", UNIT], capture_output=True, text=True)
    found = re.search(r"Overall exposure level for qplus\.service: ([\d.]+)", told.stdout)
    assert found, told.stderr
    assert float(found[1]) < MOST
    assert f"an exposure of {found[1]}" in (ROOT / "docs" / "operations.md").read_text()


def test_the_unit_runs_what_there_is() -> None:
    text = UNIT.read_text()
    assert f"User={Settings().user}\n" in text
    assert set(re.findall(rf"{PREFIX}([A-Z_]+)=", text)) <= {name.upper() for name in Settings.__dataclass_fields__}
    assert re.findall(r"^Exec\w+=/opt/qplus/\.venv/bin/python -m control (\w+)$", text, re.M) == ["run", "upgrade"]
