"""The RTMP client against a bare nginx-rtmp, with no control plane."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import islice
from pathlib import Path

import pytest

from tests.e2e.ports import free_ports
from tests.rtmp import flv
from tests.rtmp.chunks import VIDEO, Message
from tests.rtmp.client import STREAM_EOF, Client, Refused

HOST = "127.0.0.1"
MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not (MODULE.exists() and shutil.which("nginx")), reason="needs nginx with nginx-rtmp"),
]

CONFIG = """
load_module {module};
{user}
worker_processes 1;
pid nginx.pid;
error_log error.log info;
events {{ worker_connections 2048; }}
rtmp {{
    server {{
        listen 127.0.0.1:{port};
        application live {{ live on; }}
        application short {{ live on; idle_streams off; }}
        application hls {{ live on; hls on; hls_path {root}/hls; hls_fragment 1s; }}
        application shut {{ live on; on_publish http://127.0.0.1:{nobody}/; on_play http://127.0.0.1:{nobody}/; }}
    }}
}}
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port)):
        return True
    return False


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - files and processes of others have no event to wait for
            await asyncio.sleep(0.02)


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    port, nobody = free_ports(2)
    user = "user root;" if os.geteuid() == 0 else ""
    config = tmp_path / "nginx.conf"
    config.write_text(CONFIG.format(module=MODULE, user=user, port=port, nobody=nobody, root=tmp_path))
    arguments = ["-p", str(tmp_path), "-c", str(config), "-e", "error.log", "-g", "daemon off;"]
    process = await asyncio.create_subprocess_exec("nginx", *arguments, stderr=asyncio.subprocess.DEVNULL)
    try:
        await eventually(lambda: process.returncode is not None or listens(port))
        assert process.returncode is None, (tmp_path / "error.log").read_text()
        yield port
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def connect(port: int, app: str = "live") -> Client:
    client = await Client.connect(HOST, port, app)
    await client.create_stream()
    return client


@asynccontextmanager
async def on_air(port: int, name: str = "a", app: str = "live", padding: int = 0) -> AsyncIterator[Client]:
    async with await connect(port, app) as publisher:
        await publisher.publish(name)
        streaming = asyncio.create_task(publisher.stream_media(tags=flv.still(padding=padding)))
        try:
            yield publisher
        finally:
            streaming.cancel()
            await asyncio.wait([streaming])


async def more_media(player: Client) -> None:
    seen = player.media
    await player.until(lambda: player.media > seen + 5)


async def left(player: Client, times: int = 1) -> None:
    await player.until(lambda: player.events.count(STREAM_EOF) == times)


async def output_of(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode().strip()


async def test_a_player_gets_what_is_published(port: int) -> None:
    got: list[bytes] = []
    async with on_air(port, padding=100_000), await connect(port) as player:
        player.on_media = lambda message: got.append(message.body)
        await player.play("a?pwd=abcd")
        await more_media(player)
    assert ("NetStream.Play.Start", "status") in player.status
    assert set(got) <= {tag.body for tag in islice(flv.still(padding=100_000), 1000)}


async def test_times_beyond_24_bits_arrive(port: int) -> None:
    got: list[Message] = []
    header, *pictures = [tag for tag in islice(flv.still(padding=10_000), 30) if tag.type == VIDEO]
    async with await connect(port) as publisher, await connect(port) as player:
        player.on_media = got.append
        await publisher.publish("a")
        await player.play("a")
        await publisher.send(header)
        for picture in pictures:
            await publisher.send(picture._replace(timestamp=picture.timestamp + 0x1000000))
        await player.until(lambda: player.media == 1 + len(pictures))
    assert got[-1].timestamp == pictures[-1].timestamp + 0x1000000
    assert got[-1].body == pictures[-1].body


async def test_an_unknown_application_refuses(port: int) -> None:
    with pytest.raises(Refused):
        await Client.connect(HOST, port, "nothing")


async def test_a_denied_publish_or_play_is_a_closed_connection(port: int) -> None:
    async with await connect(port, "shut") as publisher, await connect(port, "shut") as player:
        with pytest.raises(Refused, match="closed"):
            await publisher.publish("a")
        with pytest.raises(Refused, match="closed"):
            await player.play("a")


async def test_an_unwaited_publish_can_be_seen_to_fail(port: int) -> None:
    async with await connect(port, "shut") as publisher:
        await publisher.publish("a", wait=False)
        await publisher.closed()
    assert publisher.status == []


async def test_a_second_publisher_is_refused_and_stays_connected(port: int) -> None:
    async with on_air(port), await connect(port) as second:
        with pytest.raises(Refused, match=r"NetStream\.Publish\.BadName"):
            await second.publish("a")
        await second.ping()


async def test_a_stream_that_is_not_there_is_refused(port: int) -> None:
    async with await connect(port, "short") as player:
        with pytest.raises(Refused, match=r"NetStream\.Play\.StreamNotFound"):
            await player.play("a")


async def test_two_plays_on_one_connection(port: int) -> None:
    async with on_air(port), await connect(port) as player:
        await player.play("a")
        await more_media(player)
        await player.play("b")
        await more_media(player)
    assert player.status == [("NetStream.Play.Start", "status")] * 2


async def test_a_closed_stream_can_be_published_again(port: int) -> None:
    async with await connect(port) as publisher, await connect(port) as player:
        await player.play("a")
        for end in (1, 2):
            await publisher.publish("a")
            await publisher.stream_media(0.2)
            await publisher.close_stream()
            await left(player, end)
    assert player.media > 10


async def test_a_reset_publisher_frees_its_name(port: int) -> None:
    async with await connect(port) as player, await connect(port) as heir:
        await player.play("a")
        async with on_air(port) as publisher:
            await more_media(player)
            publisher.abort()
            await left(player)
        await heir.publish("a")


@pytest.mark.parametrize("name", [b"", b"\r\nHost: x", b"\xff\xfe", "直播", "x" * 300])
async def test_any_name_can_be_sent(port: int, name: str | bytes) -> None:
    async with await connect(port) as publisher:
        await publisher.publish(name)


async def test_hls_of_still_media_decodes(port: int, tmp_path: Path) -> None:
    playlist = tmp_path / "hls" / "a.m3u8"
    async with on_air(port, app="hls"):
        await eventually(playlist.exists)
        decoded = await output_of(*f"ffmpeg -v error -i {tmp_path}/hls/a-0.ts -f framecrc -".split())
    lines = [line for line in decoded.splitlines() if not line.startswith("#")]
    assert [line[0] for line in lines].count("0") == 25
    assert "1" in {line[0] for line in lines}


async def test_the_tags_of_a_file_can_be_sent(port: int, tmp_path: Path) -> None:
    path = tmp_path / "a.flv"
    source = "-f lavfi -i testsrc=size=64x64:rate=25 -f lavfi -i sine -t 1"
    await output_of(*f"ffmpeg -v error {source} -c:v libx264 -c:a aac -ar 44100 {path}".split())
    async with await connect(port) as publisher, await connect(port) as player:
        await publisher.publish("a")
        await player.play("a")
        await publisher.stream_media(1.5, tags=flv.endless(flv.tags_from(path)))
        await player.until(lambda: player.media > 90)


async def test_five_hundred_players_fit_in_one_process(port: int) -> None:
    async with on_air(port), AsyncExitStack() as stack:
        players = await asyncio.gather(*(connect(port) for _ in range(500)))
        for player in players:
            await stack.enter_async_context(player)
        await asyncio.gather(*(player.play("a") for player in players))
        await asyncio.gather(*(more_media(player) for player in players))
