from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from control.accounts.passwords import Passwords
from control.settings import Settings

pytestmark = pytest.mark.anyio

CHEAP: dict[str, Any] = {"argon2_time_cost": 1, "argon2_memory_kib": 8}


@contextmanager
def passwords(**settings: Any) -> Iterator[Passwords]:
    made = Passwords(Settings(**CHEAP, **settings))
    yield made
    made.close()


async def test_a_password_matches_its_own_hash_alone() -> None:
    with passwords() as made:
        stored = await made.hash("secret-1")
        assert await made.matches(stored, "secret-1")
        assert not await made.matches(stored, "secret2")
        assert not await made.matches(None, "nobody's password")


async def test_no_more_hashes_are_made_at_a_time_than_set(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    with passwords(argon2_at_once=2) as made:
        monkeypatch.setattr(made, "_hasher", SimpleNamespace(hash=lambda password: go_on.wait(20) and password))
        asked = [asyncio.create_task(made.hash(str(number))) for number in range(5)]
        await asyncio.sleep(0)
        # A pool starts a thread for whatever finds none that is idle, as long as it may.
        assert sum(thread.name.startswith("argon2") for thread in threading.enumerate()) == 2
        go_on.set()
        assert await asyncio.gather(*asked) == list("01234")
