"""What the pages' scripts take for granted, which no tool of theirs can see."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from control.api.statuses import Status

JS = Path(__file__).parents[1] / "js"
STATIC = Path(__file__).parents[2] / "control" / "web" / "static"
SCRIPTS = {file.name: file.read_text() for file in STATIC.glob("*.js")}
DOM_NAMES = {"a": "Anchor", "img": "Image"}


class Ids(HTMLParser):
    """Collects what tag each id has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, str] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if given := dict(attributes).get("id"):
            self.tags[given] = tag


def tags_by_id() -> dict[str, str]:
    ids = Ids()
    for page in STATIC.glob("*.html"):
        ids.feed(page.read_text())
    for markup in re.findall(r"= `(.*?)`;", SCRIPTS["common.js"], re.DOTALL):
        ids.feed(markup)
    made = re.findall(r'element\("(\w+)", \{ id: "([\w-]+)"', SCRIPTS["common.js"])
    return ids.tags | {given: tag for tag, given in made}


def test_every_id_that_a_script_asks_for_is_in_a_page() -> None:
    asked = {name for text in SCRIPTS.values() for name in re.findall(r'(?:byId|getElementById)\("([\w-]+)"\)', text)}
    assert "video" in asked
    assert asked - tags_by_id().keys() == set()


def test_an_element_has_the_type_that_is_declared() -> None:
    tags = tags_by_id()
    declared = dict(re.findall(r'^  "?([\w-]+)"?: HTML(\w+)Element;', (JS / "pages.d.ts").read_text(), re.MULTILINE))
    assert declared["video"] == "Video"
    assert declared == {name: DOM_NAMES.get(tags[name], tags[name].title()) for name in declared}


def test_statuses_have_the_numbers_that_the_server_gives_them() -> None:
    named = re.findall(r"^  (\w+): (\d+),", SCRIPTS["statuses.js"], re.MULTILINE)
    assert named == [(name, str(Status[name].number)) for name, _ in named]


def test_every_text_that_a_page_names_is_there() -> None:
    words = "".join(text for name, text in SCRIPTS.items() if name.endswith("texts.js"))
    texts = set(re.findall(r"^ {2,4}(\w+): ", words, re.MULTILINE))
    pages = [file.read_text() for file in STATIC.glob("*.html")]
    markup = "".join([*pages, SCRIPTS["common.js"]])
    named = set(re.findall(r'data-(?:text|placeholder|label|title|alt)="(\w+)"', markup))
    assert named - texts == set()


def test_the_types_of_hls_js_are_those_of_the_file_that_is_served() -> None:
    version = json.loads((JS / "package.json").read_text())["devDependencies"]["hls.js"]
    assert f'"{version}"' in (STATIC / "vendor" / "hls.light.min.js").read_text()


@pytest.mark.parametrize("name", ["uPlot.iife.min.js", "uPlot.min.css"])
def test_uplot_is_served_as_its_package_has_it(name: str) -> None:
    packaged = JS / "node_modules" / "uplot" / "dist" / name
    assert (STATIC / "vendor" / name).read_bytes() == packaged.read_bytes()


def test_the_lock_names_no_host_to_install_from() -> None:
    packages = json.loads((JS / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in packages.items() if name)
