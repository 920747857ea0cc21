"""A load of logins, in a process of its own, until it is ended: so many begin every second, however long they take.

    python -m tests.bench.logins PORT A_SECOND ACCOUNT PASSWORD

Each on a connection of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress


async def login(port: int, request: bytes) -> None:
    """Whatever the answer is: where more come than can be hashed, some are put off."""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await reader.read()
        writer.close()


async def main(port: int, a_second: float, account: str, password: str) -> None:
    body = json.dumps({"account": account, "password": password})
    head = "POST /live/Login HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    began, turn = time.perf_counter(), 0
    async with asyncio.TaskGroup() as under_way:
        while True:
            await asyncio.sleep(max(0.0, began + turn / a_second - time.perf_counter()))
            under_way.create_task(login(port, request))
            turn += 1


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:]))
