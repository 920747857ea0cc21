"""Live rooms as they are kept: one a user."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from control.access.changes import Changed, Changes
from control.access.rights import COLUMNS, RightsOfRooms
from control.access.room_passwords import RoomPasswords, chosen_or_issued
from control.accounts.identity import has_controls
from control.accounts.users import User
from control.clock import Clock, Epoch
from control.entropy import Entropy
from control.refusals import BadParameter, BadRoomName, NoRoom, NoSuchRoom
from control.rooms.search_index import Field, indexed
from control.storage.database import Row, Store, insert
from control.storage.tables import rooms

NAME, TOPIC, DESCRIPTION = 64, 256, 2000  # characters


@dataclass(frozen=True, slots=True)
class RoomForm:
    """What an owner fills in; "" is for what they leave as it is, or leave to us."""

    anchor_password: str = ""
    assist_password: str = ""
    user_password: str = ""
    name: str = ""
    description: str = ""
    topic: str = ""

    def __post_init__(self) -> None:
        blank = self.name != "" and not self.name.strip()
        if blank or len(self.name) > NAME or has_controls(self.name):
            raise BadRoomName
        if len(self.topic) > TOPIC:
            raise BadParameter("liveRoomTopic")
        if len(self.description) > DESCRIPTION:
            raise BadParameter("liveRoomDesc")


class Rooms:
    def __init__(
        self, *, store: Store, rights: RightsOfRooms, changes: Changes, clock: Clock, entropy: Entropy
    ) -> None:
        self._store = store
        self._rights = rights
        self._changes = changes
        self._clock = clock
        self._entropy = entropy

    async def create(self, owner: User, form: RoomForm) -> int:
        """The room's id: where they have one already, of that one. Raises BadRoomName and what RoomPasswords does."""
        if owner.room_id:
            return owner.room_id
        if not form.name:
            raise BadRoomName
        passwords = chosen_or_issued(form.anchor_password, form.assist_password, form.user_password, self._entropy)
        row = {
            "owner_id": owner.id,
            "is_open": not form.user_password,
            "password_generation": 1,
            "name": form.name,
            "description": form.description,
            "topic": form.topic,
            "follow_count": 0,
            "gate_shut_until": 0.0,
            "created_at": self._clock.now(),
        } | _columns(passwords)
        async with self._store.writing() as connection:
            made = await connection.fetch_one(
                insert(rooms).values(row).on_conflict_do_nothing(["owner_id"]).returning(*COLUMNS)
            )
            if made is None:
                found = await connection.fetch_one(sa.select(rooms.c.id).where(rooms.c.owner_id == owner.id))
                assert found is not None
                return int(found["id"])
            texts = {Field.NAME: form.name, Field.TOPIC: form.topic, Field.ANCHOR: owner.nick_name}
            for statement in indexed(made["id"], texts):
                await connection.execute(statement)
        self._rights.note(made)
        return int(made["id"])

    async def modify(self, owner: User, room_id: int, form: RoomForm) -> int:
        """The room's id. `room_id` 0 is the owner's. Raises NoRoom, NoSuchRoom and what RoomPasswords does."""
        own = owned(owner, room_id or owner.room_id)
        async with self._store.writing() as connection:
            before = await connection.fetch_one(sa.select(rooms).where(rooms.c.id == own))
            assert before is not None
            after = await connection.fetch_one(
                rooms.update().where(rooms.c.id == own).values(_changes(before, form)).returning(*COLUMNS)
            )
            texts = {Field.NAME: form.name, Field.TOPIC: form.topic}
            for statement in indexed(own, {field: text for field, text in texts.items() if text}):
                await connection.execute(statement)
        self._rights.note(_written(after))
        await self._changes.announce(Changed.ROOM, own)
        return own

    async def shut_gate(self, owner: User, room_id: int, until: Epoch) -> int:
        """The room's id. 0 opens. Raises NoRoom, NoSuchRoom."""
        own = owned(owner, room_id)
        async with self._store.writing() as connection:
            after = await connection.fetch_one(
                rooms.update().where(rooms.c.id == own).values(gate_shut_until=until).returning(*COLUMNS)
            )
        self._rights.note(_written(after))
        await self._changes.announce(Changed.GATE, own)
        return own


def owned(owner: User, room_id: int) -> int:
    """The owner's room, which `room_id` must name. Raises NoRoom, NoSuchRoom."""
    if not owner.room_id:
        raise NoRoom
    if room_id != owner.room_id:
        raise NoSuchRoom
    return owner.room_id


def _written(row: Row | None) -> Row:
    assert row is not None  # an owner's room is theirs for good
    return row


def _changes(before: Row, form: RoomForm) -> dict[str, Any]:
    old = RoomPasswords(before["anchor_password"], before["assist_password"], before["user_password"])
    new = replace(
        old,
        anchor=form.anchor_password or old.anchor,
        assist=form.assist_password or old.assist,
        user=form.user_password or old.user,
    )
    changes: dict[str, Any] = _columns(new)
    if new.user != old.user:
        changes |= {"is_open": False, "password_generation": before["password_generation"] + 1}
    texts = {"name": form.name, "description": form.description, "topic": form.topic}
    return changes | {column: text for column, text in texts.items() if text}


def _columns(passwords: RoomPasswords) -> dict[str, str]:
    return {
        "anchor_password": passwords.anchor,
        "assist_password": passwords.assist,
        "user_password": passwords.user,
    }
