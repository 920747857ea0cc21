"""New code is loaded by a HUP to the supervisor, while players come as fast as they do."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.scenes import broadcast, nobody_was_cut, replaced, right
from tests.e2e.conftest import ROOT, Node, Room, running, until
from tests.rtmp.client import Client, Refused

pytestmark = [pytest.mark.anyio, pytest.mark.alone]  # joins are timed

RATE = 100  # joins a second
SECONDS = 6
SLOWEST = 3.0  # seconds that a join may take


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A node that runs from a copy of the code."""
    release = Node(tmp_path / "node")
    release.code = tmp_path / "release"
    for folder in ("control", "nginx"):
        shutil.copytree(ROOT / folder, release.code / folder)
    # Measured would be files that are gone by the time of the report.
    release.env = {name: value for name, value in release.env.items() if not name.startswith("COVERAGE_")}
    async with running(release) as started:
        yield started


async def said(node: Node) -> str:
    return (await node.http.get("/healthz")).text


def release_another(node: Node) -> None:
    file = node.code / "control" / "web" / "health.py"
    old = file.read_text()
    new = old.replace('"ok\\n"', '"ok, and newer\\n"')
    assert new != old
    file.write_text(new)


async def join(node: Node, room: Room, stay: AsyncExitStack) -> tuple[Client, float]:
    """Raises Refused. The player, who stays, and how many seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    player = await stay.enter_async_context(node.player(room.play))
    return player, loop.time() - began


async def crowd(node: Node, room: Room, stay: AsyncExitStack) -> list[tuple[Client, float]]:
    """Whoever comes does not wait for who came before."""
    joins = []
    start = asyncio.get_running_loop().time()
    for number in range(RATE * SECONDS):
        await asyncio.sleep(start + number / RATE - asyncio.get_running_loop().time())
        joins.append(asyncio.create_task(join(node, room, stay)))
    return await asyncio.gather(*joins)


@asynccontextmanager
async def deaf_webhook() -> AsyncIterator[str]:
    """The URL of one that takes what is posted and never answers."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        for writer in held:
            writer.close()
        server.close()


async def test_an_upgrade_waits_for_nothing_that_takes_long(tmp_path: Path) -> None:
    async with deaf_webhook() as url, running(Node(tmp_path / "node", notifier="webhook", webhook_url=url)) as node:
        room, old = await node.room(), node.pid("control")
        async with node.publisher(room.push, media=False) as dead, node.client() as encoder, AsyncExitStack() as stay:
            await dead.stream_media(seconds=0.5)
            await node.live(room)
            waiting = asyncio.create_task(encoder.publish(room.push, within=20))  # until it is known that one is dead
            asked = asyncio.create_task(node.http.post("/live/AuthCode", json={"phone": "13500000001"}))
            await asyncio.sleep(0.2)  # both are under way
            node.hang_up()
            await asyncio.sleep(0.3)
            joined = await asyncio.gather(*(join(node, room, stay) for _ in range(20)))
            await replaced(node, "control", old)
            assert max(seconds for _, seconds in joined) < SLOWEST
            assert (await asked).status_code == 503
            await asyncio.wait([waiting])
            assert waiting.exception() is None or isinstance(waiting.exception(), Refused)
        assert "Traceback" not in node.log.read_text()


async def test_code_that_does_not_load_takes_over_from_none(node: Node) -> None:
    old, file = node.pid("control"), node.code / "control" / "web" / "health.py"
    good = file.read_text()
    file.write_text("import nowhere_to_be_found\n")
    node.hang_up()

    async def refused() -> bool:
        return "new code does not load" in node.log.read_text()

    await until(refused)
    assert "No module named 'nowhere_to_be_found'" in node.log.read_text()
    assert await said(node) == "ok\n"
    assert node.pid("control") == old
    file.write_text(good)
    release_another(node)
    node.hang_up()
    await replaced(node, "control", old)
    assert await said(node) == "ok, and newer\n"


async def test_an_upgrade_under_a_hundred_joins_a_second_refuses_none_and_cuts_nobody(node: Node) -> None:
    waiting_room = await node.room()  # of a stream yet to begin: nobody has to send media to six hundred players
    async with broadcast(node) as (room, clients), AsyncExitStack() as stay:
        old = node.pid("control")
        assert await said(node) == "ok\n"
        joining = asyncio.create_task(crowd(node, waiting_room, stay))
        await asyncio.sleep(SECONDS / 3)
        release_another(node)
        node.hang_up()
        await replaced(node, "control", old)
        assert await said(node) == "ok, and newer\n"
        assert not joining.done()
        joined = await joining
        slowest = max(seconds for _, seconds in joined)
        print(f"{len(joined)} joins, {RATE} a second, the slowest after {slowest:.2f} s")
        assert slowest < SLOWEST
        await right(node, waiting_room, live=False, players=RATE * SECONDS)
        await right(node, room, live=True, players=3)
        assert nobody_was_cut([*clients, *(player for player, _ in joined)])
