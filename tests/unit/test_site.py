"""The docs as a site: it builds without a warning, and everything is found on it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
CONFIG = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]


def listed(nav: Any) -> Iterator[str]:
    """The pages of a table of contents."""
    if isinstance(nav, str):
        yield nav
    for each in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from listed(each)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built beside the checkout: two at once would spoil each other's."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"], cwd=folder, capture_output=True, text=True
    )
    assert built.returncode == 0 and "No issues found" in built.stdout + built.stderr, built.stdout + built.stderr
    return folder / str(CONFIG["site_dir"])


def test_every_page_is_in_the_table_of_contents_once() -> None:
    assert sorted(listed(CONFIG["nav"])) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_becomes_what_it_says(site: Path, page: str) -> None:
    made = site / page.replace("README.md", "index.md").replace(".md", ".html")
    body = made.read_text().partition("<article")[2].partition("</article>")[0]
    assert "<h1" in body
    shown = unescape(re.sub(r"<(pre|code)\b.*?</\1>", "", body, flags=re.DOTALL))
    for left in ("```", "](", "\n- ", "| --- |", "**"):  # what is not understood stands there as it was written
        assert left not in shown, left


@pytest.mark.parametrize("page", PAGES)
def test_no_link_leads_out_of_the_docs(page: str) -> None:
    """On the site it would lead nowhere: other files are named."""
    text = (DOCS / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((DOCS / page).parent / target).resolve().is_relative_to(DOCS), target


FAILURES = (DOCS / "failures.md").read_text()


@pytest.mark.parametrize("named", re.findall(r"`(tests/[\w/.:]+)` \|$", FAILURES, re.MULTILINE))
def test_what_happens_at_a_failure_is_what_a_test_sees(named: str) -> None:
    file, _, test = named.partition("::")
    assert f"def {test}" in (ROOT / file).read_text()


def test_each_failure_says_all_that_there_is_to_say() -> None:
    rows = [
        line for line in FAILURES.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| ---"))
    ]
    assert len(rows) == len(re.findall(r"`tests/[\w/.:]+` \|$", FAILURES, re.MULTILINE))
    assert all(cell.strip() for row in rows for cell in row.strip("|").split(" | "))
