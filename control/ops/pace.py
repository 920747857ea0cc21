"""A pace for what may wait: of the requests that come at once only so many begin in one turn of the event loop. So
nginx's callbacks, which players wait for, never wait for all of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

Start = Callable[[], None]


class Pace:
    """What is to begin does so in the order of coming, at most `most` in a turn."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun = 0
        """In this turn."""
        self._waiting: deque[Start] = deque()

    def begin(self, start: Start) -> None:
        """Calls it: now, or in one of the next turns."""
        if self._waiting or self._begun >= self._most:
            self._waiting.append(start)
        else:
            self._begin(start)

    def _begin(self, start: Start) -> None:
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._begun += 1
        start()

    def _next_turn(self) -> None:
        self._begun = 0
        while self._waiting and self._begun < self._most:
            self._begin(self._waiting.popleft())


class PacedProtocol(HttpToolsProtocol):
    """uvicorn's, whose requests begin at a pace. What waits has no task yet: one that is begun and then waits costs as
    much again as Starlette does for a request."""

    def __init__(
        self,
        pace: Pace,
        *,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._pace = pace

    def _start_asgi_task(self, *request: Any) -> None:
        self._pace.begin(partial(super()._start_asgi_task, *request))
