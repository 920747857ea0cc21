"""Rows of HTTP: the API over a bare echo, and HLS over open files. Load is wrk's."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.baselines import Asked
from tests.bench.figures import Row, Taken, cpu, order, paired, values
from tests.bench.processes import FRONT, can_pin, used
from tests.bench.product import USERS, VIEWERS, Product

ECHO = "echo"
SCRIPT = """
local requests = { %s }
local turn = 0
request = function()
    turn = turn %% #requests + 1
    return requests[turn]
end
"""


class Unanswered(Exception):
    """Some requests were not answered well: what was measured is an error's speed."""


@dataclass(frozen=True, slots=True)
class Ask:
    port: int
    requests: Sequence[tuple[str, str]]
    """Paths with bodies; an empty body is a GET."""
    pids: Sequence[int] = ()


def program() -> str:
    """Raises FileNotFoundError when wrk is not installed."""
    if found := shutil.which("wrk"):
        return found
    raise FileNotFoundError("wrk is not installed: apt-get install wrk")


async def load(folder: Path, ask: Ask, seconds: float) -> Taken:
    """Requests a second, over 16 connections that are kept. Raises Unanswered."""
    script = folder / "load.lua"
    script.write_text(SCRIPT % ", ".join(_literal(*each) for each in ask.requests))
    pinned = ["taskset", "-c", str(FRONT)] if can_pin() else []
    url, time = f"http://127.0.0.1:{ask.port}", f"-d{seconds:.0f}s"
    command = [*pinned, program(), "-t1", "-c16", time, "-s", str(script), url]
    before = used(ask.pids)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output = (await process.communicate())[0].decode()
    spent = used(ask.pids) - before
    if wrong := re.search(r"Non-2xx or 3xx responses: \d+|Socket errors:.*", output):
        raise Unanswered(f"{ask.requests[0][0].split('?')[0].rpartition('/')[2]}: {wrong[0]}")
    count, rate = re.search(r"(\d+) requests in", output), re.search(r"Requests/sec: +([\d.]+)", output)
    if process.returncode or not count or not rate or not int(count[1]):
        raise Unanswered(f"wrk gave no figures, exit code {process.returncode}")
    return Taken(float(rate[1]), spent / int(count[1]) * 1e6)


def _literal(path: str, body: str) -> str:
    """A whole request, as a string of Lua."""
    head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: bench\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    return json.dumps(head + "\r\n" + body)


async def in_turns(
    folder: Path, variants: Mapping[str, Ask], repetitions: int, seconds: float
) -> list[dict[str, Taken]]:
    taken = []
    for repetition in range(repetitions):
        taken.append({name: await load(folder, variants[name], seconds) for name in order(list(variants), repetition)})
    return taken


async def api_rows(folder: Path, made: Product, bare: Asked, repetitions: int, seconds: float) -> list[Row]:
    rooms, port = made.rooms[:USERS], made.node.settings.http_port

    def ask(name: str, *bodies: Mapping[str, object]) -> Ask:
        return Ask(port, [(f"/live/{name}", json.dumps(body)) for body in bodies], made.control)

    follow = {"liveRoomId": rooms[1].id}
    variants = {
        ECHO: Ask(bare.port, [("/live/Echo", json.dumps({"sessionId": room.session})) for room in rooms], [bare.pid]),
        "GetMyLiveRoom": ask("GetMyLiveRoom", *({"sessionId": room.session} for room in rooms)),
        "GetLiveRoomList, 20": ask(
            "GetLiveRoomList", *({"sessionId": room.session, "type": 1, "refresh": 1, "count": 20} for room in rooms)
        ),
        "SearchLiveRoom by name": ask(
            "SearchLiveRoom", *({"sessionId": room.session, "keyword": "a room"} for room in rooms)
        ),
        "SearchLiveRoom by id": ask(
            "SearchLiveRoom", *({"sessionId": room.session, "keyword": str(room.id)} for room in rooms)
        ),
        "FollowLiveRoom": ask(
            "FollowLiveRoom",
            *({"sessionId": room.session, **follow, "isFollow": way} for room in rooms for way in (1, 0)),
        ),
    }
    musts = dict(zip(variants, (0, 0.4, 0.25, 0.15, 0.15, 0.05), strict=True))
    taken = await in_turns(folder, variants, repetitions, seconds)
    rows = [Row("bare echo behind the same nginx", values(taken, ECHO), "/s", cpu=cpu(taken, ECHO))]
    for name in list(variants)[1:]:
        rows.append(Row(f"{name} over echo", paired(taken, name, ECHO), cpu=cpu(taken, name), least=musts[name]))
    return rows


async def hls_rows(folder: Path, made: Product, bare: Asked, repetitions: int, seconds: float) -> list[Row]:
    """The room has to be live."""
    tickets, rows = await made.tickets(VIEWERS), []
    for kind, least in (("playlists", 0.65), ("segments", 0.85)):
        taken = []
        for repetition in range(repetitions):
            # A segment is removed after a time, so it is another one each time.
            listed = re.findall(r"^\d+\.ts$", await _playlist(made, tickets[0]), re.MULTILINE)
            name = "index.m3u8" if kind == "playlists" else listed[-1]
            paths = [(f"/hls/{ticket}/{made.rooms[0].id}/{name}", "") for ticket in tickets]
            variants = {"open": Ask(bare.port, paths), "product": Ask(made.node.settings.http_port, paths)}
            turns = order(list(variants), repetition)
            taken.append({each: await load(folder, variants[each], seconds) for each in turns})
        rows.append(Row(f"HLS {kind} from open files", values(taken, "open"), "/s"))
        rows.append(Row(f"HLS {kind} with tickets over open", paired(taken, "product", "open"), least=least))
    return rows


async def _playlist(made: Product, ticket: str) -> str:
    """As soon as it lists a segment. Raises TimeoutError."""
    async with asyncio.timeout(20):
        while True:
            answer = await made.node.http.get(f"/hls/{ticket}/{made.rooms[0].id}/index.m3u8")
            if answer.status_code == 200:
                return answer.text
            await asyncio.sleep(0.2)
