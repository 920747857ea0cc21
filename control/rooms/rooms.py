"""Live rooms as they are kept: one a user."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from control.access.room_passwords import chosen_or_issued
from control.access.vault import ANCHOR, ASSIST, USER, Vault
from control.access.vault import COLUMNS as SEALED
from control.accounts.identity import has_controls
from control.accounts.users import User
from control.clock import Clock, Epoch
from control.entropy import Entropy
from control.guessing.guesses import Guesses, Secret, Target
from control.refusals import BadParameter, BadRoomName, NoRoom, NoSuchRoom, Orphaned
from control.rooms.search_index import Field, indexed
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Row, Store, insert
from control.storage.tables import rooms, users

NAME, TOPIC, DESCRIPTION = 64, 256, 2000  # characters
PASSWORDS = {Secret.ANCHOR: ANCHOR, Secret.ASSISTANT: ASSIST, Secret.VIEWING: USER}
SEALED_COLUMNS = (rooms.c.owner_id, *(rooms.c[column] for column in SEALED))


@dataclass(frozen=True, slots=True)
class RoomForm:
    """What an owner fills in. "" leaves a name or a password as it is, or to us; None leaves anything."""

    anchor_password: str = ""
    assist_password: str = ""
    user_password: str = ""
    name: str = ""
    description: str | None = None
    topic: str | None = None
    is_open: bool | None = None
    """False: private, by the viewing password that the room has or is given here."""
    is_public: bool | None = None
    """Watched without an account, too."""

    def __post_init__(self) -> None:
        blank = self.name != "" and not self.name.strip()
        if blank or len(self.name) > NAME or has_controls(self.name):
            raise BadRoomName
        if len(self.topic or "") > TOPIC:
            raise BadParameter("liveRoomTopic")
        if len(self.description or "") > DESCRIPTION:
            raise BadParameter("liveRoomDesc")


class Rooms:
    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        changes: Changes,
        guesses: Guesses,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._store = store
        self._vault = vault
        self._changes = changes
        self._guesses = guesses
        self._clock = clock
        self._entropy = entropy

    async def create(self, owner: User, form: RoomForm) -> int:
        """The room's id: where they have one already, of that one. Raises BadRoomName and what RoomPasswords does."""
        if owner.room_id:
            return owner.room_id
        if not form.name:
            raise BadRoomName
        if form.is_public and form.user_password:
            raise BadParameter("isPublic")
        passwords = chosen_or_issued(form.anchor_password, form.assist_password, form.user_password, self._entropy)
        row = {
            "owner_id": owner.id,
            "is_open": not form.user_password,
            "is_public": bool(form.is_public),
            "password_generation": 1,
            "name": form.name,
            "description": form.description or "",
            "topic": form.topic or "",
            "follow_count": 0,
            "gate_shut_until": 0.0,
            "created_at": self._clock.now(),
        } | self._vault.seal(passwords, owner.id)
        async with self._changes.writing() as (connection, note):
            made = await connection.fetch_one(
                insert(rooms).values(row).on_conflict_do_nothing(index_elements=["owner_id"]).returning(rooms.c.id)
            )
            if made is None:
                found = await connection.fetch_one(sa.select(rooms.c.id).where(rooms.c.owner_id == owner.id))
                assert found is not None
                return int(found["id"])
            # As it is now: another request may have changed it since the caller was looked up.
            named = sa.select(users.c.nick_name).where(users.c.id == owner.id).with_for_update(read=True)
            anchor = await connection.fetch_one(named)
            assert anchor is not None
            texts = {Field.NAME: form.name, Field.TOPIC: form.topic or "", Field.ANCHOR: anchor["nick_name"]}
            for statement in indexed(rooms.c.id == made["id"], texts):
                await connection.execute(statement)
            for what in (Changed.USER, Changed.ROOM):
                note(Change(what, made["id"], owner.id))
        return int(made["id"])

    async def modify(self, owner: User, room_id: int, form: RoomForm) -> None:
        """`room_id` 0 is the owner's. Raises NoRoom, NoSuchRoom, BadParameter and what RoomPasswords does."""
        own = owned(owner, room_id or owner.room_id)
        async with self._changes.writing() as (connection, note):
            before = await connection.fetch_one(sa.select(rooms).where(rooms.c.id == own))
            if before is None:
                raise Orphaned
            after = await connection.fetch_one(
                rooms.update().where(rooms.c.id == own).values(self._changed(before, form)).returning(*SEALED_COLUMNS)
            )
            texts = {Field.NAME: form.name or None, Field.TOPIC: form.topic}
            for statement in indexed(
                rooms.c.id == own, {field: text for field, text in texts.items() if text is not None}
            ):
                await connection.execute(statement)
            assert after is not None
            note(Change(Changed.ROOM, own, owner.id))
        await self._forget_changed(own, before, after)

    async def _forget_changed(self, room_id: int, before: Row, after: Row) -> None:
        """Of each password that is another now, nobody was right lately."""
        for secret, column in PASSWORDS.items():
            if self._vault.opened(after, column) != self._vault.opened(before, column):
                self._guesses.forget(Target(secret, room_id))
                await asyncio.sleep(0)  # it takes a millisecond

    def _changed(self, before: Row, form: RoomForm) -> dict[str, Any]:
        """The columns to write. Raises BadParameter and what RoomPasswords does."""
        # What does not open is issued anew: so a room is mended by its owner.
        anchor, assist, user = (self._vault.opened(before, column) for column in SEALED)
        old = chosen_or_issued(anchor, assist, user, self._entropy)
        viewing, is_open = self._viewing(before, old.user, form)
        new = replace(
            old,
            anchor=form.anchor_password or old.anchor,
            assist=form.assist_password or old.assist,
            user=viewing,
        )
        changes: dict[str, Any] = self._vault.seal(new, before["owner_id"])
        if new.user != old.user:
            changes |= {"is_open": is_open, "password_generation": before["password_generation"] + 1}
        if form.is_public and not is_open:
            raise BadParameter("isPublic")
        changes["is_public"] = is_open and (bool(before["is_public"]) if form.is_public is None else form.is_public)
        texts = {"name": form.name or None, "description": form.description, "topic": form.topic}
        return changes | {column: text for column, text in texts.items() if text is not None}

    def _viewing(self, before: Row, old: str, form: RoomForm) -> tuple[str, bool]:
        """The viewing password, and whether it is one that we issued. A room that is read and sent back as it is stays
        as it is. Raises BadParameter where a room would be open by a chosen password, or private by none."""
        was_open = bool(before["is_open"])
        chosen = form.user_password if form.user_password != old else ""
        if form.is_open and chosen:
            raise BadParameter("isOpen")
        if form.is_open is False and was_open and not chosen:
            raise BadParameter("liveRoomUserPwd")
        if form.is_open and not was_open:
            return self._entropy.secret(), True
        return (chosen, False) if chosen else (old, was_open)

    async def shut_gate(self, owner: User, room_id: int, until: Epoch) -> None:
        """0 opens. Raises NoRoom, NoSuchRoom."""
        own = owned(owner, room_id)
        shut = rooms.update().where(rooms.c.id == own).values(gate_shut_until=until)
        await self._changes.write(Change(Changed.GATE, own, owner.id), shut)


def owned(owner: User, room_id: int) -> int:
    """The owner's room, which `room_id` must name. Raises NoRoom, NoSuchRoom."""
    if not owner.room_id:
        raise NoRoom
    if room_id != owner.room_id:
        raise NoSuchRoom
    return owner.room_id
