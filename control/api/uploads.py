"""Head pictures on their way in: whose one is, is known before it is read, and two at most are at work, of two users.

A picture's JSON may hold the session after the picture, since some clients order fields by hash. Such a body is read
before its sender is known, and so only one of them at a time, beside the two.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from control.accounts.sessions import Sessions
from control.clock import Clock

BODY = 8 * 2**20  # bytes, at most; web.conf has the same
HEAD = 4 * 2**10  # bytes that are read of a body before its sender is known
AT_WORK = 2
IN_LINE = 32  # uploads that wait for their turn, with no more read of them than HEAD
IN_LINE_OF_ONE = 8  # of one user, those at work included
PATIENCE = 20.0  # seconds that an upload waits for its turn
ARRIVAL = 30.0  # seconds that the head of a body may take, and the rest once it is its turn
_SESSION = re.compile(rb'"sessionId"\s*:\s*"([^"\\]{32})"')


class TooLarge(Exception):
    """A body over its limit."""


class TooSlow(Exception):
    """A body that did not arrive in time."""


class Busy(Exception):
    """As many uploads wait as may, or one has waited as long as it may."""


class Uploads:
    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._at_work = asyncio.Semaphore(AT_WORK)
        self._of_users: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        self._there: list[int] = []
        """The user id of each upload; 0 for one whose sender is not known yet."""

    @asynccontextmanager
    async def body(self, parts: AsyncIterator[bytes], session_id: str | None) -> AsyncIterator[bytes]:
        """One upload's body, which is at work until the block ends. `session_id` is None where the body holds it.

        Raises SessionExpired, before more of the body is read than HEAD where that holds the session; Busy, TooLarge,
        TooSlow.
        """
        arriving = Arriving(parts, self._clock)
        if session_id is None:
            await arriving.read(HEAD)
            found = _SESSION.search(arriving.head)
            user_id = await self._user_id(found[1].decode(errors="replace")) if found else 0
        else:
            user_id = await self._user_id(session_id)
        async with self._in_line(user_id), AsyncExitStack() as held:
            # A stranger who takes their time keeps strangers waiting, and a user themselves.
            own = self._of_users.setdefault(user_id, asyncio.Semaphore(1))
            await self._take(held, own)
            if user_id:
                await self._take(held, self._at_work)
            await arriving.read(BODY)
            if not user_id:
                await self._take(held, self._at_work)
            yield arriving.whole()

    async def _user_id(self, session_id: str) -> int:
        return (await self._sessions.caller(session_id)).user.id

    async def _take(self, held: AsyncExitStack, turn: asyncio.Semaphore) -> None:
        """In the order of coming. Raises Busy."""
        try:
            async with self._clock.within(PATIENCE):
                await held.enter_async_context(turn)
        except TimeoutError:
            raise Busy from None

    @asynccontextmanager
    async def _in_line(self, user_id: int) -> AsyncIterator[None]:
        """Raises Busy."""
        if len(self._there) >= AT_WORK + IN_LINE or self._there.count(user_id) >= IN_LINE_OF_ONE:
            raise Busy
        self._there.append(user_id)
        try:
            yield
        finally:
            self._there.remove(user_id)


class Arriving:
    """A body that is read no further than is asked for."""

    def __init__(self, parts: AsyncIterator[bytes], clock: Clock) -> None:
        self._parts = parts
        self._clock = clock
        self._read: list[bytes] = []
        self._size = 0

    async def read(self, size: int) -> None:
        """Until there are more bytes than this, or all. Raises TooLarge for more than BODY, and TooSlow."""
        try:
            async with self._clock.within(ARRIVAL):
                while self._size <= size and (part := await anext(self._parts, None)) is not None:
                    self._size += len(part)
                    if self._size > BODY:
                        raise TooLarge
                    self._read.append(part)
        except TimeoutError:
            raise TooSlow from None

    @property
    def head(self) -> bytes:
        return b"".join(self._read)[:HEAD]

    def whole(self) -> bytes:
        whole = b"".join(self._read)
        self._read.clear()
        return whole
