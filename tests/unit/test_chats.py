"""Rooms' chats in memory and on their way into the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from control.access.rights import Rights
from control.accounts.users import User
from control.chat import chat as chat_module
from control.chat import chat_store, chat_writer
from control.chat.chat import Chat
from control.chat.chat_pace import Pace
from control.chat.chat_store import Chats
from control.chat.chat_writer import ChatWriter
from control.chat.room_chat import FEW, KEPT, Message, RoomChat
from control.chat.rules import Rules
from control.clock import Epoch
from control.live.broadcasts import Broadcasts
from control.live.on_air_writer import OnAir
from control.refusals import NoSuchRoom, SessionExpired, TooOften
from control.storage.database import Store
from control.storage.log import Log
from control.storage.tables import chat_messages
from tests.support.rows import add_room, add_user
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio

ANN = User(id=1, account="ann", phone="", email=None, nick_name="Ann", sex=1, head_picture_id=0, room_id=0)


class Place:
    """Some rooms of one node. `shared`: there may be others."""

    def __init__(
        self, store: Store, rooms: list[int], most: int = 100, *, name: str = "a", shared: bool = False
    ) -> None:
        self.store, self.rooms, self.clock = store, rooms, HandClock()
        self.chats = Chats(store=store, broadcasts=Broadcasts(self.clock, 10), clock=self.clock, most=most)
        self.log = Log(store, name, self.clock)
        log = self.log if shared else None
        self.writer = ChatWriter(store=store, chats=self.chats, log=log, clock=self.clock)
        self.pace = Pace(self.clock, 5, 50)
        parts: dict[str, Any] = {"store": store, "chats": self.chats, "writer": self.writer, "pace": self.pace}
        self.chat = Chat(log=self.log, clock=self.clock, **parts)

    async def say(self, room_id: int, count: int = 1) -> RoomChat:
        chat = await self.chats.get(room_id)
        assert chat is not None
        lines = [asyncio.ensure_future(self.writer.add(chat, ANN, f"line {number}")) for number in range(count)]
        await asyncio.sleep(0)
        await self.writer.write()
        await asyncio.gather(*lines)
        return chat

    async def stored(self, room_id: int) -> list[int]:
        query = sa.select(chat_messages.c.number).where(chat_messages.c.room_id == room_id)
        return [row["number"] for row in await self.store.fetch_all(query.order_by(chat_messages.c.number))]


@pytest.fixture
async def place(store: Store) -> AsyncIterator[Place]:
    yield Place(store, [await add_room(store, number) for number in range(30)])


async def test_messages_that_are_kept_no_more_leave_the_database_some_at_a_time(place: Place) -> None:
    room = place.rooms[0]
    await place.say(room, KEPT)
    await place.say(room, FEW - 1)
    assert len(await place.stored(room)) == KEPT + FEW - 1
    await place.say(room, 1)
    await place.say(room, 1)
    assert await place.stored(room) == list(range(FEW + 1, KEPT + FEW + 2))


async def test_of_very_many_messages_those_of_the_rooms_used_last_stay(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_store, "MOST_MESSAGES", 50)
    for room in place.rooms:
        await place.say(room, 10)
    kept = [room for room in place.rooms if place.chats.kept(room)]
    assert kept == place.rooms[-len(kept) :]
    assert sum(len((place.chats.kept(room) or RoomChat(0)).messages) for room in kept) <= 60
    found = await place.chats.get(place.rooms[0])
    assert found is not None and [each.text for each in found.messages][-1] == "line 9"


async def test_a_room_that_somebody_is_at_work_on_stays(store: Store, place: Place) -> None:
    small = Place(store, place.rooms, most=5)
    first = await small.chats.pinned(small.rooms[0])
    for room in small.rooms[1:]:
        await small.say(room)
    assert small.chats.kept(small.rooms[0]) is first
    assert len(small.chats) <= 5


async def test_messages_of_rooms_that_are_in_memory_already_count_too(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in place.rooms:
        await place.chats.get(room)
    monkeypatch.setattr(chat_store, "MOST_MESSAGES", 50)
    for room in place.rooms:
        await place.say(room, 10)
    assert sum(len((place.chats.kept(room) or RoomChat(0)).messages) for room in place.rooms) <= 50


async def test_of_many_that_are_loaded_at_once_each_is_pinned_in_memory(place: Place) -> None:
    small = Place(place.store, place.rooms, most=5)
    pinned = await asyncio.gather(*(small.chats.pinned(room) for room in small.rooms))
    assert [small.chats.kept(room) for room in small.rooms] == pinned
    assert await small.chats.pinned(5) is None


@pytest.fixture
async def both(store: Store) -> AsyncIterator[tuple[Place, Place, int]]:
    """Two nodes, and a room."""
    rooms = [await add_room(store, 1)]
    a, b = Place(store, rooms, name="a", shared=True), Place(store, rooms, name="b", shared=True)
    for place in (a, b):
        await place.log.begin()
    yield a, b, rooms[0]


async def follow(*places: Place) -> None:
    for place in places:
        await place.log.follow()
        await place.writer.write()


async def told(place: Place, room_id: int) -> list[tuple[int, str]]:
    chat = await place.chat.of(room_id)
    return [(message.number, message.text) for message in chat.messages]


async def test_a_rooms_chat_is_one_at_whichever_node_its_people_write(both: tuple[Place, Place, int]) -> None:
    a, b, room = both
    await a.say(room, 2)
    await b.say(room)
    await a.say(room)  # who has not heard of that yet
    await b.say(room, 2)
    await follow(a, b)
    numbers = [(1, "line 0"), (2, "line 1"), (3, "line 0"), (4, "line 0"), (5, "line 0"), (6, "line 1")]
    assert await told(a, room) == numbers == await told(b, room)


async def test_rules_mutes_and_deletions_hold_at_every_node(both: tuple[Place, Place, int]) -> None:
    a, b, room = both
    rights = Rights(room, 1, "", "", "", 1, Epoch(0.0))
    await add_user(a.store, 2)
    heard: list[tuple[int, Message | None]] = []
    b.writer.listeners.append(lambda chat, message: heard.append((chat.room_id, message)))
    await a.say(room, 2)
    await follow(b)
    await told(b, room)
    await a.chat.set_rules(room, Rules(30, ("spam",)))
    await a.chat.mute(rights, 2, 60)
    await a.chat.delete(room, 1)
    await b.say(room)  # with the rules as they were, which does not bring those back
    await follow(b, a)
    for place in (a, b):
        chat = await place.chat.of(room)
        assert (chat.rules, {*chat.muted_until}) == (Rules(30, ("spam",)), {2})
    assert await told(a, room) == [(1, ""), (2, "line 1"), (3, "line 0")] == await told(b, room)
    assert (room, None) in heard


async def test_a_new_broadcast_at_one_node_empties_the_chat_at_all(both: tuple[Place, Place, int]) -> None:
    a, b, room = both
    await a.say(room)
    await follow(b)
    await told(b, room)
    a.chat.observe([OnAir(room, 1_800_000_000.0, 0)])
    await a.writer.write()
    await follow(b)
    assert await told(b, room) == []
    await b.say(room)
    await follow(a)
    assert await told(a, room) == [(2, "line 0")]


async def test_nobody_chats_in_a_room_that_is_not_there(place: Place) -> None:
    chat = place.chat
    with pytest.raises(NoSuchRoom):
        await chat.of(5)


async def test_a_room_has_so_many_mutes_and_those_that_are_over_make_room(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_module, "MOST_MUTED", 2)
    chat = place.chat
    room = Rights(place.rooms[0], 1, "", "", "", 1, Epoch(0.0))
    for user, seconds in ((2, 60), (3, 600), (3, 700)):
        await chat.mute(room, user, seconds)
    with pytest.raises(TooOften):
        await chat.mute(room, 4, 60)
    assert await chat.muted(room.room_id) == {3: 700, 2: 60}
    place.clock.advance(61)
    await chat.purge()
    await chat.mute(room, 4, 60)
    assert await chat.muted(room.room_id) == {3: 639, 4: 60}


def test_the_operator_says_how_often_one_may_write() -> None:
    pace = Pace(HandClock(), 1, 2)
    pace.step(1, 1, 0)
    with pytest.raises(TooOften):
        pace.step(1, 1, 0)
    pace.step(1, 2, 0)
    with pytest.raises(TooOften):
        pace.step(1, 3, 0)
    pace.step(2, 1, 0)


async def test_a_message_that_is_kept_no_more_once_its_deletion_is_written(place: Place) -> None:
    chat = place.chat
    held = await place.say(place.rooms[0])
    deletion = asyncio.ensure_future(chat.delete(place.rooms[0], 1))
    await asyncio.sleep(0)
    held.begin(1)
    assert await deletion
    assert not held.messages
    assert not await chat.delete(place.rooms[0], 1)


async def test_too_many_that_wait_to_be_written_are_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_writer, "MOST_WAITING", 3)
    with pytest.raises(TooOften):
        await place.say(place.rooms[0], 4)


async def test_more_than_fit_into_one_transaction_are_written_in_several(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_writer, "AT_ONCE", 3)
    await place.say(place.rooms[0], 10)
    assert await place.stored(place.rooms[0]) == list(range(1, 11))


async def test_who_has_hung_up_has_written_all_the_same(place: Place) -> None:
    chat = await place.say(place.rooms[0])
    line = asyncio.ensure_future(place.writer.add(chat, ANN, "bye"))
    await asyncio.sleep(0)
    line.cancel()
    await place.writer.write()
    assert [each.text for each in chat.messages] == ["line 0", "bye"]


class Broken(Exception):
    pass


async def test_what_cannot_be_written_has_no_number_and_the_next_has_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await place.say(place.rooms[0])
    place.writer.change(chat)

    def broken(*_: object) -> None:
        raise Broken

    line = asyncio.ensure_future(place.writer.add(chat, ANN, "lost"))
    await asyncio.sleep(0)
    with monkeypatch.context() as patch, pytest.raises(Broken):
        patch.setattr(chat_writer, "written", broken)
        await place.writer.write()
    with pytest.raises(asyncio.CancelledError):
        await line
    assert chat.pins == 1  # its rules are still to be written
    await place.say(place.rooms[0])
    assert (chat.last_number, chat.pins) == (2, 0)
    assert [each.text for each in chat.messages] == ["line 0", "line 0"]


async def test_a_change_that_fails_twice_is_still_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = await place.say(place.rooms[0])

    def broken(*_: object) -> None:
        place.writer.change(chat)
        raise Broken

    place.writer.change(chat)
    with monkeypatch.context() as patch, pytest.raises(Broken):
        patch.setattr(chat_writer, "written", broken)
        await place.writer.write()
    assert chat.pins == 1


async def test_the_writer_waits_for_something_to_write(place: Place) -> None:
    chat = await place.chats.get(place.rooms[0])
    assert chat is not None
    turn = asyncio.ensure_future(place.writer.next_turn())
    await asyncio.sleep(0)
    assert not turn.done()
    place.writer.change(chat)
    await asyncio.wait_for(turn, 5)


def test_a_message_is_found_by_its_number() -> None:
    chat = RoomChat(1000001, last_number=4)
    for number in (5, 6, 7):
        chat.append(Message(number, 1, "Ann", f"line {number}", Epoch(0.0)))
    assert [found.text if (found := chat.find(number)) else "" for number in range(4, 9)] == [
        *("", "line 5", "line 6", "line 7", "")
    ]
    assert [each.number for each in chat.newest(2)] == [6, 7]
    assert [each.number for each in chat.after(0, 2)] == [5, 6]
    assert chat.after(7, 9) == []


async def test_a_chat_that_is_read_while_a_user_is_deleted_has_nothing_of_theirs(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = place.rooms[0]
    await place.say(room, 2)
    later = Place(place.store, place.rooms)
    load, go_on = later.chats._load, asyncio.Event()

    async def late(room_ids: Sequence[int]) -> Mapping[int, RoomChat]:
        found = await load(room_ids)
        await go_on.wait()
        return found

    monkeypatch.setattr(later.chats, "_load", late)
    reading = asyncio.create_task(later.chats.pinned(room))
    await asyncio.sleep(0.05)
    await later.writer.silence(ANN.id)
    go_on.set()
    chat = await reading
    assert chat is not None and chat is later.chats.kept(room)
    assert [(each.text, each.deleted) for each in chat.messages] == [("", True)] * 2


async def test_drafts_of_a_user_who_was_deleted_are_given_up(place: Place) -> None:
    chat = await place.say(place.rooms[0], 2)
    bob = replace(ANN, id=2, nick_name="Bob")
    lines = [asyncio.ensure_future(place.writer.add(chat, who, "late")) for who in (ANN, bob, ANN)]
    await asyncio.sleep(0)
    lines[2].cancel()
    await asyncio.sleep(0)
    await place.writer.silence(ANN.id)
    await place.writer.write()
    with pytest.raises(SessionExpired):
        await lines[0]
    assert (await lines[1]).number == 3
    assert [(each.nick_name, each.text, each.deleted) for each in chat.messages] == [("", "", True)] * 2 + [
        ("Bob", "late", False)
    ]
    assert chat.pins == 0
