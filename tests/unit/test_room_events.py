from __future__ import annotations

import pytest
import sqlalchemy as sa

from control.storage import room_events as module
from control.storage.database import Store
from control.storage.log import Log
from control.storage.room_events import KEPT, EventKind, RoomEvent, RoomEvents
from control.storage.tables import FIRST_ROOM_ID, room_events
from tests.support.rows import add_room
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio

ONE, TWO = FIRST_ROOM_ID, FIRST_ROOM_ID + 1


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def events(store: Store, clock: HandClock) -> RoomEvents:
    assert [await add_room(store, number) for number in (1, 2)] == [ONE, TWO]
    log = Log(store, "local", clock)
    return RoomEvents(store=store, clock=clock, log=log, shared=False, most=100)


async def write(store: Store, events: RoomEvents, *those: tuple[int, str]) -> None:
    told = [RoomEvent(room_id, EventKind.LIVE, {"said": said}) for room_id, said in those]
    async with store.writing() as connection:
        await events.write(connection, told)
    events.written(told)


async def test_each_room_has_numbers_of_its_own_in_the_order_of_writing(store: Store, events: RoomEvents) -> None:
    await write(store, events, (ONE, "a"), (TWO, "b"), (ONE, "c"))
    await write(store, events, (TWO, "d"), (ONE, "e"))
    assert [(each.number, each.details["said"]) for each in await events.after(ONE, 0, 2)] == [(1, "a"), (2, "c")]
    assert [(each.number, each.details["said"]) for each in await events.after(TWO, 1, 9)] == [(2, "d")]
    assert (await events.last(ONE), await events.last(TWO), await events.last(3)) == (3, 2, 0)


async def test_an_event_of_a_room_that_is_gone_hinders_no_other(store: Store, events: RoomEvents) -> None:
    await write(store, events, (99, "a"), (ONE, "b"))
    assert await events.last(99) == 0
    assert await events.last(ONE) == 1


async def test_what_is_gathered_is_written_together_and_told(events: RoomEvents) -> None:
    told: list[int] = []
    events.listeners.append(told.extend)
    events.put(ONE, EventKind.REFUSED, reason="gate shut")
    events.put(TWO, EventKind.REFUSED, reason="wrong password")
    assert await events.last(ONE) == 0
    await events.flush()
    assert [each.details for each in await events.after(ONE, 0, 9)] == [{"reason": "gate shut"}]
    assert sorted(told) == [ONE, TWO]


async def test_more_than_can_be_gathered_is_lost_and_said(
    events: RoomEvents, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "MOST_GATHERED", 2)
    for _ in range(5):
        events.put(ONE, EventKind.REFUSED)
    await events.flush()
    assert await events.last(ONE) == 2
    assert "events lost" in capsys.readouterr().out


async def test_what_is_old_goes_and_numbers_go_on(store: Store, events: RoomEvents, clock: HandClock) -> None:
    await write(store, events, (ONE, "a"), (ONE, "b"))
    clock.advance(KEPT + 1)
    await events.purge()
    assert [each.number for each in await events.after(ONE, 0, 9)] == [2]
    await write(store, events, (ONE, "c"))
    assert [each.number for each in await events.after(ONE, 0, 9)] == [2, 3]


async def test_of_one_room_so_many_are_kept(store: Store, events: RoomEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    await write(store, events, *((ONE, str(number)) for number in range(10)), (TWO, "a"))
    await events.purge()
    assert [each.number for each in await events.after(ONE, 0, 9)] == [8, 9, 10]
    assert await events.last(TWO) == 1


async def test_many_are_written_whatever_their_number(store: Store, events: RoomEvents) -> None:
    await write(store, events, *((ONE, str(number)) for number in range(1100)))
    count = sa.select(sa.func.count()).select_from(room_events)
    row = await store.fetch_one(count)
    assert row and row[0] == 1100
