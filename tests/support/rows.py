"""Rows that other rows refer to."""

from __future__ import annotations

from control.access.room_passwords import RoomPasswords
from control.access.vault import Vault
from control.entropy import SystemEntropy
from control.storage.database import Store
from control.storage.tables import rooms, users

VAULT = Vault({"k1": "the key of tests"}, SystemEntropy())


async def add_user(store: Store, number: int) -> int:
    """The user's id."""
    row = {
        "account": f"user{number}",
        "account_key": f"user{number}",
        "phone": f"+86135{number:08}",
        "password_hash": "",
        "nick_name": "",
        "sex": 0,
        "address": "",
        "head_picture_id": 0,
        "created_at": 0.0,
    }
    async with store.writing() as connection:
        made = await connection.fetch_one(users.insert().values(row).returning(users.c.id))
    assert made is not None
    return int(made["id"])


async def add_room(store: Store, number: int) -> int:
    """The id of a room of a new user."""
    row = {
        "owner_id": (owner := await add_user(store, number)),
        **VAULT.seal(RoomPasswords("anchor-pwd", "assist-pwd", "viewing-pwd"), owner),
        "is_open": True,
        "password_generation": 1,
        "name": f"room {number}",
        "description": "",
        "topic": "",
        "follow_count": 0,
        "gate_shut_until": 0.0,
        "created_at": 0.0,
    }
    async with store.writing() as connection:
        made = await connection.fetch_one(rooms.insert().values(row).returning(rooms.c.id))
    assert made is not None
    return int(made["id"])
