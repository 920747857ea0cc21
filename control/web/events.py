"""Server-sent events: what the pages show, as it changes. Each begins with all of it: a break costs nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from control.api.services import Services
from control.refusals import SessionExpired
from control.web.feed import Feed, Now
from control.web.page_api import caller_of
from control.web.public_rooms import public_card
from control.web.studio import Studio

RETRY_MS = 2000
QUIET = 15  # turns of the feed, a second each, without a word; then a comment shows that the connection lives
STREAMS = 4  # of one anchor's studio; one more ends the oldest
RENEW = 60  # turns after which an open page counts as a use of its session

STREAM: dict[str, Any] = {
    "media_type": "text/event-stream",
    "headers": {"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
}

Lines = dict[str, bytes]
"""By event name: what goes out when it differs from the last of that name."""

Told = Callable[[Now], Awaitable[Lines]]


def event(name: str, value: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(value))


class Events:
    def __init__(self, services: Services, feed: Feed, studio: Studio) -> None:
        self._services = services
        self._feed = feed
        self._studio = studio
        self._studios: dict[int, list[object]] = {}
        """The studio's streams of each user, the oldest first."""
        self._front = Now(), Lines()
        """What front pages are told, and of when."""

    async def front(self, request: Request) -> Response:
        """`rooms`: the rooms on air, newest first; by room `players`, how many watch, and `snapshots`, when they were
        taken."""

        async def lines(now: Now) -> Lines:
            if self._front[0] is not now:  # once for all pages
                self._front = now, _front(now)
            return self._front[1]

        return StreamingResponse(self._lines(request, lines), **STREAM)

    async def studio(self, request: Request) -> Response:
        """`state`: the caller's room as its anchor sees it. 403 without a session, 404 without a room."""
        try:
            caller = await caller_of(request, self._services)
        except SessionExpired:
            return Response(status_code=403)
        room_id = caller.user.room_id
        if not room_id:
            return Response(status_code=404)

        async def lines(now: Now) -> Lines:
            return {"state": event("state", await self._studio.state(room_id, now.players.get(room_id, 0)))}

        return StreamingResponse(self._one_of_few(caller.user.id, request, lines), **STREAM)

    async def _one_of_few(self, user_id: int, request: Request, told: Told) -> AsyncIterator[bytes]:
        """Ends once there are STREAMS newer ones, since a page that was left may not be known to be gone; and with its
        session, whose end must not wait for the page to ask again."""
        mine, streams = object(), self._studios.setdefault(user_id, [])
        streams.append(mine)
        del streams[:-STREAMS]

        async def goes_on() -> bool:
            return mine in streams and await self._renewed(request)

        try:
            async with aclosing(self._lines(request, told, goes_on)) as lines:
                async for line in lines:
                    yield line
        finally:
            if mine in streams:
                streams.remove(mine)
            if not streams and self._studios.get(user_id) is streams:
                del self._studios[user_id]

    async def _lines(
        self, request: Request, told: Told, goes_on: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """`goes_on` is asked at every turn."""
        last: dict[str, bytes] = {}
        turn = spoken = 0
        yield b"retry: %d\n\n" % RETRY_MS
        async for now in self._feed.turns():
            turn += 1
            if goes_on is not None:
                if not await goes_on():
                    return
            elif turn % RENEW == 0:
                await self._renewed(request)
            for name, line in (await told(now)).items():
                if last.get(name) != line:
                    last[name], spoken = line, turn
                    yield line
            if turn - spoken >= QUIET:
                spoken = turn
                yield b":\n\n"

    async def _renewed(self, request: Request) -> bool:
        """To watch is to use the session. False where it has ended."""
        try:
            await caller_of(request, self._services)
        except SessionExpired:
            return False
        return True


def _front(now: Now) -> Lines:
    values: dict[str, object] = {
        "rooms": [public_card(card) | {"since": now.since[card.room_id]} for card in now.rooms],
        "players": {str(card.room_id): now.players.get(card.room_id, 0) for card in now.rooms},
        "snapshots": {str(room_id): taken_at for room_id, taken_at in now.snapshots.items()},
    }
    return {name: event(name, value) for name, value in values.items()}
