"""`control` is layered: a package imports only from itself and from packages to its left."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import Counter
from dataclasses import fields
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from control.live.presence import Session
from tests.support.layers import LAYERS

ROOT = Path(__file__).parents[2]
FILES = sorted(path for path in (ROOT / "control").rglob("*.py") if "versions" not in path.parts)
CATCH_ALL = {"ops/loops.py", "api/envelope.py"}  # a loop that must not die, and the top of a request


def name(path: Path) -> str:
    return path.relative_to(ROOT / "control").as_posix()


def package(path: Path) -> str:
    return name(path).split("/")[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Packages that a file imports from, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "control":
            found |= {alias.name for alias in node.names} - {"__version__"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("control."):
            found.add((node.module or "").split(".")[1])
    return found


@pytest.mark.parametrize("path", [path for path in FILES if package(path) in LAYERS], ids=name)
def test_a_package_imports_only_from_packages_to_its_left(path: Path) -> None:
    allowed = LAYERS[: LAYERS.index(package(path)) + 1]
    assert imported(path) <= set(allowed)


def test_every_file_belongs_to_a_layer() -> None:
    assert {package(path) for path in FILES} - {"__init__", "__main__"} == set(LAYERS)


def test_no_two_modules_share_a_name() -> None:
    names = Counter(path.stem for path in FILES if path.stem != "__init__")
    assert [stem for stem, times in names.items() if times > 1] == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", [path for path in FILES if name(path) not in CATCH_ALL], ids=name)
def test_nothing_catches_everything(path: Path) -> None:
    handlers = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ExceptHandler)]
    caught = {node.type.id for node in handlers if isinstance(node.type, ast.Name)}
    assert None not in [node.type for node in handlers]
    assert not caught & {"Exception", "BaseException"}


SESSION = {field.name for field in fields(Session)}


@pytest.mark.parametrize("path", [path for path in FILES if name(path) != "live/presence.py"], ids=name)
def test_only_presence_writes_a_session(path: Path) -> None:
    stores = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)]
    written = [node for node in stores if isinstance(node.ctx, ast.Store) and node.attr in SESSION]
    assert [node.attr for node in written if not (isinstance(node.value, ast.Name) and node.value.id == "self")] == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_constructors_of_more_than_three_arguments_are_keyword_only(path: Path) -> None:
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    constructors = [node for node in functions if node.name == "__init__"]
    assert [each.lineno for each in constructors if len(each.args.args) - 1 > 3] == []


WRITES = {"note", "ban", "void"}  # of what verdicts rest on


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_change_of_rights_is_announced_where_it_is_written(path: Path) -> None:
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.AsyncFunctionDef) and function.name != "load":
            calls = [ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(call in {f"self._rights.{write}" for write in WRITES} for call in calls):
                assert {"self._changes.write", "self._changes.writing"} & {*calls}, function.name


def test_every_package_that_is_imported_is_a_dependency() -> None:
    """What is installed with the wheel is all that there is in an empty environment."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    distributions = {re.split(r"[^\w-]", each)[0].lower().replace("_", "-") for each in project["dependencies"]}
    names = packages_distributions()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for module in {each.partition(".")[0] for each in modules} - sys.stdlib_module_names - {"control"}:
                assert {each.lower().replace("_", "-") for each in names[module]} & distributions, (
                    f"{name(path)}: {module}"
                )
