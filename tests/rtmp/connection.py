"""The wire under the client: handshake, reading, writing and waiting (RTMP specification 1.0, 5.2 and 7.1.7)."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .chunks import AUDIO, COMMAND, DATA, SET_CHUNK_SIZE, USER_CONTROL, VIDEO, Message, Reader, Writer

WITHIN = 10.0
"""Seconds that a wait lasts by default; then it raises TimeoutError."""

# User control events (7.1.7).
STREAM_BEGIN, STREAM_EOF, PING, PONG = 0, 1, 6, 7

_CHUNK_STREAMS = {SET_CHUNK_SIZE: 2, USER_CONTROL: 2, COMMAND: 3, AUDIO: 4, DATA: 5, VIDEO: 6}
_LINE = 1536
_READ = 8192


class Closed(ConnectionError):
    """The connection ended while, or before, something was waited for."""


class Refused(ConnectionError):
    """The server answered a request with an error, or by closing the connection."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        """The NetStatus code; "closed" when there was none."""


class Connection(asyncio.BufferedProtocol):
    """A connection after the handshake. It parses what comes as it comes, counts the media and drops it.

    Use it as an async context. Every wait takes `within`, in seconds, and raises TimeoutError after that.
    """

    def __init__(self) -> None:
        self.media = 0
        """How many audio and video messages have come."""
        self.on_media: Callable[[Message], None] | None = None
        self.events: list[int] = []
        """The user control events received, e.g. STREAM_EOF when the publisher has left."""
        self.is_closed = False
        self._transport: asyncio.Transport
        self._buffer = memoryview(bytearray(_READ))
        self._greeting = b""
        self._incoming = Reader()
        self._outgoing = Writer()
        self._writable = asyncio.Event()
        self._error: Exception | None = None
        self._pinged = 0
        self._ponged = 0
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    @classmethod
    async def open(cls, host: str, port: int, *, within: float = WITHIN) -> Self:
        """A connection after the handshake that has said nothing yet. asyncio sets TCP_NODELAY."""
        async with asyncio.timeout(within):
            _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        try:
            await connection.until(connection._is_greeted, within=within)
        except BaseException as error:
            await connection.close()
            if isinstance(error, Closed):
                raise Refused("closed") from error
            raise
        return connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def until(self, ready: Callable[[], bool], *, within: float = WITHIN) -> None:
        """Waits until `ready` holds, asked again after each thing received. Raises Closed if it no longer can."""
        if ready():
            return
        if self.is_closed:
            raise Closed from self._error
        waiter = (ready, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(within):
                await waiter[1]
        finally:
            self._waiters.remove(waiter)

    async def closed(self, *, within: float = WITHIN) -> None:
        """Waits until the server has closed the connection."""
        await self.until(lambda: self.is_closed, within=within)

    def stall(self) -> None:
        """Reads no more, so that the server's sending comes to a halt; its closing then goes unseen."""
        self._transport.pause_reading()

    def abort(self) -> None:
        """Resets the connection (RST) instead of closing it."""
        peer: socket.socket = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # The server may have been first.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    async def close(self) -> None:
        """Closes the connection; what a stalled server has not taken yet is thrown away.

        Raises ValueError when the server had sent something that is not RTMP.
        """
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        self._transport.close()
        await self.closed()
        if isinstance(self._error, ValueError):
            raise self._error

    async def ping(self, *, within: float = WITHIN) -> None:
        """Returns once the server has read all that was sent before."""
        self._pinged = mine = self._pinged + 1
        await self.write(Message(USER_CONTROL, 0, struct.pack(">HI", PING, mine)))
        await self.until(lambda: self._ponged >= mine, within=within)

    async def write(self, message: Message) -> None:
        """Sends one message, of any kind. Raises Closed when there is nobody to send it to."""
        if not self._transport.is_closing():
            self._write(message)
            if not self._writable.is_set():
                async with asyncio.timeout(WITHIN):
                    await self._writable.wait()
        if self._transport.is_closing():
            raise Closed from self._error

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends C0 and C1 (5.2); a zero version in C1 asks for the plain handshake, without digests."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._writable.set()
        transport.write(b"\x03" + bytes(_LINE))

    def get_buffer(self, sizehint: int) -> memoryview:
        """One buffer for all reads: asyncio's own is a new quarter of a megabyte each time."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Takes the handshake's answer, then messages."""
        data = bytes(self._buffer[:nbytes])
        if not self._is_greeted():
            data = self._greet(data)
        for message in self._incoming.feed(data):
            self._receive(message)
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Ends all waits."""
        self.is_closed = True
        self._error = error
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        """Holds writers back."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Lets them go on."""
        self._writable.set()

    def _is_greeted(self) -> bool:
        return len(self._greeting) == 1 + 2 * _LINE

    def _greet(self, data: bytes) -> bytes:
        """Collects S0, S1 and S2, answers S1 with C2, and leaves what follows."""
        missing = 1 + 2 * _LINE - len(self._greeting)
        self._greeting += data[:missing]
        if self._is_greeted():
            self._transport.write(self._greeting[1 : 1 + _LINE])
        return data[missing:]

    def _write(self, message: Message) -> None:
        self._transport.write(self._outgoing.encode(message, _CHUNK_STREAMS.get(message.type, 3)))

    def _receive(self, message: Message) -> None:
        if message.type in (AUDIO, VIDEO):
            self.media += 1
            if self.on_media is not None:
                self.on_media(message)
        elif message.type == COMMAND:
            self.receive_command(message.body)
        elif message.type == USER_CONTROL:
            self._receive_event(message.body)

    def receive_command(self, body: bytes) -> None:
        """What to do with a command; nothing here."""

    def _receive_event(self, body: bytes) -> None:
        event, value = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:6], "big")
        self.events.append(event)
        if event == PONG:
            self._ponged = value
        elif event == PING:
            self._write(Message(USER_CONTROL, 0, struct.pack(">HI", PONG, value)))

    def _wake(self) -> None:
        for ready, future in self._waiters:
            if future.done():
                continue
            if ready():
                future.set_result(None)
            elif self.is_closed:
                future.set_exception(Closed())
