"""What a room is found by: every letter and every two letters in a row of its name, topic and anchor's name.

Two letters are a word in Chinese, so an index of words or of longer pieces would miss what people type.
"""

from __future__ import annotations

from enum import IntEnum

import sqlalchemy as sa

from control.accounts.identity import folded
from control.storage.database import insert, listed, numbered
from control.storage.tables import room_grams


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


def indexed(room_id: int, texts: dict[Field, str]) -> list[sa.sql.ClauseElement]:
    """The statements that make a room be found by these texts, and no longer by what they were before."""
    pieces = [(piece, field, room_id) for field, text in texts.items() for piece in sorted(n_grams(text))]
    if Field.NAME in texts:
        pieces.append((whole_name(texts[Field.NAME]), Field.NAME, room_id))
    columns = ["gram", "field", "room_id"]
    fields = sa.select(numbered([*texts]).c.value)
    return [
        room_grams.delete().where(room_grams.c.room_id == room_id, room_grams.c.field.in_(fields)),
        insert(room_grams).from_select(columns, listed(pieces, columns)),
    ]


def anchor_renamed(room_id: int, nick_name: str) -> list[sa.sql.ClauseElement]:
    """To be written together with the owner's new name. Nothing for an owner without a room (0)."""
    return indexed(room_id, {Field.ANCHOR: nick_name}) if room_id else []
