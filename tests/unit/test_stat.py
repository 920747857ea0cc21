from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from control.live.stream_info import StreamInfo
from control.nginx_rtmp import stat
from control.nginx_rtmp.stat import SeenClient, Snapshot, Stat, StatError
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio
# As an nginx-rtmp 1.2.2 wrote it, with a push to a second application beside it.
SAMPLE = """<?xml version="1.0" encoding="utf-8" ?>
<?xml-stylesheet type="text/xsl" href="stat.xsl" ?>
<rtmp><nginx_version>1.22.1</nginx_version><nginx_rtmp_version>1.1.4</nginx_rtmp_version><built>now</built>
<pid>7925</pid><uptime>12</uptime><naccepted>3</naccepted>
<bw_in>0</bw_in><bytes_in>88897</bytes_in><bw_out>0</bw_out><bytes_out>51683</bytes_out>
<server><application><name>live</name><live>
<stream><name>101</name><time>4797</time><bw_in>88000</bw_in>
<client><id>8</id><address>127.0.0.1</address><time>1126</time><flashver>LNX 9,0,124,2</flashver><dropped>0</dropped>
<avsync>-19</avsync><timestamp>4756</timestamp><active/></client>
<client><id>9</id><address>127.0.0.1:1936/hls</address><time>1126</time><flashver>ngx-local-relay</flashver>
<timestamp>4756</timestamp><active/></client>
<client><id>1</id><address>::1</address><time>4800</time><flashver>FMLE/3.0</flashver><timestamp>4797</timestamp>
<publishing/><active/></client>
<meta><video><width>160</width><height>90</height><frame_rate>15</frame_rate><codec>H264</codec></video>
<audio><codec>AAC</codec><profile>LC</profile></audio></meta>
<nclients>3</nclients><publishing/><active/></stream><nclients>3</nclients></live></application></server>
<server><application><name>hls</name><live><stream><name>101</name>
<client><id>11</id><address>127.0.0.1</address><publishing/><active/></client>
</stream></live></application></server></rtmp>
"""
CLIENT = "<client><id>1</id><timestamp>2</timestamp></client>"
Handler = Callable[[httpx.Request], httpx.Response]


def document(clients: str, pid: str = "<pid>1</pid>") -> str:
    application = f"<application><name>live</name><live><stream><name>101</name>{clients}</stream></live></application>"
    return f"<rtmp>{pid}<server>{application}</server></rtmp>"


def saying(body: str | bytes, status: int = 200, start: str | None = "s1") -> Handler:
    headers = {} if start is None else {"X-Start": start}
    return lambda request: httpx.Response(status, content=body, headers=headers)


async def read(handler: Handler) -> Snapshot:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url="http://nginx") as http:
        return await Stat(http, HandClock()).read()


async def test_clients_are_read_as_nginx_writes_them() -> None:
    seen = await read(saying(SAMPLE))
    assert (seen.start, seen.pid, seen.asked_at) == ("s1", 7925, HandClock().ticks())
    assert seen.clients == (
        SeenClient(8, "101", False, True, 4756, "127.0.0.1", "LNX 9,0,124,2", 1.126),
        SeenClient(9, "101", False, True, 4756, "127.0.0.1:1936/hls", "ngx-local-relay", 1.126),
        SeenClient(1, "101", True, True, 4797, "::1", "FMLE/3.0", 4.8, StreamInfo(88000, 160, 90, 15.0, "H264", "AAC")),
    )
    assert [client.is_relay for client in seen.clients] == [False, True, False]


async def test_a_publisher_without_media_is_not_active() -> None:
    (client,) = (await read(saying(document("<client><id>1</id><publishing/></client>")))).clients
    assert (client.publishing, client.active, client.timestamp) == (True, False, 0)


async def test_the_question_is_when_it_was_asked() -> None:
    clock = HandClock()

    def slow(request: httpx.Request) -> httpx.Response:
        clock.advance(1.5)
        return saying(SAMPLE)(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(slow), base_url="http://nginx") as http:
        assert (await Stat(http, clock).read()).asked_at == clock.ticks() - 1.5


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(saying(""), id="nothing"),
        pytest.param(saying("garbage"), id="garbage"),
        pytest.param(saying(b"\x00\xff\xfe"), id="bytes"),
        pytest.param(saying(SAMPLE[: len(SAMPLE) // 2]), id="truncated"),
        pytest.param(saying(SAMPLE.rstrip().removesuffix("</rtmp>")), id="truncated at the very end"),
        pytest.param(saying(SAMPLE + "more"), id="something after the end"),
        pytest.param(saying("<html>503</html>", 503), id="a page of an error"),
        pytest.param(saying(SAMPLE, 500), id="500"),
        pytest.param(saying(SAMPLE, 302), id="a redirect"),
        pytest.param(saying(SAMPLE, start=None), id="no start"),
        pytest.param(saying(document("<client><id>x</id></client>")), id="an id that is no number"),
        pytest.param(saying(document("<client><address>h</address></client>")), id="no id"),
        pytest.param(saying(document("<client><id>1</id><timestamp>x</timestamp></client>")), id="a wrong timestamp"),
        pytest.param(saying(document(CLIENT, "<pid>x</pid>")), id="a wrong pid"),
        pytest.param(saying("<rtmp><client><id>1</id></client></rtmp>"), id="a client outside of any stream"),
    ],
)
async def test_what_cannot_be_read_is_an_error(handler: Handler) -> None:
    with pytest.raises(StatError):
        await read(handler)


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("cut")])
async def test_an_nginx_that_cannot_be_asked_is_an_error(failure: Exception) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(StatError, match=type(failure).__name__):
        await read(fail)


