"""What several nodes are started with under Compose: its file, and the balancer's."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from control.settings import PREFIX, Settings, from_env
from control.supervisor import nginx
from tests.support.containers import DOCKER, UID, compose

COMPOSE = compose("compose.cluster.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
NODES = {name: service for name, service in SERVICES.items() if name.startswith("node-")}
# TLS ends at the balancer, nodes have their guard, PROXY protocol before HTTP is not for them, none starts as root.
NOT_FOR_NODES = {"TLS_CERT", "TLS_KEY", "HTTPS_PORT", "RTMPS_PORT", "GUARD", "PROXY_PROTOCOL", "USER"}


def filled_in(value: object) -> str:
    """With the defaults of its variables."""
    return re.sub(r"\$\{[A-Z_0-9]+:-([^}]*)\}", r"\1", str(value))


# --- the compose file


@pytest.mark.parametrize("node", NODES)
def test_a_node_is_handed_every_setting_that_it_can_use(node: str) -> None:
    names = {each.name.upper() for each in fields(Settings)} - NOT_FOR_NODES
    assert NODES[node]["environment"].keys() == {PREFIX + name for name in names}


def test_a_node_begins_with_the_defaults_but_for_what_several_need() -> None:
    given = {name: filled_in(value) for name, value in NODES["node-1"]["environment"].items() if value is not None}
    settings = from_env(given)
    assert settings.node_rtmp_port not in (0, settings.rtmp_port) and settings.rtmp_proxy_protocol == "on"
    balancer = filled_in(SERVICES["balancer"]["networks"]["cluster"]["ipv4_address"])
    assert settings.proxies == [balancer]  # whose word about clients' addresses is believed
    assert (settings.http_port, settings.rtmp_port) == (Settings().http_port, Settings().rtmp_port)


def test_nodes_have_names_and_addresses_of_their_own() -> None:
    assert len(NODES) == 3
    for number, (name, service) in enumerate(NODES.items(), 1):
        env, address = service["environment"], service["networks"]["cluster"]["ipv4_address"]
        assert (env["QPLUS_NODE"], env["QPLUS_NODE_ADDRESS"]) == (name, address)
        assert SERVICES["balancer"]["environment"][f"NODE_{number}"] == address
    taken = [service["networks"]["cluster"]["ipv4_address"] for name, service in SERVICES.items() if name != "keys"]
    assert len(set(taken)) == len(taken)


def test_nodes_share_their_keys_and_nothing_else() -> None:
    volumes = [set(service["volumes"]) for service in (*NODES.values(), SERVICES["keys"])]
    assert set.intersection(*volumes) == {"keys:/var/lib/qplus/keys"}
    assert len(set.union(*volumes)) == 1 + len(NODES)


def test_only_the_balancer_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["balancer"]


def test_no_node_is_replaced_with_another_service() -> None:
    for service in SERVICES.values():
        assert service.get("depends_on", {}).keys() <= {"keys"}


def test_a_nodes_rtmp_nginx_may_have_the_stack_that_it_wants() -> None:
    for service in NODES.values():
        assert service["ulimits"]["stack"]["hard"] == nginx.RTMP_STACK
        assert all(f"uid={UID},gid={UID}" in each for each in service["tmpfs"] if not each.startswith("/tmp"))


# --- the balancer


def test_the_balancer_is_told_all_that_its_file_asks_for() -> None:
    text = (DOCKER / "balancer.cfg").read_text()
    asked = set(re.findall(r"\$\{(\w+)\}", text)) | set(re.findall(r"defined\((\w+)\)", text))
    assert asked == SERVICES["balancer"]["environment"].keys()
    for backend in ("rtmp", "http", "hls"):
        block = text.partition(f"\nbackend {backend}\n")[2].partition("\n\n")[0]
        assert re.findall(r"server (\S+) ", block) == list(NODES)
        assert block.count(" send-proxy") == (3 if backend == "rtmp" else 0)


HAPROXY = shutil.which("haproxy") or ""


@pytest.mark.skipif(not HAPROXY, reason="HAProxy is not installed; the image has it")
@pytest.mark.parametrize("tls", [False, True])
def test_the_balancer_takes_its_file(tmp_path: Path, tls: bool) -> None:
    env = {name: filled_in(value) for name, value in SERVICES["balancer"]["environment"].items() if value is not None}
    text = (DOCKER / "balancer.cfg").read_text()
    if tls:
        env["TLS_DIR"] = str(tmp_path)
        subject = ("-subj", "/CN=live.example", "-days", "1", "-nodes", "-newkey", "rsa:2048")
        files = ("-keyout", tmp_path / "site.pem.key", "-out", tmp_path / "site.pem")
        subprocess.run(["openssl", "req", "-x509", *subject, *files], check=True, capture_output=True)
        text = text.replace("/etc/haproxy/site.pem", str(tmp_path / "site.pem"))
    (tmp_path / "balancer.cfg").write_text(text)
    tried = subprocess.run([HAPROXY, "-c", "-f", tmp_path / "balancer.cfg"], env=env, capture_output=True, text=True)
    assert tried.returncode == 0 and "WARNING" not in tried.stderr, tried.stderr
