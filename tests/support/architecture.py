"""docs/architecture.md, made from the first sentence of each module of `control`.

.venv/bin/python -m tests.support.architecture
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.layers import LAYERS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
HEAD = """\
# Architecture

A line on each module of `control/`, from the lowest layer to the highest: a module imports only from its own package
and from what stands above it here, which a test holds. How a request, a page and a callback go through them is in
[developing it](develop.md); the words are in the [glossary](glossary.md).

`make docs` makes this page from the first sentence of each file; change it there.

"""


def summary(file: Path) -> str:
    """The first sentence of its docstring. Raises ValueError where there is none."""
    text = ast.get_docstring(ast.parse(file.read_text()))
    if not text:
        raise ValueError(f"{file}: no docstring")
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=\.) ", paragraph)[0]


def lines() -> Iterator[str]:
    control = ROOT / "control"
    for layer in LAYERS:
        if (control / f"{layer}.py").exists():
            yield f"- `{layer}.py`: {summary(control / f'{layer}.py')}"
            continue
        yield f"- `{layer}/`: {summary(control / layer / '__init__.py')}"
        for file in sorted((control / layer).glob("*.py")):
            if file.stem != "__init__":
                yield f"  - `{file.name}`: {summary(file)}"


def page() -> str:
    return HEAD + "\n".join(lines()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
