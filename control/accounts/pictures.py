"""Head pictures: taken in any common form, kept in one of two, small and without what cameras write into them."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import struct
from dataclasses import dataclass

import sqlalchemy as sa
from PIL import Image, ImageOps

from control.accounts.users import User
from control.refusals import BadPicture
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Store
from control.storage.tables import head_pictures, users

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_BYTES = 4 * 2**20
MAX_PIXELS = 16_000_000  # as declared by the file, before any is decoded; 16 bytes of memory each
MAX_PIXELS_JPEG = 50_000_000  # which is decoded at a size near the one wanted
MAX_SIDE = 1024
ODD_EXIF = (AttributeError, struct.error)
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Picture:
    media_type: str
    content: bytes


class Pictures:
    def __init__(self, store: Store, changes: Changes) -> None:
        self._store = store
        self._changes = changes
        self._turn = asyncio.Lock()  # a picture of a few kilobytes can take hundreds of megabytes: one at a time

    async def replace(self, user: User, text: str) -> int:
        """The new picture's id. `text` is base64, with or without a `data:` prefix. Raises BadPicture."""
        async with self._turn:
            picture = await asyncio.to_thread(_taken_in, text)
        row = {"user_id": user.id, "media_type": picture.media_type, "content": picture.content}
        async with self._changes.writing() as (connection, note):
            made = await connection.fetch_one(head_pictures.insert().values(row).returning(head_pictures.c.id))
            assert made is not None
            await connection.execute(users.update().where(users.c.id == user.id).values(head_picture_id=made["id"]))
            # The one before stays: lists that were read a moment ago still name it.
            picture_id, of_user = head_pictures.c.id, head_pictures.c.user_id == user.id
            stale = sa.and_(of_user, picture_id != made["id"], picture_id != user.head_picture_id)
            await connection.execute(head_pictures.delete().where(stale))
            note(Change(Changed.USER, user_id=user.id))
        return int(made["id"])

    async def get(self, picture_id: int) -> Picture | None:
        query = sa.select(head_pictures.c.media_type, head_pictures.c.content)
        row = await self._store.fetch_one(query.where(head_pictures.c.id == picture_id))
        return Picture(row["media_type"], row["content"]) if row else None


def _taken_in(text: str) -> Picture:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if len(text) > MAX_BYTES * 3 // 2:
        raise BadPicture
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadPicture from None
    if not content or len(content) > MAX_BYTES:
        raise BadPicture
    return _encoded_again(content)


def _encoded_again(content: bytes) -> Picture:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as source:
            if source.width * source.height > (MAX_PIXELS_JPEG if source.format == "JPEG" else MAX_PIXELS):
                raise BadPicture
            source.draft("RGB", (MAX_SIDE, MAX_SIDE))
            ImageOps.exif_transpose(source, in_place=True)
            see_through = source.has_transparency_data
            image = source.convert("RGBA" if see_through else "RGB")
    # Pillow's decoders raise whatever their format's code raises on hostile bytes; none of it is our fault.
    except (*BOMBS, OSError, ValueError, SyntaxError, IndexError, KeyError, TypeError, EOFError, *ODD_EXIF):
        raise BadPicture from None
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    image.info.clear()
    out = io.BytesIO()
    if see_through:
        image.save(out, "PNG", optimize=True)
        return Picture("image/png", out.getvalue())
    image.save(out, "JPEG", quality=88, optimize=True)
    return Picture("image/jpeg", out.getvalue())
