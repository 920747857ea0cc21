"""How much a verdict costs: nginx's callbacks answered by control, over a bare Starlette route that reads the body.

    .venv/bin/python -m tests.bench.callbacks [REPETITIONS]

Both listen on a unix socket under uvicorn, each in a process of its own, and are asked as nginx-rtmp asks: HTTP/1.0, a
connection for each call. The two take turns; the order changes every time; the ratio is the median of pairs.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from control.settings import Settings, to_env
from tests.support.world import body, quick_settings

CALLS, CONCURRENCY = 3000, 32
BARE = """
import socket, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def answer(request):
    await request.body()
    return Response(status_code=204)
app = Starlette(routes=[Route("/rtmp/local/s/play", answer, methods=["POST"])])
config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, loop="uvloop", http="httptools")
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


def listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(2048)
    return listener


async def call(path: Path, name: str, content: bytes) -> int:
    reader, writer = await asyncio.open_unix_connection(str(path))
    head = (
        f"POST /rtmp/local/s/{name} HTTP/1.0\r\nHost: x\r\nConnection: Close\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1])


async def rate(path: Path, bodies: list[bytes], wanted: int) -> float:
    """Calls a second."""
    left = iter(bodies)

    async def ask() -> None:
        for content in left:
            assert await call(path, "play", content) == wanted

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(CONCURRENCY)))
    return len(bodies) / (time.perf_counter() - began)


async def room(settings: Settings) -> tuple[int, str]:
    async with httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=str(settings.public_socket)), base_url="http://x", timeout=30
    ) as http:
        await http.post("/live/Register", json={"account": "ann", "phone": "13500000000", "password": "secret-1"})
        me = (await http.post("/live/Login", json={"account": "ann", "password": "secret-1"})).json()
        await http.post("/live/CreateLiveRoom", json={"sessionId": me["sessionId"], "liveRoomName": "r"})
        mine = (await http.post("/live/GetMyLiveRoom", json={"sessionId": me["sessionId"]})).json()
    return mine["liveRoomId"], mine["liveRoomUserPwd"]


async def measure(settings: Settings, bare: Path, repetitions: int) -> None:
    room_id, password = await room(settings)
    ratios, client = [], 0
    for repetition in range(repetitions):
        numbers = range(client, client := client + CALLS)
        bodies = [body("play", number, str(room_id), f"pwd={password}").encode() for number in numbers]
        turns = [("control", settings.internal_socket), ("bare", bare)]
        rates = {}
        for name, path in turns if repetition % 2 else reversed(turns):
            rates[name] = await rate(path, bodies, 204)
        ratios.append(rates["control"] / rates["bare"])
        for number in numbers:
            await call(settings.internal_socket, "done", body("done", number, str(room_id)).encode())
        print(f"control {rates['control']:7.0f}/s   bare {rates['bare']:7.0f}/s   ratio {ratios[-1]:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f} of {repetitions}")


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        settings = quick_settings(Path(folder))
        settings.sockets.mkdir(mode=0o700, exist_ok=True)
        listeners = [listening(settings.internal_socket), listening(settings.public_socket)]
        bare = listening(settings.sockets / "bare.sock")
        fds = [listener.fileno() for listener in listeners]
        serve = ["-m", "control", "serve", "--internal-fd", str(fds[0]), "--public-fd", str(fds[1])]
        parts = [
            subprocess.Popen([sys.executable, *serve], env=os.environ | to_env(settings), pass_fds=fds),
            subprocess.Popen([sys.executable, "-c", BARE, str(bare.fileno())], pass_fds=[bare.fileno()]),
        ]
        try:
            asyncio.run(measure(settings, settings.sockets / "bare.sock", repetitions))
        finally:
            for part in parts:
                part.terminate()
            for part in parts:
                part.wait()
            for file in settings.sockets.iterdir():
                file.unlink()
            settings.sockets.rmdir()


if __name__ == "__main__":
    main()
