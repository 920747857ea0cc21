"""What a room is found by: every letter and every two letters in a row of its name, topic and anchor's name.

Two letters are a word in Chinese, so an index of words or of longer pieces would miss what people type.
"""

from __future__ import annotations

from enum import IntEnum

import sqlalchemy as sa

from control.accounts.identity import folded
from control.storage.database import insert, listed, numbered
from control.storage.tables import room_grams, rooms


class Field(IntEnum):
    """Where a room was found; the better first."""

    NAME = 0
    TOPIC = 1
    ANCHOR = 2


def n_grams(text: str) -> set[str]:
    letters = folded(text)
    return set(letters) | {letters[at : at + 2] for at in range(len(letters) - 1)}


def whole_name(text: str) -> str:
    """The piece that only a room of this very name has."""
    return f"name:{folded(text)}"


def wanted(keyword: str) -> set[str]:
    """The pieces that whatever contains the keyword has, and not many others have."""
    letters = folded(keyword)
    return {letters} if len(letters) == 1 else {piece for piece in n_grams(letters) if len(piece) == 2}


def indexed(these: sa.ColumnElement[bool], texts: dict[Field, str]) -> list[sa.sql.ClauseElement]:
    """The statements that make these of `rooms` be found by the texts, and no longer by what they were before."""
    pieces = [(piece, field) for field, text in texts.items() for piece in sorted(n_grams(text))]
    if Field.NAME in texts:
        pieces.append((whole_name(texts[Field.NAME]), Field.NAME))
    found_by = listed(pieces, room_grams.c["gram", "field"]).subquery()
    fields = sa.select(numbered([*texts]).c.value)
    return [
        room_grams.delete().where(
            room_grams.c.room_id.in_(sa.select(rooms.c.id).where(these)), room_grams.c.field.in_(fields)
        ),
        insert(room_grams).from_select(
            ["gram", "field", "room_id"],
            sa.select(found_by.c.gram, found_by.c.field, rooms.c.id).select_from(found_by.join(rooms, these)),
        ),
    ]


def anchor_renamed(user_id: int, nick_name: str) -> list[sa.sql.ClauseElement]:
    """To be written together with a user's new name, whether or not they have a room: it may have been made since."""
    return indexed(rooms.c.owner_id == user_id, {Field.ANCHOR: nick_name})
