from __future__ import annotations

import asyncio
from typing import Any

import pytest

from control.settings import Settings
from control.storage.database import Store
from tests.support import world
from tests.support.people import Person, crowd, go_live, go_off, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio

GAP = 10  # seconds within which a publisher goes on with the same broadcast


async def rooms_of(box: Box, count: int) -> list[dict[str, Any]]:
    return [await owner.opens(f"room {number}") for number, owner in enumerate(await crowd(box, count))]


def ids(rooms: list[dict[str, Any]]) -> list[int]:
    return [room["liveRoomId"] for room in rooms]


async def follow(who: Person, rooms: list[dict[str, Any]]) -> None:
    """One after the other, a second between."""
    for room in rooms:
        await who.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=1)
        who.box.clock.advance(1)


async def rest(who: Person, kind: int, count: int) -> list[int]:
    """What the following pages have, to the end."""
    found: list[int] = []
    while page := await who.page(kind, refresh=0, count=count):
        found += page
    return found


async def test_live_rooms_come_newest_first(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 4)
    await go_live(box, rooms[2], rooms[0], rooms[3])
    assert await ann.page() == ids([rooms[3], rooms[0], rooms[2]])


async def test_a_short_break_costs_a_room_no_place(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 2)
    await go_live(box, *rooms)
    await go_off(box, rooms[0])
    box.clock.advance(GAP - 1)
    await go_live(box, rooms[0])
    assert await ann.page() == ids([rooms[1], rooms[0]])


async def test_a_long_break_begins_a_new_broadcast(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 2)
    await go_live(box, *rooms)
    await go_off(box, rooms[0])
    box.clock.advance(GAP + 1)
    await go_live(box, rooms[0])
    assert await ann.page() == ids([rooms[0], rooms[1]])


async def test_a_room_with_viewers_but_no_publisher_is_not_listed(box: Box) -> None:
    ann, [room] = await person(box), await rooms_of(box, 1)
    await box.callback("play", 7, str(room["liveRoomId"]), f"pwd={room['liveRoomUserPwd']}")
    box.nginx.put(7, str(room["liveRoomId"]))
    await box.settle()
    assert await ann.page() == []


@pytest.mark.parametrize(("asked", "sizes"), [({}, [5, 2, 0]), ({"count": 3}, [3, 3, 1, 0]), ({"count": 7}, [7, 0])])
async def test_pages_have_the_count_asked_for(box: Box, asked: dict[str, int], sizes: list[int]) -> None:
    ann, rooms = await person(box), await rooms_of(box, 7)
    await go_live(box, *rooms)
    pages = [await ann.page(refresh=int(number == 0), **asked) for number in range(len(sizes))]
    assert [len(page) for page in pages] == sizes
    assert [room for page in pages for room in page] == ids(rooms)[::-1]


async def test_refresh_starts_over(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 3)
    await go_live(box, *rooms[:2])
    assert await ann.page(count=1) == ids([rooms[1]])
    await go_live(box, rooms[2])
    assert await ann.page(count=1) == ids([rooms[2]])
    assert await ann.page(count=5, refresh=0) == ids([rooms[1], rooms[0]])


async def test_past_the_end_refresh_0_finds_nothing_new(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 2)
    await go_live(box, rooms[0])
    await ann.page()
    await go_live(box, rooms[1])
    assert await ann.page(refresh=0) == await ann.page(refresh=0) == []


async def test_a_room_that_goes_live_between_two_pages_shifts_nothing(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 6)
    await go_live(box, *rooms[:4])
    first = await ann.page(count=2)
    await go_live(box, *rooms[4:])
    assert first + await rest(ann, 1, 2) == ids(rooms[:4])[::-1]


async def test_a_room_that_goes_off_between_two_pages_shifts_nothing(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 6)
    await go_live(box, *rooms)
    assert await ann.page(count=2) == ids([rooms[5], rooms[4]])
    await go_off(box, rooms[5], rooms[2])
    assert await ann.page(count=2, refresh=0) == ids([rooms[3], rooms[1]])
    assert await rest(ann, 1, 2) == ids([rooms[0]])


async def test_a_room_that_breaks_off_and_comes_back_is_shown_once(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 4)
    await go_live(box, *rooms)
    first = await ann.page(count=2)
    for room in rooms:
        await go_off(box, room)
        box.clock.advance(GAP + 1)
        await go_live(box, room)
    assert first + await rest(ann, 1, 1) == ids(rooms)[::-1]


async def test_a_room_that_is_off_at_its_turn_is_shown_when_it_is_back(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 4)
    await go_live(box, *rooms)
    await ann.page(count=1)
    await go_off(box, rooms[2])
    assert await ann.page(count=1, refresh=0) == ids([rooms[1]])
    await go_live(box, rooms[2])
    assert sorted(await rest(ann, 1, 5)) == ids([rooms[0], rooms[2]])


