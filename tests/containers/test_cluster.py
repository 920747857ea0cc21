"""Three nodes, PostgreSQL and a balancer in containers: one service, also when a node of it is killed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.containers.cluster import NAMES, Cluster
from tests.containers.stack import run
from tests.containers.test_operating import writable
from tests.e2e.conftest import Node, until
from tests.e2e.encoders import encoder
from tests.e2e.test_tls import new_certificate
from tests.e2e.workers import gets_media

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@pytest.fixture
async def clusters(images: None, tmp_path: Path) -> AsyncIterator[Callable[..., Cluster]]:
    """Makes them, not started yet; each is ended whatever happens."""
    made: list[Cluster] = []

    def make(**variables: str) -> Cluster:
        made.append(Cluster(tmp_path / "cluster", **variables))
        return made[-1]

    yield make
    for each in made:
        await each.end()


@pytest.fixture
async def cluster(clusters: Callable[..., Cluster]) -> Cluster:
    """Up, and all of it healthy."""
    started = clusters()
    await started.up()
    await started.ready()
    return started


async def hls(node: Node, path: str) -> bytes:
    """The last segment that is listed there, or nothing."""
    answer = await node.http.get(path)
    names = [line for line in answer.text.splitlines() if line.endswith(".ts")]
    if answer.status_code != 200 or not names:
        return b""
    return (await node.http.get(path.replace("index.m3u8", names[-1]))).content


async def test_it_passes_the_check_from_outside_with_no_more_rights_than_needed(cluster: Cluster) -> None:
    await run("tests/e2e/compose_check.sh", env=cluster.shell)
    for service in (*NAMES, "balancer", "postgres"):
        status = await cluster.sh(service, "cat /proc/1/status")
        for line in ("CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
            assert line in status, service
        assert "Uid:\t0" not in status
        assert await writable(cluster, service, "/", "/etc", "/usr/lib") == []
    for name in NAMES:
        assert await cluster.sh(name, "stat -c %a /var/lib/qplus/keys /run/qplus /srv/hls") == "700\n700\n700\n"
        assert (await cluster.logs(name))[1] == ""


async def test_a_room_is_one_room_at_every_node(cluster: Cluster) -> None:
    room = await cluster.room()
    async with encoder(f"{cluster.rtmp}/{room.push}", key_frames=1):
        await cluster.told(room, True, 0, cluster.members, within=15)
        for member in cluster.members:
            listed = await member.api("GetLiveRoomList", sessionId=room.session, type=1)
            assert [each["liveRoomId"] for each in listed["list"]] == [room.id]
            async with member.player(room.play) as player:
                await gets_media(player)
            urls = await member.api("PlayLiveStream", sessionId=room.session, liveroomId=room.id, status=1)
            path = "/hls/" + urls["playHlsUrl"].partition("/hls/")[2]
            segment = await until(partial(hls, member, path), 20)
            assert segment[:1] == b"G" and len(segment) % 188 == 0  # an MPEG transport stream
    home = await cluster.home(room)
    (let_in,) = [line for line in await cluster.lines(home.name) if line["event"] == "publisher let in"]
    assert let_in["address"] == f"{cluster.net}.1"  # ours, as the balancer tells it, and not the balancer's


async def test_a_publisher_goes_on_elsewhere_when_its_node_is_killed(cluster: Cluster) -> None:
    room = await cluster.room()
    async with cluster.publisher(room.push) as publisher:
        await cluster.told(room, True, 0, cluster.members, within=10)
        killed = await cluster.home(room)
        others = [member for member in cluster.members if member is not killed]
        async with others[0].player(room.play) as player:
            await gets_media(player)
            container = await cluster.kill(killed.name)
            await publisher.closed()
    async with cluster.publisher_again(room, within=10):
        await cluster.told(room, True, 0, others, within=15)
        assert await cluster.home(room) in others
        players = [others[0].player(room.play), others[1].player(room.play), cluster.player(room.play)]
        async with players[0] as first, players[1] as second, players[2] as through_the_balancer:
            await asyncio.gather(*map(gets_media, (first, second, through_the_balancer)))
            await cluster.told(room, True, 3, others, within=15)
            await run("docker", "start", container)
            await cluster.ready()
            await cluster.told(room, True, 3, cluster.members, within=15)


async def test_nodes_are_upgraded_one_after_the_other(cluster: Cluster) -> None:
    room = await cluster.room()
    cluster.variables["QPLUS_LOG_LEVEL"] = "debug"
    for name in NAMES:
        before = {each: await cluster.container(each) for each in (*NAMES, "balancer", "postgres")}
        await cluster.sh(name, "python -m control drain")
        await cluster.up("--no-deps", name)
        await cluster.ready()
        await cluster.sh(name, "python -m control drain --undo")
        after = {each: await cluster.container(each) for each in before}
        assert [each for each in before if before[each] != after[each]] == [name]
        async with cluster.publisher_again(room, within=10):
            await cluster.told(room, True, 0, cluster.members, within=15)
        await cluster.told(room, False, 0, cluster.members, within=15)


async def test_the_database_away_leaves_what_runs_and_lets_known_viewers_in(cluster: Cluster) -> None:
    room = await cluster.room()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(cluster.publisher(room.push))
        await cluster.told(
            room, True, 0, cluster.members, within=10
        )  # or a player would have come too early for its node
        player = await stack.enter_async_context(cluster.player(room.play))
        await gets_media(player)
        await cluster.told(room, True, 1, cluster.members, within=10)
        for member in cluster.members:
            async with member.player(room.play) as known:
                await gets_media(known)
        await cluster.compose("stop", "postgres")
        await gets_media(player)
        for each in (*cluster.members, cluster):
            async with each.player(room.play) as newcomer:
                await gets_media(newcomer)
        await cluster.compose("start", "postgres")
        await cluster.ready()
        await gets_media(player)
        await cluster.told(room, True, 1, cluster.members, within=15)


def certificate_for_containers(folder: Path) -> None:
    """Another user reads it there."""
    new_certificate(folder)
    folder.chmod(0o755)
    (folder / "key.pem").chmod(0o644)


async def test_tls_ends_at_the_balancer(clusters: Callable[..., Cluster], tmp_path: Path) -> None:
    certificate_for_containers(tmp_path)
    cluster = clusters(TLS_DIR=str(tmp_path))
    await cluster.up()
    await cluster.ready_with_tls(ssl.create_default_context(cafile=tmp_path / "chain.pem"))
    async with httpx.AsyncClient() as plain:
        redirected = await plain.get(f"http://127.0.0.1:{cluster.settings.http_port}/studio")
    https = cluster.shell["HTTPS_PORT"]
    assert (redirected.status_code, redirected.headers["location"]) == (308, f"https://127.0.0.1:{https}/studio")
    room = await cluster.room()
    async with encoder(f"rtmps://127.0.0.1:{cluster.shell['RTMPS_PORT']}/live/{room.push}", key_frames=1):
        await cluster.told(room, True, 0, cluster.members, within=15)
        urls = await cluster.api("PlayLiveStream", sessionId=room.session, liveroomId=room.id, status=1)
        assert urls["playHlsUrl"].startswith(f"https://127.0.0.1:{https}/hls/")
    certificate_for_containers(tmp_path)
    async with cluster.publisher(room.push) as publisher:
        await cluster.compose("kill", "-s", "USR2", "balancer")
        renewed = ssl.create_default_context(cafile=tmp_path / "chain.pem")

        async def seen() -> bool:
            try:
                async with httpx.AsyncClient(verify=renewed) as client:
                    return (await client.get(f"https://127.0.0.1:{https}/alive")).status_code == 204
            except httpx.TransportError:
                return False

        await until(seen, 10)
        assert not publisher.is_closed
