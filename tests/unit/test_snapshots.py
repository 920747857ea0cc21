from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import structlog

from control.clock import SystemClock
from control.snapshots import decoding as decoding_module
from control.snapshots.album import Album, newest_segment
from control.snapshots.decoder import sample
from control.snapshots.decoding import Decoding
from control.snapshots.messages import NONE, Picture
from control.snapshots.snapshots import AGAIN, REST, Snapshots
from control.storage.changes import Change, Changed
from tests.support.stage import Stage

pytestmark = pytest.mark.anyio
EVERY = 15.0


class Decoded:
    """Stands in for the decoder: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.answer: Picture = (b"clear", b"blurred")

    async def picture(self, segment: bytes) -> Picture:
        self.asked.append(segment)
        return self.answer


class Made:
    """Snapshots of a stage's rooms, made by hand."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        live = stage.box.running.live
        self.stage, self.decoder, self.folder = stage, Decoded(), folder
        self.segments = folder / "hls" / str(stage.id)
        self.snapshots = Snapshots(
            presence=live.presence,
            rights=live.rights,
            album=Album(folder / "album"),
            decoding=cast(Decoding, self.decoder),
            segments=folder / "hls",
            every=EVERY,
            clock=stage.box.clock,
        )

    def write(self, text: str = "#EXTM3U\n1800.ts\n", content: bytes = b"media") -> None:
        self.segments.mkdir(parents=True, exist_ok=True)
        (self.segments / "index.m3u8").write_text(text)
        (self.segments / "1800.ts").write_bytes(content)

    async def after(self, seconds: float) -> int:
        """How many pictures were asked for in all."""
        self.stage.box.clock.advance(seconds)
        await self.snapshots.step()
        return len(self.decoder.asked)

    def shown(self) -> bytes:
        return (self.folder / "album" / "public" / f"{self.stage.id}.jpg").read_bytes()


@pytest.fixture
async def made(stage: Stage, tmp_path: Path) -> Made:
    await stage.publish(1)
    await stage.box.settle()
    done = Made(stage, tmp_path)
    await done.snapshots.load()
    return done


async def test_a_live_room_has_a_picture_every_few_seconds(made: Made) -> None:
    made.write()
    assert await made.after(0) == 1 and made.shown() == b"clear"
    assert await made.after(EVERY - 0.1) == 1
    assert await made.after(0.1) == 2
    await made.stage.leave(1)
    assert await made.after(EVERY) == 2
    assert made.snapshots.taken_at(made.stage.id) > 0 and made.shown() == b"clear"


async def test_one_that_gives_none_is_tried_again_soon(made: Made) -> None:
    assert await made.after(0) == 0
    made.write()
    made.decoder.answer = NONE
    assert await made.after(AGAIN) == 1
    assert made.snapshots.taken_at(made.stage.id) == 0
    made.decoder.answer = b"clear", b"blurred"
    assert await made.after(AGAIN) == 2
    assert made.snapshots.taken_at(made.stage.id) > 0


async def test_between_two_there_is_a_rest_as_long_as_they_take(made: Made) -> None:
    made.write()

    class Busy(Decoded):
        async def picture(self, segment: bytes) -> Picture:
            made.stage.box.clock.advance(0.5)
            return await super().picture(segment)

    busy = Busy()
    made.snapshots.decoding, made.snapshots.every = cast(Decoding, busy), 0.1
    await made.snapshots.step()
    turn = asyncio.ensure_future(made.snapshots.next_turn())
    await asyncio.sleep(0)
    made.stage.box.clock.advance(0.5 * REST - 0.1)
    await asyncio.sleep(0)
    assert not turn.done()
    made.stage.box.clock.advance(0.2)
    await asyncio.wait_for(turn, 1)


async def test_none_are_made_where_none_are_wanted(made: Made) -> None:
    made.write()
    made.snapshots.every = 0
    assert await made.after(100) == 0


