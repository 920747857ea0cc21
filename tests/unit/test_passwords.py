from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from control.accounts.origin import Origin
from control.accounts.passwords import NICENESS, Passwords, step_back
from control.refusals import HungUp, TooManyGuesses
from control.settings import Settings

pytestmark = pytest.mark.anyio

HERE = Origin("192.0.2.7")
CHEAP: dict[str, Any] = {"argon2_time_cost": 1, "argon2_memory_kib": 8}


@contextmanager
def passwords(**settings: Any) -> Iterator[Passwords]:
    made = Passwords(Settings(**CHEAP, **settings))
    yield made
    made.close()


async def test_a_password_matches_its_own_hash_alone() -> None:
    with passwords() as made:
        stored = await made.hash("secret-1", HERE)
        assert await made.matches(stored, "secret-1", HERE)
        assert not await made.matches(stored, "secret2", HERE)
        assert not await made.matches(None, "nobody's password", HERE)


async def test_no_more_hashes_are_made_at_a_time_than_set(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    with passwords(argon2_at_once=2) as made:
        monkeypatch.setattr(made, "_hasher", SimpleNamespace(hash=lambda password: go_on.wait(20) and password))
        asked = [asyncio.create_task(made.hash(str(number), HERE)) for number in range(5)]
        await asyncio.sleep(0)
        # A pool starts a thread for whatever finds none that is idle, as long as it may.
        assert sum(thread.name.startswith("argon2") for thread in threading.enumerate()) == 2
        go_on.set()
        assert await asyncio.gather(*asked) == list("01234")


async def test_who_has_hung_up_is_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone() -> bool:
        return True

    with passwords() as made:
        monkeypatch.setattr(made, "_hasher", SimpleNamespace(hash=pytest.fail, verify=pytest.fail))
        with pytest.raises(HungUp):
            await made.hash("x", Origin("192.0.2.7", hung_up=gone))


async def test_one_who_may_not_guess_any_more_is_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise TooManyGuesses

    with passwords() as made:
        monkeypatch.setattr(made, "_hasher", SimpleNamespace(hash=pytest.fail, verify=pytest.fail))
        with pytest.raises(TooManyGuesses):
            await made.matches(None, "x", HERE, check=refuse)


async def test_callbacks_come_before_hashes() -> None:
    with passwords() as made:
        await made.hash("x", HERE)
        (thread,) = (each for each in threading.enumerate() if each.name.startswith("argon2"))
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) == max(ours, NICENESS)


@pytest.mark.parametrize("priority", [0, 5, 19])
def test_threads_step_back_unless_the_whole_process_has(monkeypatch: pytest.MonkeyPatch, priority: int) -> None:
    """A node that was started with `nice` may not come forward."""
    asked: list[int] = []
    monkeypatch.setattr(os, "getpriority", lambda which, thread: priority)
    monkeypatch.setattr(os, "setpriority", lambda which, thread, wanted: asked.append(wanted))
    step_back()
    assert asked == [NICENESS] * (priority < NICENESS)
