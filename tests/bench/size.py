"""Rows of a large node: how soon it is up with very many rooms, and what it holds in memory then."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from tests.bench.figures import Quartiles, Row
from tests.bench.processes import memory
from tests.e2e.conftest import Node

# What each row has that no other may have; the rest is a copy of the first.
UNIQUE = {
    "users": {"id": "id + n", "account": "'many' || n", "account_key": "'many' || n", "phone": "'+99' || n"},
    "rooms": {"id": "id + n", "owner_id": "owner_id + n"},
}


def fill(file: Path, number: int) -> None:
    """Adds that many users, each with a room, like those of the first; none of them is found by name."""
    with sqlite3.connect(file) as database:
        for table, unique in UNIQUE.items():
            columns = [name for _, name, *_ in database.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(unique.get(name, name) for name in columns)
            database.execute(
                "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :number) "
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"SELECT {values} FROM numbers, (SELECT * FROM {table} ORDER BY id LIMIT 1)",
                {"number": number},
            )
    database.close()


async def start_rows(folder: Path, number: int) -> list[Row]:
    """Of a node that is started with that many rooms, until it says that it is ready."""
    node = Node(folder / "large", guard="off", log_level="warning")
    node.start()
    try:
        await node.ready()
        await node.room()
        node.stop()
        fill(node.settings.data_dir / "qplus.db", number)
        began = time.perf_counter()
        node.start()
        await node.ready()
        taken, held = time.perf_counter() - began, memory(node.pid("control"))
    finally:
        await node.http.aclose()
        if not node.ended():
            node.stop()
    return [
        Row(f"cold start with {number} rooms", Quartiles.of([taken]), "s", most=2),
        Row(f"memory of control with {number} rooms", Quartiles.of([held / 1e6]), "MB", most=150),
    ]
