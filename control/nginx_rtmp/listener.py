"""The internal socket: nginx's callbacks are read here, and whatever else comes goes on to uvicorn's own protocol.

nginx writes a callback in one way, a connection for each, its head and its body one after the other; so a look at the
bytes tells one. That costs a third of what a general HTTP server does, and a player waits for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from time import perf_counter
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from control.nginx_rtmp.callbacks import Answer, Callbacks
from control.nginx_rtmp.form import CALLS
from control.ops import metrics

LONGEST = 16 * 2**10  # bytes of a callback: a client's arguments are 255 at most, its other fields some KiB
_START = b"POST /rtmp/"
_HEAD = re.compile(
    rb"POST /rtmp/([A-Za-z0-9.-]+)/([A-Za-z0-9-]+)/([a-z_]+) HTTP/1\.([01])\r\n"
    rb"(?:(?!Content-Length:|Transfer-Encoding:)[^\r\n]*\r\n)*?"
    rb"Content-Length: ([0-9]{1,5})\r\n(?:(?!Content-Length:|Transfer-Encoding:)[^\r\n]+\r\n)*\r\n",
    re.IGNORECASE,
)
_ANSWERS = {
    status: b"HTTP/1.1 %d %b\r\nContent-Length: 0\r\n\r\n" % (status, HTTPStatus(status).phrase.encode())
    for status in (200, 400, 403, 500)
} | {204: b"HTTP/1.1 204 No Content\r\n\r\n"}
FAILED = Answer(500)


class CallbackProtocol(asyncio.Protocol):
    """One connection. It has what uvicorn's server wants of a protocol: `cycle` is None before the first request."""

    def __init__(
        self,
        callbacks: Callbacks,
        *,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._callbacks = callbacks
        self._otherwise: Callable[[], HttpToolsProtocol] = lambda: HttpToolsProtocol(
            config, server_state, app_state, _loop
        )
        self._state = server_state
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None
        self._ending = False
        self._begun = b""
        """Of a callback, the rest of which is to come."""
        self.cycle: object = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._state.connections.add(cast(Any, self))

    def connection_lost(self, failure: Exception | None) -> None:
        """nginx has gone; a verdict under way is finished all the same, since an end may be told for it."""
        self._state.connections.discard(self)

    def shutdown(self) -> None:
        """Once what is under way is answered."""
        self._ending = True
        if self._task is None and not self._begun:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self.cycle = self
        data, self._begun = self._begun + data, b""
        head = _HEAD.match(data) if self._task is None and len(data) <= LONGEST else None
        if self._task is None and _goes_on(data, head):
            self._begun = data
            return
        if head is None or len(data) - head.end() != int(head[5]) or (call := head[3].decode()) not in CALLS:
            return self._hand_over(data)
        node, start, keep = head[1].decode(), head[2].decode(), head[4] == b"1"
        body = data[head.end() :]
        answer: Answer | None = FAILED
        began = perf_counter()
        try:
            answer = self._callbacks.judge_at_once(call, node, start, body)
        finally:
            if answer is not None:
                self._answer(answer, keep)
                metrics.callback_seconds.since(call, began)
        if answer is None:
            judged = self._callbacks.judge(call, node, start, body)
            self._task = asyncio.create_task(self._answered(judged, keep, call, began))
            self._state.tasks.add(self._task)
            self._task.add_done_callback(self._state.tasks.discard)

    def _hand_over(self, data: bytes) -> None:
        """To uvicorn: a probe, an HLS question, or a callback in pieces."""
        self._state.connections.discard(self)
        other = self._otherwise()
        other.connection_made(self._transport)
        self._transport.set_protocol(other)
        other.data_received(data)

    async def _answered(self, judged: Coroutine[Any, Any, Answer], keep: bool, call: str, began: float) -> None:
        answer = FAILED
        try:
            answer = await judged
        finally:
            self._task = None
            self._answer(answer, keep)
            metrics.callback_seconds.since(call, began)

    def _answer(self, answer: Answer, keep: bool) -> None:
        if self._transport.is_closing():
            return  # whoever was waiting for it has gone
        self._transport.write(_redirect(answer.location) if answer.location else _ANSWERS[answer.status])
        if not keep or self._ending:
            self._transport.close()  # nginx-rtmp acts on an answer when its connection ends


def _redirect(location: str) -> bytes:
    return b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location.encode()


def _goes_on(data: bytes, head: re.Match[bytes] | None) -> bool:
    """Whether it is part of a callback as nginx writes it."""
    if len(data) > LONGEST:
        return False
    if head is not None:
        return len(data) - head.end() < int(head[5])
    return data.startswith(_START) and b"\r\n\r\n" not in data
