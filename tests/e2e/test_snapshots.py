"""Pictures of live rooms: made, served to those who may see them, and kept."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.e2e.conftest import Node, Room, running, until
from tests.e2e.encoders import KINDS, encoder, pushing

pytestmark = pytest.mark.anyio

SOUND = KINDS["sound alone"]


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    started = Node(tmp_path / "data", snapshot_seconds=2)
    async with running(started):
        yield started


async def shown(node: Node, room: Room, session: str) -> dict[str, Any]:
    """The room as this user sees it, once it has a picture."""

    async def with_picture() -> dict[str, Any] | None:
        found: dict[str, Any] = await node.api("SearchLiveRoom", sessionId=session, keyword=str(room.id))
        return found if found["snapshotUrl"] else None

    answer: dict[str, Any] = await until(with_picture, 20)
    return answer


async def picture(url: str) -> Image.Image:
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    return Image.open(io.BytesIO(answer.content))


def sharpness(image: Image.Image) -> int:
    """The largest step of brightness from one pixel to the next, within a row in the middle."""
    row = image.convert("L").crop((0, image.height // 2, image.width, image.height // 2 + 1))
    return max(abs(left - right) for left, right in pairwise(row.tobytes()))


SHARP, BLURRED = 60, 30


async def test_a_live_room_has_a_picture_and_keeps_it(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    async with encoder(f"{node.rtmp}/{room.push}"):
        first = (await shown(node, room, viewer))["snapshotUrl"]
        image = await picture(first)
        assert max(image.size) <= 640 and sharpness(image) > SHARP

        async def another() -> bool:
            return bool((await shown(node, room, viewer))["snapshotUrl"] != first)

        await until(another, 10)
    await node.off_air(room)
    kept = (await shown(node, room, viewer))["snapshotUrl"]
    assert (await picture(kept)).size == image.size
    node.stop()
    node.start()
    await node.ready()
    assert (await shown(node, room, viewer))["snapshotUrl"] == kept


async def test_of_a_private_room_strangers_see_a_blur(node: Node) -> None:
    room, viewer = await node.room(liveRoomUserPwd="secret-2"), await node.user()
    async with encoder(f"{node.rtmp}/{room.push}"):
        blurred = (await shown(node, room, viewer))["snapshotUrl"]
        played = await node.api(
            "PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1, liveRoomUserPwd="secret-2"
        )
        site = str(node.http.base_url).rstrip("/")
        ticket = played["playHlsUrl"].split("/")[-3]
        clear = f"{site}/snapshot/{ticket}/{room.id}.jpg"
        assert sharpness(await picture(blurred)) < BLURRED
        assert sharpness(await picture(clear)) > SHARP
        await node.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=0)

        async def refused() -> bool:
            return (await node.http.get(clear)).status_code == 403

        await until(refused, 5)


async def test_a_room_that_is_made_private_is_blurred_at_once(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    async with encoder(f"{node.rtmp}/{room.push}"):
        url = (await shown(node, room, viewer))["snapshotUrl"]
        assert sharpness(await picture(url)) > SHARP
        await node.api("ModifyMyLiveRoom", sessionId=room.session, liveRoomUserPwd="secret-2")
        assert sharpness(await picture(url)) < BLURRED
        await node.api("ModifyMyLiveRoom", sessionId=room.session, isOpen=1)
        assert sharpness(await picture(url)) > SHARP


async def test_there_is_none_of_what_is_no_room(node: Node) -> None:
    for path in ("/snapshot/1000009.jpg", "/snapshot/0.jpg", "/snapshot/../qplus.db", "/snapshot/x/1000001.jpg"):
        assert (await node.http.get(path)).status_code in (403, 404)


async def test_sound_alone_has_no_picture_and_another_rooms_comes(node: Node) -> None:
    sound, room, viewer = await node.room(), await node.room(), await node.user()
    async with pushing(f"{node.rtmp}/{sound.push}", SOUND.arguments), encoder(f"{node.rtmp}/{room.push}"):
        await shown(node, room, viewer)
        found = await node.api("SearchLiveRoom", sessionId=viewer, keyword=str(sound.id))
        assert found["snapshotUrl"] == ""
