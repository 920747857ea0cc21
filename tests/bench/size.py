"""Nodes of a size: with very many rooms, of which many are live."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from control.access.room_passwords import RoomPasswords
from control.access.vault import stored_vault
from control.entropy import SystemEntropy
from control.settings import Settings
from tests.bench.figures import Quartiles, Row
from tests.bench.processes import memory
from tests.bench.product import Product, product
from tests.chaos.scenes import replaced
from tests.e2e.conftest import until

ELSEWHERE = "elsewhere"  # the node that the rooms are live on
FAR = 1e6  # seconds: until after every measurement

# What each row has that no other may have; the rest is a copy of the last.
UNIQUE = {
    "users": {"id": "id + n", "account": "'many' || (id + n)", "account_key": "'many' || (id + n)"}
    | {"phone": "'+99' || (id + n)"},
    "rooms": {"id": "id + n", "owner_id": "owner_id + n"},
}


@dataclass
class Sized:
    """A node that was started with its rooms in its database."""

    made: Product
    rooms: int
    live: int
    seconds: float
    """Until it was ready."""
    memory: float
    """Bytes of control then."""


def fill(settings: Settings, number: int) -> None:
    """Adds that many users, each with a room, like the last there are. None is found by name, and none has passwords
    that open."""
    with _database(settings) as database:
        for table, unique in UNIQUE.items():
            columns = [name for _, name, *_ in database.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(unique.get(name, name) for name in columns)
            database.execute(
                "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :number) "
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"SELECT {values} FROM numbers, (SELECT * FROM {table} ORDER BY id DESC LIMIT 1)",
                {"number": number},
            )
    database.close()


def go_live(settings: Settings, number: int) -> None:
    """Has the last rooms be live on another node, each with passwords of its own, as a control finds them that starts
    now."""
    vault = stored_vault(settings.data_dir / "keys" / "rooms", SystemEntropy(), ())
    with _database(settings) as database:
        rooms = database.execute("SELECT id, owner_id FROM rooms ORDER BY id DESC LIMIT ?", (number,)).fetchall()
        database.executemany(
            "UPDATE rooms SET anchor_password = :anchor_password, assist_password = :assist_password, "
            "user_password = :user_password WHERE id = :id",
            ({"id": room} | vault.seal(RoomPasswords("anchor", "assist", f"{room}"), owner) for room, owner in rooms),
        )
        now = time.time()
        database.executemany(
            "INSERT INTO on_air (node, room_id, live_since, players, expires_at) VALUES (?, ?, ?, ?, ?)",
            ((ELSEWHERE, room, now - turn, turn % 100, now + FAR) for turn, (room, _) in enumerate(rooms)),
        )
    database.close()


def _database(settings: Settings) -> sqlite3.Connection:
    return sqlite3.connect(settings.data_dir / "qplus.db", timeout=30)


async def listed(made: Product, count: int) -> None:
    """Returns as soon as the list has that many live rooms. Raises TimeoutError."""
    asked = {"sessionId": made.rooms[0].session, "type": 1, "count": 100}

    async def right() -> bool:
        answer, seen = await made.node.api("GetLiveRoomList", **asked, refresh=1), 0
        while answer["list"]:
            seen += len(answer["list"])
            answer = await made.node.api("GetLiveRoomList", **asked, refresh=0)
        return seen == count

    await until(right, 20)


async def have_live(made: Product, number: int) -> None:
    """So many more rooms in the list of what is live, where there were none."""
    fill(made.node.settings, number)
    go_live(made.node.settings, number)
    before = made.node.pid("control")
    os.kill(before, signal.SIGKILL)
    await replaced(made.node, "control", before)
    await listed(made, number)


@asynccontextmanager
async def sized(folder: Path, rooms: int, live: int = 0, users: int = 1) -> AsyncIterator[Sized]:
    """A node with that many rooms, of which the users of `made` own the first."""
    async with product(folder, rooms=users) as made:
        node = made.node
        node.stop()
        if rooms > users:
            fill(node.settings, rooms - users)
        go_live(node.settings, live)
        began = time.perf_counter()
        node.start()
        await node.ready()
        taken, held = time.perf_counter() - began, memory(node.pid("control"))
        made.pin()
        await listed(made, live)
        yield Sized(made, rooms, live, taken, held)


def start_rows(large: Sized) -> list[Row]:
    there, megabytes = f"{large.rooms} rooms, {large.live} live", large.memory / 1e6
    return [
        Row(f"cold start with {there}", Quartiles.of([large.seconds]), "s", most=2, aim=1),
        Row(f"memory of control with {there}", Quartiles.of([megabytes]), "MB", most=150, aim=100),
    ]