async def test_a_private_rooms_is_blurred_for_everybody(made: Made) -> None:
    made.write()
    await made.after(0)
    await made.stage.box.api("ModifyMyLiveRoom", sessionId=made.stage.session, liveRoomUserPwd="secret-2")
    await made.snapshots.reconsider(Change(Changed.ROOM, made.stage.id))
    assert made.shown() == b"blurred"
    assert await made.after(EVERY) == 2 and made.shown() == b"blurred"
    await made.stage.box.api("ModifyMyLiveRoom", sessionId=made.stage.session, isOpen=1)
    await made.snapshots.reconsider(Change(Changed.ROOM, made.stage.id))
    assert made.shown() == b"clear"


async def test_a_deleted_rooms_is_gone_and_none_comes_after_it(made: Made) -> None:
    made.write()
    await made.after(0)
    await made.stage.box.api("DeleteMyAccount", sessionId=made.stage.session, password="secret-1")
    for _ in range(2):
        await made.snapshots.reconsider(Change(Changed.ACCOUNT, made.stage.id))
    assert await made.snapshots._make(made.stage.id) is False
    assert made.snapshots.taken_at(made.stage.id) == 0
    assert not [file for file in (made.folder / "album").rglob("*") if file.is_file()]


async def test_what_there_was_is_found_again(made: Made) -> None:
    made.write()
    await made.after(0)
    (made.folder / "album" / "clear" / "x.jpg").touch()
    again = Made(made.stage, made.folder)
    await again.snapshots.load()
    assert again.snapshots.taken_at(made.stage.id) > 0


@pytest.mark.parametrize("text", ["", "#EXTM3U\n", "../../secret.ts\n", "1800.ts\n1801.ts\n", "x" * 100])
def test_a_playlist_that_lists_no_segment_gives_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.m3u8").write_text(text)
    (tmp_path / "1800.ts").write_bytes(b"media")
    assert newest_segment(tmp_path, 100) == b""


def test_a_segment_is_read_no_further_than_that(tmp_path: Path) -> None:
    (tmp_path / "index.m3u8").write_text("#EXTM3U\n1799.ts\n1800.ts\n")
    (tmp_path / "1800.ts").write_bytes(b"media")
    assert newest_segment(tmp_path, 3) == b"med"


# --- the process


@pytest.fixture
async def decoding() -> AsyncIterator[Decoding]:
    made = Decoding(SystemClock())
    yield made
    await made.close()


async def test_a_picture_comes_from_a_process_that_stays(decoding: Decoding) -> None:
    answers = await asyncio.gather(*(decoding.picture(content) for content in (sample(), b"", sample())))
    assert [all(answer) for answer in answers] == [True, False, True]
    child = decoding._child
    assert child and child.returncode is None
    await decoding.close()
    assert child.returncode is not None


async def test_one_that_ends_is_started_anew(decoding: Decoding) -> None:
    assert all(await decoding.picture(sample()))
    assert decoding._child
    decoding._child.kill()
    with structlog.testing.capture_logs() as logs:
        assert await decoding.picture(sample()) == NONE
    assert [each["event"] for each in logs] == ["decoder ended"]
    assert all(await decoding.picture(sample()))


async def test_one_that_does_not_answer_is_ended(decoding: Decoding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding_module, "PATIENCE", 0.2)
    silent = await asyncio.create_subprocess_exec("sleep", "60", stdin=PIPE, stdout=PIPE)
    decoding._child = silent
    assert await decoding.picture(b"x") == NONE
    assert silent.returncode is not None


async def test_a_question_that_is_given_up_leaves_no_answer_to_the_next(decoding: Decoding) -> None:
    asked = asyncio.create_task(decoding.picture(sample()))
    await asyncio.sleep(0.01)
    asked.cancel()
    await asyncio.wait([asked])
    assert asked.cancelled()
    assert not any(await decoding.picture(b""))
