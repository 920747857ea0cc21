"""What holds for all compose files and all images, as far as it can be judged without an engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from control import __version__
from tests.support.containers import DOCKER, ROOT, UID, built, compose, dockerfile, image, instructions

COMPOSE = {file: compose(file) for file in ("compose.yaml", "compose.cluster.yaml")}
SERVICES = [(file, name) for file, whole in COMPOSE.items() for name in whole["services"]]
BUILT = [(file, name) for file, whole in COMPOSE.items() for name in built(whole["services"])]
FILES = sorted({dockerfile(COMPOSE[file]["services"][name]) for file, name in BUILT})

# What Compose 1.29 and Compose 2 both take.
KEYS = {
    *("image", "build", "command", "depends_on", "environment", "ports", "volumes", "tmpfs", "restart", "read_only"),
    *("networks", "network_mode", "ulimits", "cap_drop", "security_opt", "mem_limit", "pids_limit", "shm_size"),
    *("logging", "init", "user", "profiles", "healthcheck", "stop_signal", "stop_grace_period"),
}

files = pytest.mark.parametrize("file", COMPOSE)
services = pytest.mark.parametrize(("file", "service"), SERVICES)


@files
def test_a_compose_file_is_for_old_and_new_versions(file: str) -> None:
    assert {key for key in COMPOSE[file] if not key.startswith("x-")} == {"services", "networks", "volumes"}
    for service in COMPOSE[file]["services"].values():
        assert service.keys() <= KEYS
        assert service.get("build", {}).keys() <= {"context", "dockerfile", "target"}
        assert service.get("healthcheck", {}).keys() <= {"test", "interval", "timeout", "start_period"}
    for found in re.findall(r"\$\{[^}]*\}", (DOCKER / file).read_text()):
        assert re.fullmatch(r"\$\{[A-Z0-9_]+:-[^${}]*\}", found), found


@services
def test_a_service_has_no_more_rights_than_it_needs(file: str, service: str) -> None:
    given: dict[str, Any] = COMPOSE[file]["services"][service]
    assert given["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert given["restart"] == ("no" if service == "keys" else "unless-stopped")
    assert {"mem_limit", "pids_limit"} <= given.keys()
    assert "build" in given or given["user"] in {"999:999", "65534:65534", "472:472"}


@pytest.mark.parametrize(
    ("file", "manual"), [("compose.yaml", "containers.md"), ("compose.cluster.yaml", "cluster.md")]
)
def test_every_variable_of_a_compose_file_is_in_the_manual(file: str, manual: str) -> None:
    names = set(re.findall(r"\$\{([A-Z_]+):-", (DOCKER / file).read_text()))
    text = (ROOT / "docs" / manual).read_text()
    assert {name for name in names if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("file", FILES)
def test_a_dockerfile_builds_anywhere(file: str) -> None:
    text = (DOCKER / file).read_text()
    assert not re.search(r"<<|--link|--start-interval|^# *syntax|^ADD|:latest|\bsudo\b", text, re.MULTILINE)
    for word, rest in instructions(file):
        if word == "FROM" and ":" in rest:
            assert rest.split()[0] in {"python:3.11-slim-bookworm", "debian:bookworm-slim"}
        if "apt-get install" in rest:
            assert "--no-install-recommends" in rest and "rm -rf /var/lib/apt/lists/*" in rest
        if "pip install" in rest or "python install" in rest:
            assert "--require-hashes" in rest and "--no-cache-dir" in rest
        if word in ("CMD", "ENTRYPOINT"):
            assert rest.startswith("[")


@pytest.mark.parametrize(("file", "service"), BUILT)
def test_an_image_ends_as_the_plain_user_and_can_be_asked_how_it_is(file: str, service: str) -> None:
    given = COMPOSE[file]["services"][service]
    made = image(given)
    last = dict(made)
    assert last["USER"] == f"{UID}:{UID}"
    assert last["STOPSIGNAL"] == "SIGTERM"  # nginx would take QUIT for a wish to wait until all streams have ended
    assert "HEALTHCHECK" in last
    assert f'org.opencontainers.image.version="{__version__}"' in last["LABEL"]
    assert f":-{__version__}}}" in given["image"]
    assert [rest for word, rest in made if word == "RUN" and f"useradd --uid {UID} --gid {UID}" in rest]


@pytest.mark.parametrize("file", FILES)
def test_what_an_image_copies_is_sent_to_the_engine(file: str) -> None:
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [rest.split()[:-1] for word, rest in instructions(file) if word == "COPY" and "--from" not in rest]
    for source in [Path(each) for sources in copied for each in sources]:
        assert (ROOT / source).exists()
        of_folder = any(pattern.startswith(f"{source}/") for pattern in sent)  # as much of it as is sent
        assert of_folder or any(source.match(each) or Path(each) in [source, *source.parents] for each in sent), source
