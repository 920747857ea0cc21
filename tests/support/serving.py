"""An application on a unix socket, served as control serves it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from control.serve import Server, server_of


@asynccontextmanager
async def serving(path: Path, app: ASGIApp, protocol: Any) -> AsyncIterator[Server]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        server = server_of(app, protocol)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield server
        finally:
            server.should_exit = True
            await task


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
