"""The files in `docker/`, read for tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
UID = "10001"

Instruction = tuple[str, str]


def compose(file: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / file).read_text())
    return loaded


def built(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Those with an image of ours."""
    return {name: service for name, service in services.items() if "build" in service}


def dockerfile(service: dict[str, Any]) -> str:
    """Its name in `docker/`."""
    return str(service["build"]["dockerfile"]).removeprefix("docker/")


def instructions(file: str) -> list[Instruction]:
    text = re.sub(r"^#.*\n", "", (DOCKER / file).read_text(), flags=re.MULTILINE).replace("\\\n", "")
    return [(line.split()[0], line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


def image(service: dict[str, Any]) -> list[Instruction]:
    """The instructions that make a service's image: those of its target, or of the last stage."""
    made = list(_stages(dockerfile(service)))
    ends = f" AS {service['build'].get('target')}"
    return next((stage for stage in made if any(rest.endswith(ends) for _, rest in stage)), made[-1])


def _stages(file: str) -> Iterator[list[Instruction]]:
    """Each stage with what it inherits from one before."""
    named: dict[str, list[Instruction]] = {}
    stage: list[Instruction] = []
    for word, rest in instructions(file):
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stage = [*named.get(base, [])]
            named[name] = stage
        stage.append((word, rest))
    yield from named.values()
