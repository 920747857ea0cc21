"""What PostgreSQL alone can do to a store: it is elsewhere, and can be cut off."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import asyncpg
import pytest
import sqlalchemy as sa

from control.clock import SystemClock
from control.storage.database import Store, opened
from control.storage.engine import Unreachable
from control.storage.postgresql import CUT_OFF
from tests.support.nodes import StandInNode
from tests.support.postgres import Postgres
from tests.support.serving import until

pytestmark = pytest.mark.anyio


SLEEPERS = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"


async def sleep(store: Store) -> None:
    async with store.writing() as connection:
        await connection.execute(sa.text("SELECT pg_sleep(60)"))


async def test_a_write_that_was_cut_off_twice_spoils_no_other(postgres: Postgres, shared_database: str) -> None:
    async with opened(shared_database, SystemClock()) as store:
        write = asyncio.create_task(sleep(store))
        await until(lambda: bool(postgres.run(SLEEPERS)))
        write.cancel()
        await asyncio.sleep(0)
        write.cancel()  # while it is rolled back
        with pytest.raises(asyncio.CancelledError):
            await write
        assert await store.refuses_writes() == ""


async def test_a_connection_that_is_confused_is_replaced(shared_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def confused(*_: object) -> None:
        raise asyncpg.InternalClientError("cannot switch to state 12")

    async with opened(shared_database, SystemClock()) as store:
        with monkeypatch.context() as broken:
            broken.setattr(asyncpg.Connection, "fetch", confused)
            assert await store.refuses_writes() == "InternalClientError"
        await until(lambda: store.openings == 2)
        assert await store.refuses_writes() == ""


async def test_two_nodes_of_one_name_do_not_work_with_one_database(
    shared_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.storage.database.PATIENCE", 1.0)
    async with (
        opened(shared_database, SystemClock(), "a") as store,
        opened(shared_database, SystemClock(), "b"),
    ):
        assert await store.refuses_writes() == ""
        for name in ("a", ""):  # nor one that is alone beside nodes
            with pytest.raises(BaseExceptionGroup) as raised:
                async with opened(shared_database, SystemClock(), name):
                    pass
            assert raised.group_contains(Unreachable, match="another node of this name")


async def test_a_control_whose_machine_is_gone_does_not_keep_others_out_for_hours(shared_database: str) -> None:
    async with opened(shared_database, SystemClock()) as store:
        shown = [await setting(store, f"tcp_keepalives_{name}") for name in ("idle", "interval", "count")]
        assert shown == ["5", "5", "3"]
        assert await setting(store, "tcp_user_timeout") == f"{1000 * CUT_OFF}"


async def setting(store: Store, name: str) -> str:
    row = await store.fetch_one(sa.text(f"SHOW {name}"))
    assert row is not None
    return str(row[0])


def qplus(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {f"QPLUS_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run([sys.executable, "-m", "control", *arguments], env=env, capture_output=True, text=True)


async def test_a_node_is_drained_and_taken_back(empty_shared_database: str) -> None:
    settings = {"database_url": empty_shared_database, "node": "a", "node_address": "10.0.0.1"}
    async with opened(empty_shared_database, SystemClock(), "a") as store:
        told = await asyncio.to_thread(qplus, "drain", **settings)
        assert (told.returncode, told.stderr) == (1, "error: there is no node a\n")  # it has not run yet
        node = await StandInNode(store, "a").begin()
        for options, draining in ((["drain"], True), (["drain", "--undo"], False)):
            assert (await asyncio.to_thread(qplus, *options, **settings)).returncode == 0
            await node.nodes.beat()
            assert bool(node.nodes.draining) is draining


def test_a_node_that_is_alone_is_not_drained() -> None:
    assert "QPLUS_NODE_ADDRESS is not set" in qplus("drain").stderr
