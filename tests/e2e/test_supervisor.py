"""The supervisor with both real nginx and a stand-in for control."""

import contextlib
import fcntl
import http.client
import os
import pty
import re
import signal
import socket
import subprocess
import termios
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from control.api import uploads
from control.api.bodies import BODY
from control.api.envelope import UPLOAD
from tests.e2e.ports import free_ports
from tests.e2e.stand_in import PARTS, Node, processes, until


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path, *free_ports(2))
    try:
        yield made
    finally:
        made.end()
        print(made.log.read_text() if made.log.exists() else "")


def test_all_parts_come_up_and_term_ends_them(node: Node) -> None:
    node.start().ready()
    pids = node.pids()
    assert all(processes(pid) for pid in pids.values())
    assert f":{node.settings.rtmp_port}/live\n" in node.out.read_text()
    node.process.send_signal(signal.SIGTERM)
    assert node.process.wait(10) == 0
    assert node.pids() == dict.fromkeys(PARTS, 0)
    assert not any(processes(pid) for pid in pids.values())
    assert not node.settings.sockets.exists()


def test_control_learns_who_asks_from_nginx_alone(node: Node) -> None:
    node.start().ready()
    status, seen = node.get()
    assert status == 200
    assert "'X-Forwarded-For': '127.0.0.1'" in seen and f"'Host': '127.0.0.1:{node.settings.http_port}'" in seen
    assert re.search(r"'X-Request-Id': '[0-9a-f]{32}'", seen)


def test_a_body_over_the_limit_is_refused_at_the_door(node: Node) -> None:
    node.start().ready()
    connection = http.client.HTTPConnection("127.0.0.1", node.settings.http_port, timeout=10)
    with contextlib.closing(connection):
        for api, most in {"Login": BODY, UPLOAD: uploads.BODY}.items():
            connection.putrequest("POST", f"/live/{api}")
            connection.putheader("Content-Length", str(most + 1))
            connection.endheaders()
            assert connection.getresponse().status == 413
            connection.close()


def test_a_request_waits_while_control_is_away(node: Node) -> None:
    node.start().ready()
    old = node.pid("control")
    node.hold()
    os.kill(old, signal.SIGKILL)
    new = node.new_pid("control", old)
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(node.get) for _ in range(5)]
        assert not any(one.done() for one in asked)
        node.let_go()
        assert [one.result()[0] for one in asked] == [200] * 5
    assert f"'pid': {new}" in asked[0].result()[1]


