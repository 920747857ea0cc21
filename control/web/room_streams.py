"""The events of rooms' pages: how the room is, and its chat. What goes out to many is encoded once, and readers are
told some at a time, so that nothing else waits for a thousand of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from control.api.chats import message_object
from control.api.envelope import address_of
from control.api.services import Services
from control.chat.room_chat import Message, RoomChat
from control.clock import Ticks
from control.ops import metrics
from control.refusals import Refusal
from control.storage.changes import Change, Changed
from control.web.events import RETRY_MS, STREAM, event
from control.web.page_api import caller_of

LOOK = 0.25  # seconds between two looks for what is new
CHECK = 5.0  # seconds after which it is asked again whether a reader may read on
SILENCE = 15.0  # seconds without a word, after which a comment shows that the connection lives
SOME = 2  # readers that are told before others have their turn
MANY = 500  # likewise, readers that are looked at
BEHIND = 200  # events of a chat; a reader who has missed more is given up, and begins anew
LATEST = 50  # messages for who comes
CHANGES = (Changed.ROOM, Changed.BANS, Changed.TICKETS, Changed.ACCOUNT)
NEVER = Ticks(-inf)


@dataclass(slots=True, eq=False)
class Reader:
    checked: Ticks
    spoken: Ticks
    shown: bytes
    """The room's state as it was told last."""
    position: int | None
    """How many of the chat's events were told; None for one who may not read it."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Channel:
    """What the readers of one room share."""

    def __init__(self, room_id: int) -> None:
        self.room_id = room_id
        self.readers: dict[Reader, None] = {}
        self.now: tuple[bool, int] | None = None
        self.state = b""
        self.end = 0
        """How many events of the chat there were."""
        self._events: deque[bytes] = deque(maxlen=BEHIND)
        """The last of them, as far as somebody was not told."""
        self._joined = 0, 0, b""
        self._whole = b""

    def look(self, live: bool, players: int) -> None:
        if self.now != (live, players):
            self.now = live, players
            self.state = event("state", {"live": live, "players": players})

    def whole(self, chat: RoomChat) -> bytes:
        """All of a chat that is told to who comes."""
        if not self._whole:
            messages = [message_object(message) for message in chat.newest(LATEST)]
            self._whole = event("chat", {"slowSeconds": chat.rules.slow_seconds, "messages": messages})
        return self._whole

    def put(self, chat: RoomChat, message: Message | None) -> None:
        self._whole = b""
        self._events.append(event("message", message_object(message)) if message else self.whole(chat))
        self.end += 1

    def since(self, position: int) -> bytes | None:
        """The events from there on. None where some are not there any more."""
        if self._joined[:2] != (position, self.end):
            missing = self.end - position
            if missing > len(self._events):
                return None
            self._joined = position, self.end, b"".join(list(self._events)[len(self._events) - missing :])
        return self._joined[2]

    def forget(self) -> None:
        """What all have been told."""
        told = min((reader.position for reader in self.readers if reader.position is not None), default=self.end)
        while len(self._events) > self.end - told:
            self._events.popleft()


class RoomStreams:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._channels: dict[int, Channel] = {}
        """Of rooms that have readers."""
        self._closed = False

    async def answer(self, request: Request) -> Response:
        """`GET /events/room/{room}`, with `ticket` in a private room. `state`: whether the room is live, and how many
        watch. `chat`: all of it anew. `message`: one that is new, or was deleted. The last two for who may watch."""
        return StreamingResponse(self._lines(request, request.path_params["room"]), **STREAM)

    def tell(self, chat: RoomChat, message: Message | None) -> None:
        """A listener of the chats' writer."""
        if channel := self._channels.get(chat.room_id):
            channel.put(chat, message)

    async def reconsider(self, change: Change) -> None:
        """A listener of changes: who reads is asked again, before anything more is told."""
        if change.what in CHANGES and (channel := self._channels.get(change.room_id)):
            for reader in channel.readers:
                reader.checked = NEVER

    async def deliver(self) -> None:
        for channel in list(self._channels.values()):
            self._look(channel)
            channel.forget()
            await self._wake(channel)

    async def _wake(self, channel: Channel) -> None:
        """Others have their turn at least once."""
        silent, woken = self._services.clock.ticks() - SILENCE, 0
        for number, reader in enumerate(list(channel.readers)):
            if _has_news(channel, reader) or reader.spoken <= silent:
                reader.wake.set()
                woken += 1
            if woken >= SOME or number % MANY == MANY - 1:
                woken = 0
                await asyncio.sleep(0)
        await asyncio.sleep(0)

    def close(self) -> None:
        """Ends every stream; pages open it again by themselves, at the next control."""
        self._closed = True
        for channel in self._channels.values():
            for reader in channel.readers:
                reader.wake.set()

    async def _lines(self, request: Request, room_id: int) -> AsyncGenerator[bytes, None]:
        chat = await self._readable(request, room_id)
        with self._reading(room_id, may_read=chat is not None) as (channel, reader):
            yield b"retry: %d\n\n%b%b" % (RETRY_MS, reader.shown, channel.whole(chat) if chat else b"")
            while True:
                await reader.wake.wait()
                reader.wake.clear()
                if self._closed or not await self._may_go_on(request, room_id, reader):
                    return
                news = self._news(channel, reader)
                if news is None:
                    return
                yield news

    @contextmanager
    def _reading(self, room_id: int, *, may_read: bool) -> Iterator[tuple[Channel, Reader]]:
        channel = self._channels.get(room_id)
        if channel is None:
            channel = self._channels[room_id] = Channel(room_id)
        self._look(channel)
        now = self._services.clock.ticks()
        reader = Reader(now, now, channel.state, channel.end if may_read else None)
        channel.readers[reader] = None
        metrics.room_readers.inc()
        try:
            yield channel, reader
        finally:
            metrics.room_readers.dec()
            del channel.readers[reader]
            if not channel.readers:
                del self._channels[room_id]

    def _look(self, channel: Channel) -> None:
        channel.look(*self._services.lobby.now(channel.room_id))

    def _news(self, channel: Channel, reader: Reader) -> bytes | None:
        """What the reader was not told; a comment where that is nothing. None where too much was missed."""
        said = b"" if reader.shown is channel.state else channel.state
        reader.shown, reader.spoken = channel.state, self._services.clock.ticks()
        if reader.position is not None:
            events = channel.since(reader.position)
            if events is None:
                return None
            reader.position, said = channel.end, said + events
        return said or b":\n\n"

    async def _may_go_on(self, request: Request, room_id: int, reader: Reader) -> bool:
        """Whether who was let into the chat still may be there. To watch is to use the session."""
        now = self._services.clock.ticks()
        if now - reader.checked < CHECK:
            return True
        reader.checked = now
        return (await self._readable(request, room_id) is not None) or reader.position is None

    async def _readable(self, request: Request, room_id: int) -> RoomChat | None:
        """None for who may not read it."""
        services, ticket = self._services, request.query_params.get("ticket", "")
        try:
            caller = await caller_of(request, services)
            await services.visitors.admit(caller.user, room_id, ticket, address_of(request))
            return await services.chat.of(room_id)
        except Refusal:
            return None


def _has_news(channel: Channel, reader: Reader) -> bool:
    return reader.shown is not channel.state or (reader.position is not None and reader.position != channel.end)
