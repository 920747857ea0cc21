"""Random requests to every API of a node, as shapes that are almost right."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import httpx

from control.api.statuses import Status
from control.routes import APIS
from tests.e2e.conftest import Node
from tests.fuzz.rtmp import Harm

FIELDS = ["account", "phone", "password", "sessionId", "liveRoomName", "liveRoomTopic", "description", "liveroomId"]
FIELDS += [
    "liveRoomId",
    "status",
    "page",
    "count",
    "timeout",
    "nickName",
    "head_pic",
    "code",
    "keyword",
    "userId",
    "isOpen",
]
KNOWN = {status.number for status in Status}


def anything(chance: random.Random, depth: int = 0) -> Any:
    flat: list[Any] = [None, True, 0, -1, 1, 2**31, 2**63, 10**400, 1.5, float("1e300"), "", "x", "1", "13500000000"]
    flat += ["\x00", "é" * 50, "\ud800", "x" * 5000, "' OR 1=1 --", "<script>", "../..", "１", "\u0300" * 100, "2" * 40]
    if depth < 4 and chance.random() < 0.2:
        inner = [anything(chance, depth + 1) for _ in range(chance.randrange(4))]
        return inner if chance.random() < 0.5 else {str(n): each for n, each in enumerate(inner)}
    return chance.choice(flat)


def body(chance: random.Random, session: str) -> bytes:
    names = chance.sample(FIELDS, chance.randrange(7))
    fields = {name: anything(chance) for name in names}
    if chance.random() < 0.7:
        fields["sessionId"] = session
    text = json.dumps(fields).encode()
    if chance.random() < 0.15:
        at = chance.randrange(len(text))
        text = text[:at] + chance.randbytes(3) + text[at + chance.randrange(4) :]
    return text


async def run(node: Node, seconds: float, seed: int) -> int:
    """How many requests there were. Raises Harm where one is answered by no API, or by an error of ours."""
    session = await node.user()
    until, done = time.monotonic() + seconds, 0
    limits = httpx.Limits(max_keepalive_connections=4)
    async with httpx.AsyncClient(base_url=node.http.base_url, timeout=20, limits=limits) as http:
        while time.monotonic() < until:
            chance = random.Random(seed + done)
            api = chance.choice(sorted(APIS))
            if api == "LogOut":
                session = await node.log_in("user1")
            answer = await http.post(f"/live/{api}", content=body(chance, session))
            done += 1
            if answer.status_code != 200:
                if answer.status_code == 429:
                    continue
                raise Harm(f"{api} answers {answer.status_code}, seed {seed + done - 1}")
            if answer.json().get("status") not in KNOWN:
                raise Harm(f"{api} answers a status that is none, seed {seed + done - 1}")
    if "api failed" in node.log.read_text():
        raise Harm(f"an error of ours, seeds {seed} to {seed + done}: see the log")
    return done
