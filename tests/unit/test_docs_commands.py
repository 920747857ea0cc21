"""What the docs tell people to type is there, as it is told."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from control.cli.program import program
from control.routes import APIS, PAGE_APIS

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text() for page in PAGES}
COMMAND_LINE = re.compile(r"(?:python -m control|(?<!-n )(?<!/)\bqplus) +([a-z][^&;|>]*)")
STANDS_FOR = {"ROOM": "1000001", "COMMAND": "ready", "[TEXT]": "ann", "…": "x"}
COMMAND = typer.main.get_command(program([]))


def typed(text: str) -> list[str]:
    """The words after `qplus`, where it stands in code."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    plain = re.sub(r"^ *```\w*\n.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    code = [*blocks, *(span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", plain))]
    lines = [line for piece in code for line in piece.replace("\\\n", " ").splitlines()]
    return [words.strip(" '\"") for line in lines for words in COMMAND_LINE.findall(line)]


LISTED = re.findall(r"^\| `([a-z][^`]*)` \|", TEXTS["docs/commands.md"], re.MULTILINE)
WORDS = sorted(
    {(page, words) for page, text in TEXTS.items() for words in typed(text)}
    | {("docs/commands.md", words) for words in LISTED}
)


def understood(words: list[str]) -> None:
    """Raises what the command line does at words that it does not know."""
    command: Any = COMMAND
    context = command.make_context("qplus", [], resilient_parsing=True)
    while hasattr(command, "commands") and words:
        name, *words = words
        assert name in command.commands, name
        command = command.commands[name]
        if not hasattr(command, "commands"):
            command.make_context(name, words, parent=context)


@pytest.mark.parametrize("page, words", WORDS)
def test_a_command_that_is_told_is_one(page: str, words: str) -> None:
    given = [STANDS_FOR.get(word, word) for word in shlex.split(words)]
    bare = len(given) == 1 or words in LISTED  # a name alone, without all that it needs
    try:
        understood(given)
    except typer.TyperException as failure:
        assert bare and "Missing" in str(failure.format_message()), failure


def test_commands_are_told() -> None:
    assert {words.split()[0] for _, words in WORDS} >= {
        "run",
        "upgrade",
        "doctor",
        "backup",
        "restore",
        "rotate-key",
        "drain",
    }


TARGETS = set(re.findall(r"^\.PHONY: ([\w-]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", TEXTS)
def test_what_is_made_is_a_target(page: str) -> None:
    told = re.findall(r"(?:`|^ *|&& )make ([a-z][a-z-]*)", TEXTS[page], re.MULTILINE)
    assert [name for name in told if name not in TARGETS] == []


@pytest.mark.parametrize("page", TEXTS)
def test_what_is_asked_for_is_an_api(page: str) -> None:
    told = re.findall(r"curl [^\n`]*?/live/(\w+)", TEXTS[page])
    assert [name for name in told if name not in APIS.keys() | PAGE_APIS.keys()] == []
