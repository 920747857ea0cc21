"""What is documented is what there is."""

from __future__ import annotations

import re
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from control.api.statuses import Status
from control.routes import APIS
from control.settings import PREFIX, Settings
from tests.support import architecture

DOCS = Path(__file__).parents[2] / "docs"
API = (DOCS / "api.md").read_text()
PAGES = [*sorted(DOCS.parent.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
SETTINGS = (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: setting.name)
def test_every_setting_is_documented_as_it_is(setting: Field[Any]) -> None:
    row = next(line for line in SETTINGS.splitlines() if line.startswith(f"| `{PREFIX}{setting.name.upper()}` |"))
    _, _, default, allowed, text, _ = (cell.strip() for cell in row.split("|"))
    assert default.strip("`") == str(setting.default)
    assert text == setting.metadata["text"]
    assert all(f"`{choice}`" in allowed for choice in setting.metadata["choices"])


def test_no_setting_is_documented_that_is_not_there() -> None:
    documented = re.findall(rf"^\| `{PREFIX}(\w+)`", SETTINGS, re.MULTILINE)
    assert documented == [setting.name.upper() for setting in fields(Settings)]


@pytest.mark.parametrize("name", [*APIS, "GetUserHeadPic"])
def test_every_api_has_a_section(name: str) -> None:
    assert f"\n### {name}\n" in API


@pytest.mark.parametrize("status", Status, ids=lambda status: status.name)
def test_every_status_is_documented_with_its_text(status: Status) -> None:
    assert f"| {status.number} | {status.text} |" in API


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_architecture_page_says_what_the_modules_say() -> None:
    """Where it does not, `make docs` makes it anew."""
    assert architecture.PAGE.read_text() == architecture.page()
