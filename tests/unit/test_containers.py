"""The files that the containers of one node are made of, as far as they can be judged without an engine."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from control.settings import PREFIX, Settings
from control.supervisor import nginx
from tests.support.containers import DOCKER, UID, built, compose

COMPOSE = compose("compose.yaml")
SERVICES: dict[str, dict[str, Any]] = built(COMPOSE["services"])
TLS = "/etc/qplus/tls"

# --- the compose file


def test_what_carries_streams_depends_on_nothing() -> None:
    assert [name for name, service in SERVICES.items() if "depends_on" in service] == ["control"]


def test_control_is_handed_every_setting_and_no_other() -> None:
    wanted = {PREFIX + each.name.upper() for each in fields(Settings)}
    wanted.remove(f"{PREFIX}USER")  # no container starts as root
    assert SERVICES["control"]["environment"].keys() == wanted


def test_what_nginx_needs_to_know_is_the_same_for_all() -> None:
    shared = COMPOSE["x-node"]
    for service in SERVICES.values():
        assert shared.items() <= service["environment"].items()
    for found in re.finditer(r"\$\{(?:QPLUS_)?(\w+):-(\w+)\}", str(shared)):
        assert found[2] == str(getattr(Settings(), found[1].lower()))


def test_a_folder_is_where_its_setting_says() -> None:
    folders = {COMPOSE["x-node"]["QPLUS_SOCKET_DIR"], COMPOSE["x-node"]["QPLUS_HLS_DIR"]}
    for service in SERVICES.values():
        mounted = {re.sub(r"^(\$\{.*\}|[a-z]+):|:ro$", "", volume) for volume in service["volumes"]}
        known = folders | {service["environment"].get("QPLUS_DATA_DIR"), TLS, COMPOSE["x-node"]["QPLUS_SNAPSHOT_DIR"]}
        assert mounted <= known and (mounted >= folders or service is SERVICES["guard"])


def test_clients_reach_the_rtmp_nginx_through_the_guard_alone() -> None:
    """Who else came to its port could claim any address."""
    networks = {name: service.get("networks", ["default"]) for name, service in SERVICES.items()}
    assert COMPOSE["networks"]["media"]["internal"] is True
    assert [name for name, joined in networks.items() if "media" in joined] == ["guard", "rtmp"]
    assert networks["rtmp"] == ["media"] and "ports" not in SERVICES["rtmp"]


def test_the_rtmp_nginx_has_as_much_stack_as_under_a_supervisor() -> None:
    assert SERVICES["rtmp"]["ulimits"] == {"stack": nginx.RTMP_STACK}
    assert f"ulimit -s {nginx.RTMP_STACK // 1024} " in (DOCKER / "nginx.sh").read_text()


def test_segments_belong_to_the_user_of_both_images() -> None:
    assert f"uid={UID},gid={UID}," in COMPOSE["volumes"]["hls"]["driver_opts"]["o"]


# --- the nginx files


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The script beside both files, as in an image."""
    for file in (DOCKER / "nginx.sh", *nginx.TEMPLATES.glob("*.conf"), *nginx.TEMPLATES.glob("*.js")):
        shutil.copy(file, tmp_path)
    return tmp_path


def printed(scripts: Path, part: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin:/bin", "TEMP_DIR": str(scripts), "QPLUS_SOCKET_DIR": str(scripts)} | settings
    return subprocess.run([scripts / "nginx.sh", "print", part], env=env, capture_output=True, text=True)


@pytest.mark.parametrize("part", ["guard", "rtmp", "web"])
def test_nginx_takes_what_a_container_makes_of_its_file(scripts: Path, part: str) -> None:
    made = printed(scripts, part)
    assert made.returncode == 0, made.stderr
    assert not nginx.PLACEHOLDER.search(made.stdout)
    file = scripts / "made.conf"
    file.write_text(made.stdout)
    tried = subprocess.run([*nginx.command(file), "-t"], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr


def test_only_placeholders_are_replaced(scripts: Path) -> None:
    text = 'return 404 "Off air.\\n"; "~\\.ts$" \\c \\\\ & | @a {A} $a\n'
    (scripts / "web.conf").write_text(text + "@{HTTP_PORT}@{HTTP_PORT}\n")
    assert printed(scripts, "web").stdout == text + "80808080\n"


def test_the_script_has_a_value_for_every_placeholder_and_no_other() -> None:
    wanted = {name for file in nginx.TEMPLATES.glob("*.conf") for name in nginx.PLACEHOLDER.findall(file.read_text())}
    assert set(re.findall(r"^([A-Z0-9_]+)=", (DOCKER / "nginx.sh").read_text(), re.MULTILINE)) == wanted


def test_settings_stand_where_they_belong(scripts: Path) -> None:
    text = printed(scripts, "rtmp", QPLUS_NODE="ams-1", QPLUS_UPDATE_SECONDS="7", QPLUS_RTMP_PORT="1940").stdout
    assert f"on_publish http://unix:{scripts}/internal.sock:/rtmp/ams-1/" in text
    assert "notify_update_timeout 7s;" in text
    assert "listen 1940 " in printed(scripts, "guard", QPLUS_RTMP_PORT="1940").stdout
    assert "listen 81 " in printed(scripts, "web", QPLUS_HTTP_PORT="81").stdout


def test_each_start_has_its_own_name(scripts: Path) -> None:
    names = [re.findall(r'X-Start "([0-9a-f]{16})"', printed(scripts, "rtmp").stdout) for _ in range(2)]
    assert len(names[0]) == 1 and names[0] != names[1]


def test_a_placeholder_without_a_value_is_said(scripts: Path) -> None:
    with (scripts / "web.conf").open("a") as file:
        file.write("# @{NEW} @{OTHER}\n")
    made = printed(scripts, "web")
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr == "error: web.conf: no value for @{NEW} @{OTHER}\n"


@pytest.mark.parametrize("value", ["a b", "a;b", "a|b", "a\nb", "$a", '"', "a&b"])
def test_a_value_that_nginx_could_take_for_more_is_refused(scripts: Path, value: str) -> None:
    made = printed(scripts, "rtmp", QPLUS_NODE=value)
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr.startswith("error: letters, digits and .:/+-_ only:")


@pytest.mark.parametrize("arguments", [[], ["print"], ["print", "mail"], ["mail"], ["rtmp", "-t"]])
def test_anything_else_is_answered_with_the_usage(arguments: list[str]) -> None:
    tried = subprocess.run([DOCKER / "nginx.sh", *arguments], capture_output=True, text=True)
    assert tried.returncode == 1
    assert tried.stderr.startswith("error: usage: ")


# Prints of each inherited socket its address, and whether it listens, has TCP_NODELAY and blocks.
INHERITED = """
import os, socket
for fd in map(int, os.environ["NGINX"].split(";")[:-1]):
    listener = socket.socket(fileno=fd)
    listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    nodelay = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    print(listener.getsockname()[0], listens, nodelay, os.get_blocking(fd))
"""


def test_the_rtmp_nginx_of_a_container_inherits_its_listeners() -> None:
    command = ["perl", str(DOCKER / "listen.pl"), "0", "0", "0", sys.executable, "-c", INHERITED]
    tried = subprocess.run(command, capture_output=True, text=True)
    assert (tried.stdout, tried.stderr) == ("0.0.0.0 1 1 False\n" + 2 * "127.0.0.1 1 1 False\n", "")


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        tried = subprocess.run(
            ["perl", DOCKER / "listen.pl", str(port), "0", "0", "true"], capture_output=True, text=True
        )
    assert tried.returncode != 0
    assert tried.stderr == f"port {port}: Address already in use\n"