def test_a_control_that_cannot_be_reached_is_busy(node: Node) -> None:
    node.start().ready()
    node.settings.public_socket.unlink()
    connection = http.client.HTTPConnection("127.0.0.1", node.settings.http_port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/?ticket=s3cret")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert "s3cret" not in node.log.read_text()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_comes_back_alone(node: Node, part: str) -> None:
    node.start().ready()
    before, members = node.pids(), processes(node.pid(part))
    os.kill(before[part], signal.SIGKILL)
    node.new_pid(part, before[part])
    until(node.serves)
    after = node.pids()
    assert [name for name in PARTS if after[name] != before[name]] == [part]
    assert processes(before[part]) == []
    assert part == "control" or len(members) > 1


def test_each_life_of_the_rtmp_nginx_has_its_own_name(node: Node) -> None:
    node.start().ready()
    file = node.settings.run_dir / "rtmp.conf"
    first, old = file.read_text(), node.pid("rtmp")
    os.kill(old, signal.SIGKILL)
    node.new_pid("rtmp", old)
    names = [set(re.findall(r'X-Start "(\w+)"', text)) for text in (first, file.read_text())]
    assert names[0].isdisjoint(names[1])


def listening(port: int) -> str | None:
    """The inode of the socket that listens on a port."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
        if state == "0A" and int(local.partition(":")[2], 16) == port:
            return inode
    return None


def holds(pid: int, inode: str) -> bool:
    return any(os.readlink(fd) == f"socket:[{inode}]" for fd in Path(f"/proc/{pid}/fd").iterdir())


def test_each_nginx_listens_on_the_sockets_of_the_supervisor_that_are_its_own(node: Node) -> None:
    node.start().ready()
    text = (node.settings.run_dir / "rtmp.conf").read_text()
    owners = {node.settings.rtmp_port: "guard", node.settings.http_port: "web"}
    owners |= {
        int(port): "rtmp" for port in re.findall(r"(?:push rtmp://|listen )127.0.0.1:(\d+)(?:/hls| proxy_)", text)
    }
    assert len(owners) == 4
    for port, owner in owners.items():
        inode = listening(port)
        assert inode and holds(node.process.pid, inode)
        assert [part for part in PARTS if holds(node.pid(part), inode)] == [owner]


def test_no_rtmp_client_is_refused_while_its_nginx_restarts(node: Node) -> None:
    node.start().ready()
    old = node.pid("rtmp")
    os.kill(old, signal.SIGKILL)
    until(lambda: not processes(old))
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", node.settings.rtmp_port), 10) as client:
            client.sendall(b"\x03" + bytes(1536))
            assert client.recv(1) == b"\x03"
    assert node.new_pid("rtmp", old)


def test_hang_up_restarts_control_alone(node: Node) -> None:
    node.start().ready()
    before = node.pids()
    node.process.send_signal(signal.SIGHUP)
    node.new_pid("control", before["control"])
    until(node.serves)
    assert {**node.pids(), "control": 0} == {**before, "control": 0}
    assert processes(before["control"]) == []


def test_a_closed_terminal_ends_everything(node: Node) -> None:
    ours, theirs = pty.openpty()
    node.start(stdin=theirs, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(theirs)
    node.ready()
    os.close(ours)
    assert node.process.wait(10) == 0


def test_a_second_run_in_the_same_folder_is_refused(node: Node) -> None:
    node.start().ready()
    again = Node(node.folder, *free_ports(2))
    again.log = node.folder / "second"
    assert again.start().process.wait(10) == 1
    assert f"already running in {node.settings.data_dir} (pid {node.process.pid})" in again.log.read_text()
    assert node.serves()


@pytest.mark.parametrize("taken", ["HTTP_PORT", "RTMP_PORT"])
def test_a_taken_port_is_said(node: Node, taken: str) -> None:
    port = node.settings.http_port if taken == "HTTP_PORT" else node.settings.rtmp_port
    with socket.create_server(("", port)):
        assert node.start().process.wait(10) == 1
    assert f"port {port} is taken by another program; choose another: make run {taken}=" in node.log.read_text()


def test_a_control_that_does_not_come_up_is_said(node: Node) -> None:
    assert node.start("false").process.wait(20) == 1
    assert "error: not ready: control ended again and again" in node.log.read_text()


def test_nothing_outlives_a_killed_supervisor(node: Node) -> None:
    node.start().ready()
    pids = node.pids()
    node.process.kill()
    until(lambda: not any(processes(pid) for pid in pids.values()))
    node.process.wait()
    node.out.write_text("")
    node.start().ready()
    assert node.serves()


def test_a_stream_outlives_control_and_its_password_is_in_no_log(node: Node) -> None:
    node.start().ready()
    url = f"rtmp://127.0.0.1:{node.settings.rtmp_port}/live/101?pwd=s3cret"
    source = ["ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10"]
    source += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-t", "60", "-f", "flv", url]
    encoder = subprocess.Popen(source, stderr=subprocess.DEVNULL)
    try:
        until(lambda: [call for call in node.calls() if call.endswith("/update")])
        node.stream_age()  # control looks there too, and by that nginx learns how long its silence counts as yes
        until(lambda: "/grace" in node.calls())
        node.hold()
        old = node.pid("control")
        os.kill(old, signal.SIGKILL)
        node.new_pid("control", old)
        seen, age = len(node.calls()), node.stream_age()
        until(lambda: node.stream_age() > age + 4)  # two updates at least have gone unanswered, each after 2 s
        assert len(node.calls()) == seen
        node.let_go()
        until(lambda: [call for call in node.calls()[seen:] if call.endswith("/update")])
        assert encoder.poll() is None
    finally:
        encoder.terminate()
        encoder.wait()
    until(lambda: [call for call in node.calls() if call.endswith("/done")])
    node.process.terminate()
    node.process.wait(20)
    assert "s3cret" not in node.log.read_text()
    assert not [file for file in node.settings.data_dir.rglob("*") if file.is_file() and b"s3cret" in file.read_bytes()]
