"""What the guard lets through to nginx-rtmp, and what it does not."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.e2e.ports import free_ports
from tests.rtmp import amf
from tests.rtmp.chunks import (
    ACKNOWLEDGEMENT,
    AUDIO,
    COMMAND,
    DATA,
    SET_CHUNK_SIZE,
    USER_CONTROL,
    VIDEO,
    Message,
    Writer,
)
from tests.support.guarded import (
    CHUNK_SIZE,
    CONNECT,
    CREATE,
    GREETING,
    LET_IN,
    PLAY,
    PUBLISH,
    Behind,
    Guarded,
    command,
    guarding,
    is_closed,
    wire,
)

PICTURE = Message(VIDEO, 0, bytes(6000), 1)
METADATA = Message(DATA, 0, amf.encode("@setDataFrame", "onMetaData", {}), 1)
BEFORE = [CHUNK_SIZE, CONNECT, command("releaseStream", None, "1"), command("FCPublish", None, "1"), CREATE]
CRASH = bytes.fromhex("03000000000011120000000002000a") + b"onMetaData" + bytes.fromhex("03000009")


@pytest.fixture(scope="module")
def shared() -> Iterator[Guarded]:
    with guarding() as started:
        yield started


@pytest.fixture
def guarded(shared: Guarded) -> Iterator[Guarded]:
    yield shared
    shared.close()


def refused(guarded: Guarded, good: bytes, bad: bytes) -> None:
    """Whether the one passes, and the other ends the connection and does not."""
    client, behind = passed(guarded, good)
    client.sendall(bad)
    assert is_closed(client)
    assert behind.ended.wait(5)
    assert behind.said == good


def passed(guarded: Guarded, sent: bytes) -> tuple[socket.socket, Behind]:
    client, behind = guarded.connect()
    client.sendall(sent)
    assert behind.wait_for(len(sent)) == sent
    return client, behind


def further(guarded: Guarded, before: list[Message], *messages: Message) -> None:
    """Likewise, of messages that come after others."""
    good = wire(*before)
    refused(guarded, good, wire(*before, *messages)[len(good) :])


# --- what is let through


@pytest.mark.parametrize("ask", [[PUBLISH, METADATA, PICTURE], [PLAY, Message(USER_CONTROL, 0, bytes(10))]])
@pytest.mark.parametrize("size", [1, 7, 130, 1 << 20])
def test_a_proper_client_passes_however_its_bytes_are_divided(guarded: Guarded, ask: list[Message], size: int) -> None:
    sent = wire(*BEFORE, *ask)
    client, behind = guarded.connect()
    client.sendall(GREETING)
    for at in range(len(GREETING), len(sent), size):
        client.sendall(sent[at : at + size])
    assert behind.wait_for(len(sent)) == sent


def test_the_address_of_the_client_is_told(guarded: Guarded) -> None:
    _, behind = passed(guarded, wire(CONNECT))
    assert behind.client == "127.0.0.1"
    client, behind = guarded.connect("::1")
    client.sendall(GREETING)
    behind.wait_for(len(GREETING))
    assert behind.client == "::1"


@pytest.mark.parametrize("held", [0, 5])
def test_a_publisher_that_was_let_in_is_left_alone(guarded: Guarded, held: int) -> None:
    """Also where the verdict comes in the middle of a header."""
    sent = wire(*BEFORE, PUBLISH)
    client, behind = guarded.connect()
    client.sendall(sent)
    behind.wait_for(len(sent))
    anything = random.Random(1).randbytes(300_000)
    begun = b"\x04\x00\x00\x00\x00"[:held]
    client.sendall(begun)
    behind.connection.sendall(LET_IN[:30])
    behind.connection.sendall(LET_IN[30:])
    received = b""
    while len(received) < len(LET_IN):
        received += client.recv(4096)
    client.sendall(anything)
    assert behind.wait_for(len(sent) + held + len(anything)) == sent + begun + anything


OBS = "obs-output module (libobs version 29.0.2)"
LIVE_ROOM = command("publish", None, "1000001?pwd=" + "x" * 60, "live", stream=1)


def metadata(encoder: amf.Value, **more: amf.Value) -> Message:
    return Message(DATA, 0, amf.encode("@setDataFrame", "onMetaData", {"width": 1280.0, **more, "encoder": encoder}), 1)


@pytest.mark.parametrize("before_the_verdict", [True, False])
@pytest.mark.parametrize("size", [7, 1 << 20])
@pytest.mark.parametrize("chunks", [[], [CHUNK_SIZE]])
def test_what_encodes_a_stream_is_told_once_it_is_let_in(
    guarded: Guarded, before_the_verdict: bool, size: int, chunks: list[Message]
) -> None:
    asked = [*chunks, CONNECT, CREATE, LIVE_ROOM]
    told = metadata(OBS, title="y" * 300)
    sent, all_of_it = wire(*asked, *[told] * before_the_verdict), wire(*asked, told, PICTURE)
    client, behind = passed(guarded, sent)
    assert guarded.encoder(1000001, within=0) is None
    let_in(client, behind)
    for at in range(len(sent), len(all_of_it), size):
        client.sendall(all_of_it[at : at + size])
    assert behind.wait_for(len(all_of_it)) == all_of_it
    assert guarded.encoder(1000001) == OBS


def test_metadata_may_come_in_one_piece_with_the_first_picture(guarded: Guarded) -> None:
    asked = [CHUNK_SIZE, CONNECT, CREATE, LIVE_ROOM]
    client, behind = passed(guarded, wire(*asked))
    let_in(client, behind)
    all_of_it = wire(*asked, metadata(OBS), Message(VIDEO, 0, bytes(50_000), 1))
    client.sendall(all_of_it[len(behind.said) :])
    assert behind.wait_for(len(all_of_it)) == all_of_it
    assert guarded.encoder(1000001) == OBS


@pytest.mark.parametrize(
    "said",
    [
        [metadata(None), metadata(OBS)],
        [Message(DATA, 0, amf.encode("onTextData", {"encoder": ""}), 1), PICTURE, metadata(OBS)],
        [Message(ACKNOWLEDGEMENT, 0, bytes(4)), metadata(OBS + "z" * 99)],
    ],
)
def test_metadata_need_not_come_first(guarded: Guarded, said: list[Message]) -> None:
    client, behind = passed(guarded, wire(CHUNK_SIZE, CONNECT, CREATE, LIVE_ROOM))
    let_in(client, behind)
    client.sendall(wire(CHUNK_SIZE, CONNECT, CREATE, LIVE_ROOM, *said)[len(behind.said) :])
    assert (guarded.encoder(1000001) or "").startswith(OBS)


@pytest.mark.parametrize(
    "said",
    [
        [command("play", None, "1000001"), metadata(OBS)],
        [Message(VIDEO, 0, bytes(20_000), 1), metadata(OBS)],
        [metadata(OBS, title="y" * 5000)],
        [Message(DATA, 0, b"", 1), Message(DATA, 0, b"\0\x07encoder\x02", 1)],
    ],
)
def test_a_publisher_is_left_alone_that_says_it_in_no_usual_way(guarded: Guarded, said: list[Message]) -> None:
    sent = wire(CHUNK_SIZE, CONNECT, CREATE, LIVE_ROOM)
    client, behind = passed(guarded, sent)
    let_in(client, behind)
    all_of_it = wire(CHUNK_SIZE, CONNECT, CREATE, LIVE_ROOM, *said, PICTURE, PICTURE)
    client.sendall(all_of_it[len(sent) :])
    assert behind.wait_for(len(all_of_it)) == all_of_it
    assert guarded.encoder(1000001, within=0) is None


def test_of_a_stream_without_a_number_nothing_is_told(guarded: Guarded) -> None:
    sent = [CONNECT, CREATE, command("publish", None, "../../x", "live", stream=1), metadata(OBS)]
    client, behind = passed(guarded, wire(*sent))
    let_in(client, behind)
    client.sendall(b"anything")
    behind.wait_for(len(wire(*sent)) + 8)
    assert list(guarded.encoders.iterdir()) == []


def let_in(client: socket.socket, behind: Behind) -> None:
    behind.connection.sendall(LET_IN)
    received = b""
    while len(received) < len(LET_IN):
        received += client.recv(4096)


def test_a_second_play_on_one_connection_passes_as_when_a_viewer_seeks(guarded: Guarded) -> None:
    passed(guarded, wire(CONNECT, CREATE, PLAY, PLAY, command("seek", None, 0.0), PLAY))


def test_a_player_tells_what_it_received(guarded: Guarded) -> None:
    received = [Message(ACKNOWLEDGEMENT, number, number.to_bytes(4, "big")) for number in range(40)]
    passed(guarded, wire(CONNECT, CREATE, PLAY, *received))


# --- what is not


def test_data_before_connect_ends_the_connection_and_not_nginx(guarded: Guarded) -> None:
    refused(guarded, GREETING, CRASH)


@pytest.mark.parametrize("kind", [DATA, 15, 16, 19, AUDIO, VIDEO, 22, 0, 2, 7, 21, 255])
@pytest.mark.parametrize("before", [[], [CONNECT], [CONNECT, CREATE, PLAY]])
def test_nobody_but_a_publisher_sends_media(guarded: Guarded, kind: int, before: list[Message]) -> None:
    refused(guarded, wire(*before), b"\x07\0\0\0\0\0\x04" + bytes([kind]) + bytes(8))


@pytest.mark.parametrize("name", ["createStream", "publish", "play", "PLAY", "onMetaData", "connec", "connect2", ""])
def test_connect_comes_first(guarded: Guarded, name: str) -> None:
    further(guarded, [], command(name, None, "1"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x02",
        b"\x02\0\x07conn",
        b"\x02\0\0",
        b"\x0c\0\0\0\x07connect",
        b"\x03\0\0\x09",
        b"\x02\x10\0" + bytes(4096),
        amf.encode("connect\0", 1, {"app": "live"}),
    ],
)
def test_a_command_without_a_name_is_none(guarded: Guarded, body: bytes) -> None:
    further(guarded, [], Message(COMMAND, 0, body))


@pytest.mark.parametrize("name", ["play\0", "publish\0x", "\0", "getStreamLength\0"])
def test_no_name_ends_earlier_for_nginx(guarded: Guarded, name: str) -> None:
    further(guarded, [CONNECT, CREATE], command(name, None, "1?pwd=x"))


@pytest.mark.parametrize("depth", [3000, 40_000])
@pytest.mark.parametrize("before", [[], [CONNECT], [CONNECT, CREATE, PLAY]])
def test_a_deeply_nested_value_is_too_long_to_pass(guarded: Guarded, depth: int, before: list[Message]) -> None:
    name = "connect" if not before else "createStream"
    nested = amf.encode(name, 1) + b"\x03" + b"\x00\x01a\x03" * depth
    further(guarded, before, Message(COMMAND, 0, nested))


def test_a_stranger_begins_no_long_message(guarded: Guarded) -> None:
    refused(guarded, wire(CONNECT), b"\x07\0\0\0\x10\0\0\x14\0\0\0\0" + bytes(128))


def test_messages_that_are_not_finished_cost_little(guarded: Guarded) -> None:
    """Of one who waits for a verdict, and may send media."""
    large = Message(SET_CHUNK_SIZE, 0, (65536).to_bytes(4, "big"))
    client, behind = passed(guarded, wire(large, CONNECT, CREATE, PUBLISH))
    with suppress(ConnectionError):
        for number in range(4, 32):
            client.sendall(bytes([number]) + b"\0\0\0\x10\0\0\x08\0\0\0\0" + bytes(65536))
    assert is_closed(client) and behind.ended.wait(5)
    assert len(behind.said) < 1 << 21


@pytest.mark.parametrize("size", [0, 1, 127, (1 << 20) + 1, 1 << 31])
def test_chunks_have_a_sensible_size(guarded: Guarded, size: int) -> None:
    further(guarded, [], Message(SET_CHUNK_SIZE, 0, size.to_bytes(4, "big")))


@pytest.mark.parametrize("before", [[], [CONNECT], [CONNECT, CREATE, PLAY]])
def test_chunks_never_become_smaller(guarded: Guarded, before: list[Message]) -> None:
    """nginx-rtmp then loses some of what it has read, and takes data for a header."""
    larger, smaller = (Message(SET_CHUNK_SIZE, 0, size.to_bytes(4, "big")) for size in (65536, 65535))
    further(guarded, [larger, *before], smaller)


@pytest.mark.parametrize("size", [0, 3, 5, 100])
def test_a_chunk_size_is_four_bytes(guarded: Guarded, size: int) -> None:
    further(guarded, [], Message(SET_CHUNK_SIZE, 0, (b"\0\0\x10\0" * 25)[:size]))


@pytest.mark.parametrize("first", [b"\x00\x01", b"\x01\x01\x01", b"\x20", b"\x3f"])
def test_chunk_streams_are_those_that_nginx_has(guarded: Guarded, first: bytes) -> None:
    refused(guarded, GREETING, first + bytes(16))


def test_no_message_begins_within_another_of_its_chunk_stream(guarded: Guarded) -> None:
    begun = wire(command("connect", "x" * 500))[: len(GREETING) + 12 + 128]
    refused(guarded, begun, CRASH)


def test_a_longer_time_is_read_as_nginx_reads_it(guarded: Guarded) -> None:
    """Four more bytes in each chunk. Who skipped them in the first alone would take data for a header."""
    late = Message(COMMAND, 0x1000000, amf.encode("connect", 1, {"app": "live", "x": "y" * 300}))
    client, _ = passed(guarded, wire(late, CREATE))
    client.sendall(CRASH)
    assert is_closed(client)


@pytest.mark.parametrize("second", [PUBLISH, PLAY, command("play2", None, {})])
def test_a_publisher_that_waits_for_its_verdict_asks_for_nothing_more(guarded: Guarded, second: Message) -> None:
    further(guarded, [*BEFORE, PUBLISH], second)


def test_a_player_does_not_publish(guarded: Guarded) -> None:
    further(guarded, [CONNECT, CREATE, PLAY], PUBLISH)


@pytest.mark.parametrize("again", [PLAY, command("Play2", None, {})])
def test_more_than_a_handful_of_plays_end_the_connection(guarded: Guarded, again: Message) -> None:
    further(guarded, [CONNECT, CREATE, PLAY, *[again] * 5], *[again] * 2000)


@pytest.mark.parametrize("before", [[CONNECT], [CONNECT, CREATE, PLAY]])
def test_a_flood_of_small_messages_ends_the_connection(guarded: Guarded, before: list[Message]) -> None:
    further(guarded, before, *[CREATE] * 1000)


def test_plays_are_given_back_with_time() -> None:
    """A viewer that watches for hours seeks now and then."""
    with guarding({"PLAYS_A_SECOND": 20}) as guarded:
        writer = Writer()
        client, behind = passed(guarded, wire(CONNECT, CREATE, *[PLAY] * 6))
        writer.encode(PLAY, 3)
        sent = len(behind.said)
        for _ in range(10):
            time.sleep(0.06)  # its clock is another process's, and cannot be handed in
            client.sendall(again := writer.encode(PLAY, 3))
            sent += len(again)
            behind.wait_for(sent)


@pytest.mark.parametrize("before", [[], [CONNECT], [CONNECT, CREATE, PLAY], [CONNECT, CREATE, PUBLISH]])
def test_who_has_said_enough_is_put_out(before: list[Message]) -> None:
    """It is kept until the connection ends, and small pieces cost more than they are."""
    with guarding({"KEPT": 20_000}) as guarded:
        client, behind = passed(guarded, wire(*before))
        with suppress(ConnectionError):
            client.sendall(b"\x03\0\0\0\0\x1f\0\x14\0\0\0\0\x02\0" + (b"\x07connect" if not before else b"\x04seek"))
            for _ in range(200):
                client.sendall(b"x")
                time.sleep(0.001)  # so that each arrives alone
        assert is_closed(client) and behind.ended.wait(5)


@pytest.mark.parametrize("said", [b"", GREETING[:100], GREETING, wire(CONNECT), wire(CONNECT, CREATE)])
def test_who_neither_publishes_nor_plays_in_time_is_put_out(said: bytes) -> None:
    """nginx-rtmp does it, on hearing what it cannot take for a handshake nor for a chunk."""
    with guarding({"DEADLINE": 0.2}) as guarded:
        client, behind = passed(guarded, said)
        assert behind.wait_for(len(said) + 3073 + 8192) == said + b"?" * (3073 + 8192)
        behind.connection.shutdown(socket.SHUT_RDWR)
        assert is_closed(client)
        staying, _ = passed(guarded, wire(CONNECT, CREATE, PLAY))
        staying.settimeout(0.6)
        assert not is_closed(staying)


def test_one_address_has_so_many_connections_and_no_more() -> None:
    with guarding(rtmp_per_address=3) as guarded:
        for _ in range(3):
            passed(guarded, wire(CONNECT))
        with socket.create_connection(("127.0.0.1", guarded.port), timeout=5) as fourth:
            assert is_closed(fourth)
        passed_from_elsewhere, _ = guarded.connect("::1")
        assert passed_from_elsewhere
        guarded.close()


def test_the_addresses_of_one_ipv6_network_count_as_one() -> None:
    """As a load balancer tells them, which is believed where it is named."""

    def is_let_in(guarded: Guarded, address: str) -> bool:
        client = socket.create_connection(("127.0.0.1", guarded.port), timeout=0.5)
        guarded.opened.append(client)
        client.sendall(f"PROXY TCP6 {address} ::1 5000 1935\r\n".encode() + wire(CONNECT))
        return not is_closed(client)

    with guarding(rtmp_per_address=2, rtmp_proxy_protocol="on", trusted_proxies="127.0.0.1") as guarded:
        assert [is_let_in(guarded, f"2001:db8:1:2:{host}::1") for host in ("a", "b", "c")] == [True, True, False]
        assert is_let_in(guarded, "2001:db8:1:3::1")
        # A /48 has four times as many, and another one its own.
        assert [is_let_in(guarded, f"2001:db8:1:{part}::1") for part in range(4, 10)] == [True] * 5 + [False]
        assert is_let_in(guarded, "2001:db8:2::1")


def test_other_nodes_come_without_proxy_protocol_to_a_port_of_their_own() -> None:
    (port,) = free_ports(1)
    several: dict[str, Any] = {"node_address": "127.0.0.1", "database_url": "postgresql://h/n", "node_rtmp_port": port}
    with guarding(rtmp_proxy_protocol="on", **several) as guarded:
        guarded.port = port
        _, behind = passed(guarded, wire(CONNECT))
        assert behind.client == "127.0.0.1"


def test_random_bytes_never_reach_nginx_before_connect(guarded: Guarded) -> None:
    chance = random.Random(7)
    for _ in range(200):
        client, behind = passed(guarded, GREETING)
        client.sendall(chance.randbytes(chance.choice([12, 40, 300])))
        client.shutdown(socket.SHUT_WR)
        assert is_closed(client) and behind.ended.wait(5)
        assert set(types(behind.said[len(GREETING) :])) <= {1, 3, 4, 5, 6}
        guarded.close()


def types(chunks: bytes) -> Iterator[int]:
    """Of messages with a whole header and one chunk each."""
    while len(chunks) >= 12:
        assert chunks[0] >> 6 == 0
        yield chunks[7]
        chunks = chunks[12 + int.from_bytes(chunks[4:7], "big") :]
