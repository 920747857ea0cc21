"""What is documented is what there is."""

from __future__ import annotations

import ast
import re
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from control.api.statuses import Status
from control.cli.program import COMMANDS
from control.live.states import MOVES
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


def test_every_command_is_documented() -> None:
    documented = re.findall(r"^\| `([a-z-]+)[^`]*` \|", (DOCS / "commands.md").read_text(), re.MULTILINE)
    assert [*dict.fromkeys(documented)] == [*COMMANDS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_architecture_page_says_what_the_modules_say() -> None:
    """Where it does not, `make docs` makes it anew."""
    assert architecture.PAGE.read_text() == architecture.page()


GLOSSARY = (DOCS / "glossary.md").read_text()
HELD_TO_IT = [
    path
    for package in ("access", "live", "nginx_rtmp")
    for path in sorted((DOCS.parent / "control" / package).glob("*.py"))
    if path.stem != "__init__"
]


@pytest.mark.parametrize("path", HELD_TO_IT, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_glossary_tells_where_each_word_lives(path: Path) -> None:
    module = f"`{path.parent.name}/{path.stem}`"
    told = " ".join(line for line in GLOSSARY.splitlines() if module in line)
    classes = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    assert [name for name in classes if not name.startswith("_") and f"`{name}`" not in told] == []
    assert told


def test_the_glossary_names_no_place_that_is_not_there() -> None:
    places = re.findall(r"`(\w+/\w+)`", GLOSSARY)
    assert [place for place in places if not (DOCS.parent / "control" / f"{place}.py").exists()] == []


def test_the_drawing_of_a_sessions_life_is_made_from_its_table() -> None:
    drawn = re.findall(r"^    (\w+) --> (\w+): (.+)$", (DOCS / "concepts.md").read_text(), re.MULTILINE)
    moves = [(before.name, after.name, event.value) for (before, event), after in MOVES.items() if before is not after]
    assert drawn == moves


PROMISES = (DOCS / "security.md").read_text()


def test_a_test_stands_behind_every_promise() -> None:
    for promise in re.findall(r"^- ((?:.+\n)(?:  .+\n)*)", PROMISES, re.MULTILINE):
        named = re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", promise)
        assert named, promise
        for file, test in named:
            assert f"def {test}" in (DOCS.parent / file).read_text(), (file, test)
