"""An RTMP client that says what it is told to say (RTMP specification 1.0, section 7.2)."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from . import amf, flv
from .chunks import COMMAND, SET_CHUNK_SIZE, Message
from .connection import STREAM_BEGIN, STREAM_EOF, WITHIN, Closed, Connection, Refused

__all__ = ["STREAM_BEGIN", "STREAM_EOF", "Client", "Closed", "Refused"]

_CHUNK_SIZE = 4096


class Client(Connection):
    """A publisher or a player, or something that should be neither."""

    def __init__(self) -> None:
        super().__init__()
        self.status: list[tuple[str, str]] = []
        """The (code, level) of each NetStatus received."""
        self.stream = 0
        """The message stream that publish, play and send use."""
        self._answers: dict[int, list[amf.Value]] = {}
        self._transaction = 0

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        app: str | bytes = "live",
        *,
        tc_url: str | bytes | None = None,
        swf_url: str | bytes = "",
        page_url: str | bytes = "",
        flashver: str | bytes = "FMLE/3.0 (compatible; FMSc/1.0)",
        connect_args: Mapping[str, amf.Value] | None = None,
        within: float = WITHIN,
    ) -> Self:
        """A connection to an application. `connect_args` adds fields to the connect object, or replaces them."""
        path = app.decode("utf-8", "surrogateescape") if isinstance(app, bytes) else app
        fields: dict[str, amf.Value] = {
            "app": app,
            "type": "nonprivate",
            "flashVer": flashver,
            "swfUrl": swf_url,
            "tcUrl": f"rtmp://{host}:{port}/{path}" if tc_url is None else tc_url,
            "pageUrl": page_url,
        }
        client = await cls.open(host, port, within=within)
        try:
            with _closed_is_refused():
                await client.write(Message(SET_CHUNK_SIZE, 0, _CHUNK_SIZE.to_bytes(4, "big")))
            await client._ask("connect", fields | dict(connect_args or {}), within=within)
        except BaseException:
            await client.close()
            raise
        return client

    async def create_stream(self, *, within: float = WITHIN) -> int:
        """Makes a message stream and uses it from now on. nginx-rtmp has one for each connection: 1."""
        *_, stream = await self._ask("createStream", None, within=within)
        if not isinstance(stream, float):
            raise ValueError(f"createStream was answered with {stream!r}")
        self.stream = int(stream)
        return self.stream

    async def publish(
        self, name: str | bytes, kind: str = "live", *, wait: bool = True, within: float = WITHIN
    ) -> None:
        """Asks to publish. Raises Refused when the server says no; with `wait` off it only asks."""
        await self._start("NetStream.Publish.Start", wait, within, "publish", name, kind)

    async def play(self, name: str | bytes, *, wait: bool = True, within: float = WITHIN) -> None:
        """Asks to play (-2: live or recorded, as players say it); otherwise like `publish`."""
        await self._start("NetStream.Play.Start", wait, within, "play", name, -2.0)

    async def close_stream(self) -> None:
        """Ends publishing or playing, not the connection. There may be no answer: `ping` tells when it is read."""
        await self.command("closeStream", 0, None, stream=self.stream)

    async def command(self, name: str, transaction: float, *values: amf.Value, stream: int = 0) -> None:
        """Sends any command, e.g. one that is out of place."""
        await self.write(Message(COMMAND, 0, amf.encode(name, transaction, *values), stream))

    async def send(self, tag: flv.Tag) -> None:
        """Sends one media or data message on the stream."""
        await self.write(Message(*tag, self.stream))

    async def stream_media(
        self, seconds: float | None = None, fps: int = 25, tags: Iterable[flv.Tag] | None = None
    ) -> None:
        """Sends `tags` (a still picture at `fps` by default) at their times, until `seconds` or the connection end."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        with contextlib.suppress(Closed):
            for tag in flv.still(fps) if tags is None else tags:
                if seconds is not None and tag.timestamp >= seconds * 1000:
                    return
                await asyncio.sleep(max(0.0, start + tag.timestamp / 1000 - loop.time()))
                await self.send(tag)

    async def _ask(self, name: str, *values: amf.Value, within: float) -> list[amf.Value]:
        self._transaction = transaction = self._transaction + 1
        with _closed_is_refused():
            await self.command(name, transaction, *values)
            await self.until(lambda: transaction in self._answers, within=within)
        verdict, *answer = self._answers.pop(transaction)
        if verdict != "_result":
            raise Refused(_info(answer)[0] or f"{name} failed")
        return answer

    async def _start(self, wanted: str, wait: bool, within: float, name: str, *values: amf.Value) -> None:
        known = len(self.status)

        def verdict() -> tuple[str, str] | None:
            return next((each for each in self.status[known:] if each[0] == wanted or each[1] == "error"), None)

        with _closed_is_refused():
            await self.command(name, 0, None, *values, stream=self.stream)
            if not wait:
                return
            await self.until(lambda: verdict() is not None, within=within)
        if (answer := verdict()) and answer[1] == "error":
            raise Refused(answer[0])

    def receive_command(self, body: bytes) -> None:
        """Keeps answers and NetStatus; other commands are dropped."""
        name, transaction, *values = amf.decode(body)
        if name == "onStatus":
            self.status.append(_info(values))
        elif name in ("_result", "_error") and isinstance(transaction, float):
            self._answers[int(transaction)] = [name, *values]


def _info(values: Iterable[amf.Value]) -> tuple[str, str]:
    """The (code, level) of an information object (7.2.1.1, 7.2.2), which comes last."""
    for value in reversed(list(values)):
        if isinstance(value, Mapping):
            return str(value.get("code", "")), str(value.get("level", ""))
    return "", ""


@contextlib.contextmanager
def _closed_is_refused() -> Iterator[None]:
    try:
        yield
    except Closed as error:
        raise Refused("closed") from error
