"""Locks say what is installed, and leave to each machine where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    ["control/requirements.lock", "tests/requirements.lock", "tests/audit.lock", "tests/bench/requirements.lock"],
)
def test_a_lock_of_python_packages_has_hashes_and_no_index(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert all("==" in line or "--hash=sha256:" in line for line in text.splitlines())


@pytest.mark.parametrize("folder", ["tests/js", "tests/bench/peers"])
def test_a_lock_of_npm_packages_has_hashes_and_no_registry(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    assert not any("resolved" in each for each in packages.values())
    assert all(each.get("integrity") for name, each in packages.items() if name)
