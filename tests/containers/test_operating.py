"""What an operator relies on: rights, logs, settings, addresses, backups."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.containers.stack import COMPOSE, CommandFailed, Stack, run
from tests.e2e.conftest import ROOT
from tests.rtmp.client import Refused

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SERVICES = ("control", "rtmp", "web")


async def writable(stack: Stack, service: str, *folders: str) -> list[str]:
    script = f"for each in {' '.join(folders)}; do touch $each/x 2>/dev/null && rm $each/x && echo $each; done; true"
    return (await stack.sh(service, script)).split()


async def test_no_container_has_more_rights_than_it_needs(stack: Stack) -> None:
    for service in SERVICES:
        status = await stack.sh(service, "cat /proc/1/status")
        assert re.search(r"^Uid:\s+10001\s+10001\s+10001\s+10001$", status, re.MULTILINE), service
        assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE), service
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE), service
        assert await writable(stack, service, "/", "/etc", "/opt/qplus", "/usr/lib") == []
        assert await stack.sh(service, "stat -c %a:%u /run/qplus") == "700:10001\n"
        assert int(await stack.inspect(service, "{{.HostConfig.Memory}}")) > 0
        assert int(await stack.inspect(service, "{{.HostConfig.PidsLimit}}")) > 0
    assert await writable(stack, "web", "/srv/hls", "/srv/snapshots", "/run/qplus") == []
    for_control = ["/var/lib/qplus", "/srv/snapshots", "/tmp"]
    assert await writable(stack, "control", "/srv/hls", *for_control) == for_control


async def test_the_check_from_outside_passes_again_on_the_same_data(stack: Stack) -> None:
    for _ in range(2):
        await run("tests/e2e/compose_check.sh", env=stack.shell)


async def test_no_build_tool_is_left_in_an_image(stack: Stack) -> None:
    for service in SERVICES:
        found = await stack.sh(
            service, "command -v gcc cc make strip ld uv || true; ls /opt/qplus/bin/pip* 2>/dev/null || true"
        )
        assert found == "", service


async def test_logs_are_structured_on_standard_output_and_hold_no_secret(stack: Stack) -> None:
    room = await stack.room()
    play = await stack.api("PlayLiveStream", sessionId=room.session, liveroomId=room.id, status=1)
    ticket = play["playRtmpUrl"].partition("ticket=")[2]
    async with stack.publisher(room.push), stack.player(f"{room.id}?ticket={ticket}"):
        await stack.live(room)
        await stack.http.get(play["playHlsUrl"])
        async with stack.client() as other:
            with pytest.raises(Refused):
                await other.publish(f"{room.id}?pwd=guessed-wrongly")
    await stack.off_air(room)
    lines = await stack.log_lines()
    assert {line["event"] for line in lines} >= {"control serves", "publisher let in", "publish refused"}
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    for service in SERVICES:
        out, err = await stack.logs(service)
        assert err == ""
        for secret in (room.anchor, room.user, room.session, ticket, "secret-1", "guessed-wrongly"):
            assert secret not in out


async def test_each_part_ends_in_order_when_told_to(stack: Stack) -> None:
    room = await stack.room()
    parts = {service: await stack.container(service) for service in SERVICES}
    async with stack.publisher(room.push) as publisher:
        await stack.live(room)
        await stack.compose("stop")
        await publisher.closed()
    for service, container in parts.items():
        assert (await run("docker", "inspect", "-f", "{{.State.ExitCode}}", container)).strip() == "0", service
    assert '"event": "control ended"' in await run("docker", "logs", parts["control"])


async def test_settings_reach_control_and_nginx_alike(stacks: Callable[..., Stack]) -> None:
    stack = stacks(QPLUS_NODE="ams-1", QPLUS_UPDATE_SECONDS="2", QPLUS_PUBLIC_URL="https://live.example")
    await stack.up()
    await stack.ready()
    rendered = await stack.sh("rtmp", "cat /tmp/nginx/rtmp.conf")
    assert "notify_update_timeout 2s;" in rendered and "/rtmp/ams-1/" in rendered
    room = await stack.room()
    async with stack.publisher(room.push):
        await stack.live(room)
    mine = await stack.api("GetMyLiveRoom", sessionId=room.session)
    assert mine["playHlsUrl"].startswith("https://live.example/hls/")
    assert mine["playRtmpUrl"].startswith(stack.rtmp + "/")


@pytest.mark.parametrize("setting", ["QPLUS_HTP_PORT=8080", "QPLUS_LOG_LEVEL=loud", "QPLUS_HTTP_PORT="])
async def test_a_setting_that_cannot_be_used_is_refused_by_name(stacks: Callable[..., Stack], setting: str) -> None:
    with pytest.raises(CommandFailed, match=rf": 2\n.*qplus: .*{setting.partition('=')[0]}"):
        await stacks().compose("run", "--rm", "-T", "--no-deps", "-e", setting, "control")


async def test_an_nginx_with_a_value_it_cannot_read_says_which(stacks: Callable[..., Stack]) -> None:
    with pytest.raises(CommandFailed, match=re.escape("error: letters, digits and .:/+-_ only: NODE")):
        await stacks().compose("run", "--rm", "-T", "--no-deps", "-e", "QPLUS_NODE=a;b", "rtmp")


@asynccontextmanager
async def neighbour() -> AsyncIterator[tuple[str, str, str]]:
    """Another machine, as far as the kernel is concerned: its name, its address, and ours as it sees us."""
    name, third = f"qplus{os.getpid()}", os.getpid() % 250
    theirs, ours = f"198.18.{third}.2", f"198.18.{third}.1"  # a range kept for tests (RFC 2544)
    inner, outer = f"qi{os.getpid()}", f"qo{os.getpid()}"
    try:
        await run("ip", "netns", "add", name)
        await run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
        await run("ip", "address", "add", f"{ours}/24", "dev", outer)
        await run("ip", "link", "set", outer, "up")
        for command in (("address", "add", f"{theirs}/24", "dev", inner), ("link", "set", inner, "up")):
            await run("ip", "-n", name, *command)
        yield name, theirs, ours
    finally:
        await run("ip", "netns", "delete", name)  # and the link with it


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ip"), reason="a network namespace needs root and iproute2")
async def test_a_publisher_on_another_machine_shows_its_own_address(stack: Stack) -> None:
    room = await stack.room()
    picture = ("-re", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10", "-c:v", "libx264", "-g", "10", "-f", "flv")
    async with neighbour() as (name, theirs, ours):
        url = f"rtmp://{ours}:{stack.settings.rtmp_port}/live/{room.push}"
        process = await asyncio.create_subprocess_exec(
            "ip", "netns", "exec", name, "ffmpeg", "-nostdin", "-loglevel", "error", *picture, url
        )
        try:
            await stack.live(room, within=10)
        finally:
            process.kill()
            await process.wait()
    let_in = next(line for line in await stack.log_lines() if line["event"] == "publisher let in")
    assert let_in["address"] == theirs


async def test_a_backup_made_as_the_manual_says_brings_all_back(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    backup, restore = commands("Backup")
    folder = tmp_path_factory.mktemp("backup")
    room = await stack.room(liveRoomName="kept")
    keys = await stack.sh("control", "cat /var/lib/qplus/keys/tickets")
    await by_hand(stack, backup, folder)
    await stack.room(liveRoomName="made later")
    await stack.compose("down", "-v")
    await by_hand(stack, restore, folder)
    await stack.ready()
    mine = await stack.api("GetMyLiveRoom", sessionId=room.session)
    assert (mine["status"], mine["liveRoomName"]) == (10000, "kept")
    assert await stack.sh("control", "cat /var/lib/qplus/keys/tickets") == keys
    found = await stack.api("SearchLiveStream", sessionId=room.session, keyword="made later")
    assert found["status"] == 10200


def commands(section: str) -> list[str]:
    """The blocks of commands in a section of docs/containers.md."""
    text = (ROOT / "docs" / "containers.md").read_text().partition(f"\n## {section}")[2].partition("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


async def by_hand(stack: Stack, script: str, folder: object) -> None:
    script = script.replace("docker compose", " ".join(COMPOSE)).replace("backup.tar", f"{folder}/backup.tar")
    await run("sh", "-euc", script, env=stack.shell)
