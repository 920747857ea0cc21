"""The RTMP client's parts, and the client against a server that only refuses."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rtmp import amf, chunks, flv
from tests.rtmp.chunks import AUDIO, COMMAND, SET_CHUNK_SIZE, VIDEO, Message, Reader, Writer
from tests.rtmp.client import Client, Closed, Refused

keys = st.text(min_size=1, max_size=20)
scalars = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=50)
values = st.recursive(
    scalars,
    lambda inner: st.dictionaries(keys, inner, max_size=4) | st.dictionaries(keys, inner, max_size=4).map(amf.Array),
    max_leaves=8,
)
messages = st.builds(
    Message,
    st.sampled_from([AUDIO, VIDEO, COMMAND]),
    st.integers(0, 2**32 - 1) | st.sampled_from([0, 40, 0xFFFFFE, 0xFFFFFF, 0x1000000]),
    st.binary(max_size=600),
    st.integers(0, 2),
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@given(st.lists(values, max_size=5))
def test_amf_values_come_back(sent: list[amf.Value]) -> None:
    assert amf.decode(amf.encode(*sent)) == sent


def test_amf_matches_the_specification() -> None:
    assert amf.encode("live", 1.0, None, True, {"a": "b"}) == (
        b"\x02\x00\x04live"
        + b"\x00\x3f\xf0"
        + bytes(6)
        + b"\x05"
        + b"\x01\x01"
        + b"\x03\x00\x01a\x02\x00\x01b\x00\x00\x09"
    )


def test_amf_tells_an_array_from_an_object() -> None:
    assert [type(value) for value in amf.decode(amf.encode(amf.Array(a=1.0), {"a": 1.0}))] == [amf.Array, dict]


def test_amf_sends_raw_bytes_and_keeps_them() -> None:
    (text,) = amf.decode(amf.encode(b"\xff\r\n"))
    assert amf.encode(text) == b"\x02\x00\x03\xff\r\n"


@pytest.mark.parametrize("data", [b"\x00\x00", b"\x02\x00\x05abc", b"\x03\x00\x01a", b"\x11"])
def test_bad_amf_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="AMF0"):
        amf.decode(data)


def test_too_long_an_amf_string_is_an_error() -> None:
    with pytest.raises(ValueError, match="65535"):
        amf.encode("x" * 65536)


@given(st.lists(st.tuples(messages, st.sampled_from([3, 4, 64, 320])), max_size=8), st.integers(1, 300), st.data())
def test_messages_come_back_however_they_are_cut(
    sent: list[tuple[Message, int]], chunk_size: int, data: st.DataObject
) -> None:
    writer, reader = Writer(), Reader()
    resize = Message(SET_CHUNK_SIZE, 0, struct.pack(">I", chunk_size))
    wire = writer.encode(resize, 2) + b"".join(writer.encode(message, stream) for message, stream in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    parts = [wire[start:end] for start, end in pairwise([0, *cuts, len(wire)])]
    assert [message for part in parts for message in reader.feed(part)] == [resize, *(message for message, _ in sent)]


def test_headers_shrink_as_far_as_they_may() -> None:
    writer = Writer()
    sent = [Message(AUDIO, time, b"x" * size, 1) for time, size in [(0, 1), (20, 2), (40, 2), (50, 2), (60, 2), (5, 2)]]
    assert [writer.encode(message, 4)[0] >> 6 for message in sent] == [0, 1, 3, 2, 3, 0]


def test_every_chunk_repeats_an_extended_timestamp() -> None:
    wire = Writer().encode(Message(VIDEO, 0x01020304, bytes(129), 1), 6)
    assert wire[:16].hex() == "06ffffff000081090100000001020304"
    assert wire[16 + 128 :].hex() == "c60102030400"


def test_fmt_3_after_fmt_0_adds_the_timestamp() -> None:
    wire = Writer().encode(Message(AUDIO, 7, b"a", 1), 4) + b"\xc4b"
    assert Reader().feed(wire) == [Message(AUDIO, 7, b"a", 1), Message(AUDIO, 14, b"b", 1)]


def test_chunks_of_two_streams_may_interleave() -> None:
    audio = Writer().encode(Message(AUDIO, 0, b"a" * 200), 4)
    video = Writer().encode(Message(VIDEO, 0, b"v" * 200), 6)
    assert [len(each.body) for each in Reader().feed(audio[:140] + video[:140] + audio[140:] + video[140:])] == [
        200,
        200,
    ]


def test_an_aborted_message_is_forgotten() -> None:
    reader = Reader()
    assert reader.feed(Writer().encode(Message(AUDIO, 0, b"a" * 200), 4)[:140]) == []
    reader.feed(Writer().encode(Message(chunks.ABORT, 0, struct.pack(">I", 4)), 2))
    assert reader.feed(Writer().encode(Message(AUDIO, 0, b"b"), 4)) == [Message(AUDIO, 0, b"b")]


def test_a_message_inside_another_is_an_error() -> None:
    part = Writer().encode(Message(AUDIO, 0, b"a" * 200), 4)[:140]
    with pytest.raises(ValueError, match="inside another"):
        Reader().feed(part + part)


def test_still_media_keeps_its_times_in_order() -> None:
    for kind in (AUDIO, VIDEO):
        times = [tag.timestamp for tag in islice(flv.still(), 500) if tag.type == kind]
        assert times == sorted(times)
        assert times[-1] > 5000


def test_still_media_has_a_key_frame_each_second() -> None:
    pictures = [tag for tag in islice(flv.still(10), 200) if tag.type == VIDEO][1:]
    assert [tag.timestamp for tag in pictures if tag.body[0] == 0x17][:4] == [0, 1000, 2000, 3000]


def test_padding_makes_pictures_that_large() -> None:
    plain, padded = (
        [tag for tag in islice(flv.still(padding=size), 20) if tag.type == VIDEO][-1] for size in (0, 1000)
    )
    assert len(padded.body) == len(plain.body) + 1000 + 6


def test_tags_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.flv"
    tag = b"\x09\x00\x00\x03\x00\x00\x28\x01\x00\x00\x00abc" + b"\x00\x00\x00\x0e"
    path.write_bytes(b"FLV\x01\x05\x00\x00\x00\x09" + bytes(4) + tag * 2)
    assert flv.tags_from(path) == [flv.Tag(VIDEO, 0x01000028, b"abc")] * 2


def test_what_is_no_flv_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.flv"
    path.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match="no FLV"):
        flv.tags_from(path)


def test_endless_media_goes_on_where_a_round_ends() -> None:
    tags = [flv.Tag(VIDEO, time, b"") for time in (0, 0, 40, 80)]
    assert [tag.timestamp for tag in islice(flv.endless(tags), 8)] == [0, 0, 40, 80, 120, 120, 160, 200]
    assert list(flv.endless([])) == []


@asynccontextmanager
async def server(handshakes: bool) -> AsyncIterator[int]:
    """A port where a server shakes hands, or not, and closes after the client's next bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1537)
        if handshakes:
            writer.write(b"\x03" + bytes(3072))
            await reader.readexactly(1536)
            await reader.read(1)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


@pytest.mark.anyio
@pytest.mark.parametrize("handshakes", [False, True])
async def test_a_server_that_closes_has_refused(handshakes: bool) -> None:
    async with server(handshakes) as port:
        with pytest.raises(Refused) as refusal:
            await Client.connect("127.0.0.1", port)
    assert refusal.value.code == "closed"


@pytest.mark.anyio
async def test_a_wait_ends_in_time_and_the_client_still_works() -> None:
    async with server(handshakes=True) as port, await Client.open("127.0.0.1", port) as client:
        with pytest.raises(TimeoutError):
            await client.closed(within=0.01)
        with pytest.raises(Closed):
            await client.ping()
        await client.closed()
        with pytest.raises(Refused):
            await client.publish("a")


@pytest.mark.anyio
async def test_what_is_not_rtmp_is_an_error() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1537)
        writer.write(b"\x03" + bytes(3072) + Writer().encode(Message(COMMAND, 0, b"\x11"), 3))
        await reader.read()
        writer.close()

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        client = await Client.open("127.0.0.1", listening.sockets[0].getsockname()[1])
        await client.closed()
        with pytest.raises(ValueError, match="AMF0 type 17"):
            await client.close()
