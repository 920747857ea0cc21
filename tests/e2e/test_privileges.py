"""A node that root starts runs as a plain user."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Node, running
from tests.e2e.ports import free_ports
from tests.e2e.stand_in import PARTS, processes
from tests.e2e.test_tls import new_certificate

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(os.geteuid() != 0, reason="to become another user needs root")]
READ_ANY = 1 << 2  # CAP_DAC_READ_SEARCH


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def everybody(node: Node) -> list[dict[str, str]]:
    """What the kernel says of each process of a node."""
    pids = {each for part in PARTS for each in processes(node.pid(part))}
    return [status(pid) for pid in (*pids, node.pid("supervisor"))]


def rights(process: dict[str, str]) -> set[int]:
    return {int(process[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}


def is_closed(user: pwd.struct_passwd, path: str) -> bool:
    command = ["setpriv", "--reuid", user.pw_name, "--regid", str(user.pw_gid), "--init-groups", "test", "-r", path]
    return subprocess.run(command, check=False).returncode != 0


async def test_no_process_is_roots_nor_can_become_it(node: Node) -> None:
    user = pwd.getpwnam(node.settings.user)
    wanted = READ_ANY if is_closed(user, sys.executable) else 0  # a Python in root's home folder, as pyenv's
    for process in everybody(node):
        assert process["Uid"].split() == [str(user.pw_uid)] * 4
        assert process["Gid"].split() == [str(user.pw_gid)] * 4
        assert process["Groups"].split() == [str(user.pw_gid)]
        assert rights(process) == {wanted}
        assert process["NoNewPrivs"] == "1"


async def test_a_key_of_roots_is_read_by_the_supervisor_alone(tmp_path: Path) -> None:
    new_certificate(tmp_path)
    (tmp_path / "key.pem").chmod(0o600)
    https, rtmps = free_ports(2)
    files = {"tls_cert": str(tmp_path / "chain.pem"), "tls_key": str(tmp_path / "key.pem")}
    async with running(Node(tmp_path / "node", https_port=https, rtmps_port=rtmps, **files)) as node:
        user = pwd.getpwnam(node.settings.user)
        closed = is_closed(user, sys.executable)
        for part in PARTS:
            for pid in processes(node.pid(part)):
                assert int(status(pid)["CapEff"], 16) == (READ_ANY if closed else 0)
        assert int(status(node.pid("supervisor"))["CapEff"], 16) == READ_ANY


async def test_a_folder_that_was_roots_is_taken_over(node: Node) -> None:
    room = await node.room()
    assert node.stop() == 0
    for file in (node.settings.data_dir, *node.settings.data_dir.rglob("*")):
        os.chown(file, 0, 0)
    node.start()
    await node.ready()
    async with node.publisher(room.push):
        await node.live(room)


async def test_where_the_user_cannot_go_the_node_may_read_and_nothing_else(tmp_path: Path) -> None:
    """As in a checkout below root's home folder."""
    closed = tmp_path / "closed"
    node = Node(closed / "node")
    async with running(node):
        closed.chmod(0o700)
        assert node.stop() == 0
        node.start(open_folders=False)
        await node.ready()
        assert "the node may read any file" in node.log.read_text()
        for process in everybody(node):
            assert rights(process) == {READ_ANY}
            assert process["Uid"].split()[1] != "0"
        room = await node.room()
        async with node.publisher(room.push):
            await node.live(room)


async def test_nobody_else_on_the_machine_gets_at_control_or_nginx(node: Node) -> None:
    other = pwd.getpwnam("www-data")
    for folder in (node.settings.internal_socket, node.settings.workers[0].socket, node.settings.run_dir / "rtmp.conf"):
        assert is_closed(other, str(folder))
