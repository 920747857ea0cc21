"""Bodies of requests, as they come from clients. nginx keeps nothing of them, so it is here that they are too large,
too slow, or in too many pieces."""

from __future__ import annotations

import asyncio
from itertools import takewhile
from typing import Any

from starlette.requests import ClientDisconnect, Request

from control.api.uploads import TooLarge, TooSlow
from control.clock import Clock, Ticks

BODY = 64 * 2**10  # bytes, at most; web.conf has the same
ARRIVAL = 10.0  # seconds that a whole body may take
LOOK = 1.0  # seconds between two looks for those that take longer
PIECES = 128  # that a body may come in, each of which costs a turn of the loop; 64 KiB are 122 of the smallest packets

Coming = dict["asyncio.Task[Any]", Ticks]
"""Who waits for a body, and since when; the oldest first."""


class Bodies:
    """Whoever makes it has `look` called every LOOK. It looks at all of them: a timer for each would cost as much as
    half of what is done for a small one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._coming: Coming = {}

    async def read(self, request: Request) -> bytes:
        """All of it. Raises TooLarge, TooSlow, and ClientDisconnect where the client has gone."""
        parts, size, more = list[bytes](), 0, True
        with _Arrival(self._coming, self._clock.ticks()):  # also the first part: nginx's limit begins anew with a byte
            while more:
                message = await request.receive()
                if message["type"] != "http.request":
                    raise ClientDisconnect
                parts.append(message.get("body", b""))
                more, size = message.get("more_body", False), size + len(parts[-1])
                if size > BODY:
                    raise TooLarge
                if len(parts) > PIECES:
                    raise TooSlow
        return b"".join(parts)

    async def look(self) -> None:
        deadline = self._clock.ticks() - ARRIVAL
        for task, _ in list(takewhile(lambda coming: coming[1] <= deadline, self._coming.items())):
            del self._coming[task]
            task.cancel()


class _Arrival:
    """Of one body, in the running task."""

    __slots__ = ("_coming", "_task")

    def __init__(self, coming: Coming, since: Ticks) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._coming = coming
        self._task = task
        coming[task] = since

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Raises TooSlow where it was a look that cancelled it, and nobody else did."""
        late = self._coming.pop(self._task, None) is None
        if late and not self._task.uncancel() and kind is asyncio.CancelledError:
            raise TooSlow from None
