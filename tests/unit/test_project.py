"""What people who come to the repository are told about it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from control import __version__

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_licence_is_the_one_that_is_named() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert (ROOT / "LICENSE").read_text().split("\n")[1:3] == [
        " " * 33 + "Apache License",
        " " * 27 + "Version 2.0, January 2004",
    ]


def test_the_version_has_one_source() -> None:
    assert "version" in PROJECT["dynamic"]


def test_the_changelog_ends_with_this_version() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:2] == ["Unreleased", __version__]


def test_this_version_is_supported() -> None:
    minor = __version__.rpartition(".")[0]
    assert f"| {minor} (latest) | yes |" in (ROOT / "SECURITY.md").read_text()