async def test_followed_rooms_come_live_ones_first_then_the_last_followed(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 5)
    await follow(ann, rooms)
    await go_live(box, rooms[3], rooms[0])
    reply = await ann.does("GetLiveRoomList", type=2)
    assert ids(reply["onlineList"]) == ids([rooms[0], rooms[3]])
    assert ids(reply["offlineList"]) == ids([rooms[4], rooms[2], rooms[1]])


async def test_one_page_of_followed_rooms_spans_both_lists(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 5)
    await follow(ann, rooms)
    await go_live(box, *rooms[:3])
    pages = [await ann.does("GetLiveRoomList", type=2, count=2, refresh=int(number == 0)) for number in range(4)]
    assert [(len(page["onlineList"]), len(page["offlineList"])) for page in pages] == [(2, 0), (1, 1), (0, 1), (0, 0)]


async def test_no_followed_room_comes_twice_while_they_go_on_and_off(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 6)
    await follow(ann, rooms)
    await go_live(box, *rooms[:3])
    found = await ann.page(2, count=2)
    await go_off(box, rooms[2])
    await go_live(box, rooms[5])
    found += await ann.page(2, count=2, refresh=0)
    await go_off(box, rooms[5])
    await go_live(box, rooms[2])
    found += await rest(ann, 2, 1)
    assert sorted(found) == ids(rooms)


async def test_a_page_shows_followed_rooms_as_they_are_now(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 2)
    await follow(ann, rooms)
    assert await ann.page(2, count=1) == ids([rooms[1]])
    await go_live(box, rooms[0])
    reply = await ann.does("GetLiveRoomList", type=2, refresh=0)
    assert (ids(reply["onlineList"]), reply["offlineList"]) == (ids([rooms[0]]), [])


async def test_a_room_no_longer_followed_is_not_shown(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 3)
    await follow(ann, rooms)
    assert await ann.page(2, count=1) == ids([rooms[2]])
    await ann.does("FollowLiveRoom", liveRoomId=rooms[1]["liveRoomId"], isFollow=0)
    assert await ann.page(2, refresh=0) == ids([rooms[0]])


async def test_the_two_types_turn_their_own_pages(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 3)
    await follow(ann, rooms)
    await go_live(box, *rooms)
    assert await ann.page(1, count=1) == await ann.page(2, count=1) == ids([rooms[2]])
    assert await ann.page(1, count=1, refresh=0) == await ann.page(2, count=1, refresh=0) == ids([rooms[1]])


async def test_a_restart_does_not_turn_back_the_pages(settings: Settings) -> None:
    async with world.box(settings) as before:
        ann, rooms = await person(before), await rooms_of(before, 3)
        await go_live(before, *rooms)
        assert await ann.page(count=1) == ids([rooms[2]])
    async with world.box(settings, before.nginx, before.clock) as after:
        ann.box = after
        await after.settle()
        assert await rest(ann, 1, 1) == ids([rooms[1], rooms[0]])


async def test_pages_that_are_read_write_nothing(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, rooms = await person(box), await rooms_of(box, 7)
    await follow(ann, rooms)
    await go_live(box, *rooms)

    def fail(_: Store) -> None:
        raise AssertionError("a read writes")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "writing", fail)
        for kind in (1, 2):
            assert [len(await ann.page(kind, refresh=int(turn == 0), count=3)) for turn in range(4)] == [3, 3, 1, 0]


async def test_more_listings_than_are_kept_go_on_where_they_were(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box.running.lists, "_most", 2)
    people, rooms = await crowd(box, 4), [await (await person(box, f"x{n}", n)).opens() for n in range(2)]
    await go_live(box, *rooms)
    for each in people:
        assert await each.page(count=1) == ids([rooms[1]])
        await box.running.lists.save()
    for each in people:
        assert await each.page(count=1, refresh=0) == ids([rooms[0]])


async def test_a_hundred_rooms_are_the_most_of_a_page(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 102)
    await follow(ann, rooms)
    assert len(await ann.page(2, count=100_000)) == 100
    assert len(await ann.page(2, refresh=0, count=100)) == 2


async def test_pages_asked_for_at_once_are_pages_in_a_row(box: Box) -> None:
    ann, rooms = await person(box), await rooms_of(box, 7)
    await go_live(box, *rooms)
    first = await ann.page(count=1)
    pages = await asyncio.gather(*(ann.page(refresh=0, count=2) for _ in range(4)))
    assert sorted(map(len, pages)) == [0, 2, 2, 2]
    assert sorted(first + [room for page in pages for room in page]) == sorted(ids(rooms))


async def test_one_user_follows_so_many_rooms_and_no_more(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control.rooms.follows.MOST", 2)
    ann, rooms = await person(box), await rooms_of(box, 3)
    await follow(ann, rooms[:2])
    for room, wanted in ((rooms[2], 10002), (rooms[0], 10000)):
        reply = await ann.says("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=1)
        assert reply["status"] == wanted
    await ann.does("FollowLiveRoom", liveRoomId=rooms[0]["liveRoomId"], isFollow=0)
    await follow(ann, rooms[2:])
    assert await ann.page(2) == ids([rooms[2], rooms[1]])
