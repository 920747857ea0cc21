"""Rows of HTTP: the API over a bare echo, and HLS over open files."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path

from tests.bench.baselines import Asked
from tests.bench.figures import Row, Taken, cpu, order, paired, values
from tests.bench.http import Ask, in_turns, load
from tests.bench.product import USERS, VIEWERS, Product
from tests.bench.size import have_live

ECHO = "echo"
LIVE = 50  # rooms in the list
WANTED = {
    "GetMyLiveRoom": (0.4, 0.75),
    "GetLiveRoomList, 20 of 50": (0.25, 0.55),
    "SearchLiveRoom by name": (0.15, 0.3),
    "SearchLiveRoom by id": (0.15, 0.3),
    "FollowLiveRoom": (0.05, 0.1),
}
"""Of the echo's rate: at least, and the aim."""


async def api_rows(folder: Path, made: Product, bare: Asked, repetitions: int, seconds: float) -> list[Row]:
    rooms, port = made.rooms[:USERS], made.node.settings.http_port
    await have_live(made, LIVE)

    def ask(name: str, *bodies: Mapping[str, object]) -> Ask:
        return Ask(port, [(f"/live/{name}", json.dumps(body)) for body in bodies], made.control)

    follow = {"liveRoomId": rooms[1].id}
    variants = {
        ECHO: Ask(bare.port, [("/live/Echo", json.dumps({"sessionId": room.session})) for room in rooms], [bare.pid]),
        "GetMyLiveRoom": ask("GetMyLiveRoom", *({"sessionId": room.session} for room in rooms)),
        "GetLiveRoomList, 20 of 50": ask(
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
    taken = (await in_turns(folder, variants, repetitions, seconds))["rate"]
    rows = [Row("bare echo behind the same nginx", values(taken, ECHO), "/s", cpu=cpu(taken, ECHO))]
    for name, (least, aim) in WANTED.items():
        rows.append(Row(f"{name} over echo", paired(taken, name, ECHO), cpu=cpu(taken, name), least=least, aim=aim))
    return rows


async def hls_rows(folder: Path, made: Product, bare: Asked, repetitions: int, seconds: float) -> list[Row]:
    """The room has to be live."""
    tickets, rows = await made.tickets(VIEWERS), []
    for kind, least, aim in (("playlists", 0.65, 0.9), ("segments", 0.85, 0.95)):
        taken = []
        for repetition in range(repetitions):
            # A segment is removed after a time, so it is another one each time.
            listed = re.findall(r"^\d+\.ts$", await _playlist(made, tickets[0]), re.MULTILINE)
            name = "index.m3u8" if kind == "playlists" else listed[-1]
            paths = [(f"/hls/{ticket}/{made.rooms[0].id}/{name}", "") for ticket in tickets]
            variants = {"open": Ask(bare.port, paths), "product": Ask(made.node.settings.http_port, paths)}
            turns = order(list(variants), repetition)
            answers = {each: await load(folder, variants[each], seconds) for each in turns}
            taken.append({each: Taken(answers[each].rate) for each in turns})
        rows.append(Row(f"HLS {kind} from open files", values(taken, "open"), "/s"))
        rows.append(Row(f"HLS {kind} with tickets over open", paired(taken, "product", "open"), least=least, aim=aim))
    return rows


async def _playlist(made: Product, ticket: str) -> str:
    """As soon as it lists a segment. Raises TimeoutError."""
    async with asyncio.timeout(20):
        while True:
            answer = await made.node.http.get(f"/hls/{ticket}/{made.rooms[0].id}/index.m3u8")
            if answer.status_code == 200:
                return answer.text
            await asyncio.sleep(0.2)