async def test_an_nginx_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "nobody.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://nginx") as http:
        with pytest.raises(StatError, match="ConnectError"):
            await Stat(http, HandClock()).read()
    gc.collect()


@pytest.mark.parametrize("size", [1, 7, 1000, 65537])
async def test_clients_are_the_same_however_the_answer_is_cut(size: int) -> None:
    clients = "".join(f"<client><id>{number}</id><active/></client>" for number in range(3000))
    whole = document(clients).encode()

    async def cut() -> AsyncIterator[bytes]:
        for at in range(0, len(whole), size):
            yield whole[at : at + size]

    seen = await read(lambda request: httpx.Response(200, content=cut(), headers={"X-Start": "s1"}))
    assert [client.client for client in seen.clients] == list(range(3000))
    assert seen.pid == 1


def usual(number: int, flags: str = "", encoder: str = "LNX 9,0,124,2") -> str:
    """A client as nginx-rtmp writes it."""
    return (
        f"<client><id>{number}</id><address>192.0.2.7</address><time>1031</time><flashver>{encoder}</flashver>"
        f"<dropped>0</dropped><avsync>-1</avsync><timestamp>1440</timestamp>{flags}</client>\r\n"
    )


def of_streams() -> bytes:
    """Of four streams, one of which is another application's, and clients that are not as usual among them."""
    meta = "<meta><video><width>64</width><codec>H264</codec></video></meta>\r\n"
    first = usual(1) + usual(2, "<active/>") + usual(3, "<publishing/><active/>", "a &amp; b") + meta + usual(4)
    second = usual(5, "<publishing/>") + "<client><id>6</id></client>" + usual(7, encoder="") + meta
    streams = [
        f"<stream>\r\n<name>{name}</name>{each}</stream>"
        for name, each in (("101", first), ("102", second), ("", usual(8)))
    ]
    other = f"<application><name>hls</name><live><stream><name>101</name>{usual(9)}</stream></live></application>"
    live = f"<application><name>live</name><live>{''.join(streams)}</live></application>"
    return f"<rtmp><pid>1</pid><server>{live}</server><server>{other}</server></rtmp>".encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 200, 65537])
async def test_clients_are_read_as_a_parser_reads_them(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of_streams()
    monkeypatch.setattr(stat, "PIECE", size)
    seen = await read(saying(whole))
    monkeypatch.setattr(stat, "_USUAL", re.compile(rb"(?!)"))
    parsed = await read(saying(whole))
    assert [client.client for client in seen.clients] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert seen.clients == parsed.clients


async def test_looks_that_wait_at_the_same_time_are_one() -> None:
    asked = 0

    def count(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return saying(document(CLIENT))(request)

    clock = HandClock()
    async with httpx.AsyncClient(transport=httpx.MockTransport(count), base_url="http://nginx") as http:
        stat = Stat(http, clock)
        together = await asyncio.gather(*(stat.recent(0.3) for _ in range(100)))
        assert asked == 1 and all(each is together[0] for each in together)
        clock.advance(0.29)
        assert await stat.recent(0.3) is together[0]
        clock.advance(0.02)
        assert await stat.recent(0.3) is not together[0] and asked == 2
        latest = await stat.read()
        recent = await stat.recent(0.3)
        assert asked == 3 and recent.asked_at == latest.asked_at
        assert recent.clients == tuple(each for each in latest.clients if each.publishing)


async def test_all_who_wait_learn_of_a_failure_and_the_next_asks_anew() -> None:
    answers = [saying("", status=500), saying(document(CLIENT))]
    transport = httpx.MockTransport(lambda request: answers.pop(0)(request))
    async with httpx.AsyncClient(transport=transport, base_url="http://nginx") as http:
        stat = Stat(http, HandClock())
        failed = await asyncio.gather(*(stat.recent(0.3) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in failed] == [StatError] * 3
        assert (await stat.recent(0.3)).pid == 1


async def test_who_gives_up_waiting_takes_no_look_from_others() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(saying(document(CLIENT))), base_url="http://n") as http:
        stat = Stat(http, HandClock())
        hasty, patient = asyncio.create_task(stat.recent(0.3)), asyncio.create_task(stat.recent(0.3))
        await asyncio.sleep(0)
        hasty.cancel()
        assert (await patient).pid == 1


async def test_an_encoding_that_there_is_not_is_an_error() -> None:
    """Found by `make fuzz`."""
    with pytest.raises(StatError, match="unknown encoding"):
        await read(saying(SAMPLE.replace("utf-8", "t").encode()))
