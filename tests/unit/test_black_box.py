"""What is kept of who was here, and what is told from it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.access.verdicts import Credentials, Role, TicketClaims
from control.blackbox.box import LONGEST, BlackBox
from control.blackbox.recorder import MOST, REFUSALS, Line, Recorder
from control.blackbox.replay import Replay, kept, masked
from control.blackbox.ring import FILES, Ring, began, files, read
from control.blackbox.story import ENDINGS, REASONS, Story, tell
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence, Session, SessionKey
from control.live.states import Ending
from control.nginx_rtmp.reconcile import LOOK
from control.ops.causes import because
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio
ROOM = 1000001


class Here:
    """Who is here, and what is kept of it."""

    def __init__(self, folder: Path, most: int = 2**20) -> None:
        self.clock, self.folder = HandClock(), folder
        self.recorder = Recorder(self.clock)
        self.presence = Presence(self.clock, self.recorder)
        self.heartbeats = Heartbeats(self.clock, self.presence.changed, self.recorder)
        self.box = BlackBox(
            recorder=self.recorder,
            presence=self.presence,
            heartbeats=self.heartbeats,
            ring=Ring(folder, most),
            clock=self.clock,
            node="a",
        )

    def comes(self, client: int, role: Role = Role.PLAYER, *, user: int = 0, why: str = "play") -> SessionKey:
        because.set(why)
        key = SessionKey("a", "s3cret-start", client)
        ticket = TicketClaims(ROOM, user, 1, 9) if user else None
        shown = Credentials("s3cret-password", ticket)
        self.presence.admit(Session(key, role, ROOM, f"192.0.2.{client}", self.clock.ticks(), shown))
        return key

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def tells(self, minutes: float = 10) -> Story:
        await self.box.write()
        now = self.clock.now()
        story = tell(kept(self.folder, now - 60 * minutes), ROOM, now - 60 * minutes, now)
        assert story is not None
        return story


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    before = because.set("")
    yield Here(tmp_path / "box")
    because.reset(before)


async def test_a_room_is_live_because_its_publisher_was_heard(here: Here) -> None:
    await here.box.write()
    key = here.comes(17, Role.PUBLISHER, why="publish")
    here.comes(18)
    here.comes(19, user=5)
    here.comes(20, user=5)
    here.heartbeats.beat(ROOM, 6, Credentials(), "192.0.2.99")
    here.passes(1)
    because.set("update")
    here.presence.hear(key, 500)
    here.passes(2)
    story = await here.tells()
    assert (story.live, story.players, story.over_hls, story.node) == (True, 4, 1, "a")
    assert story.why.startswith("publisher 17 from 192.0.2.17 was heard of 2.0 s before")
    assert [each.text for each in story.happened][1:] == [
        "publisher 17 came from 192.0.2.17: nginx asked, and was told yes",
        "player 18 came from 192.0.2.18: nginx asked, and was told yes",
        "player 19 came from 192.0.2.19: nginx asked, and was told yes",
        "player 20 came from 192.0.2.20: nginx asked, and was told yes",
        "viewer over HLS came from 192.0.2.99",
        "publisher 17 sends media, and the room is live: nginx asked again",
    ]


async def test_why_somebody_is_here_no_more_is_told(here: Here) -> None:
    key = here.comes(17, Role.PUBLISHER, why="publish")
    because.set(LOOK)
    here.presence.hear(key, 500)
    here.presence.end(key, Ending.LOST)
    here.recorder.note_refusal("publish", ROOM, "192.0.2.9", "wrong password")
    story = await here.tells()
    assert LOOK in REASONS
    assert (story.live, story.why) == (False, "nobody publishes")
    assert [each.text for each in story.happened][-2:] == [
        f"publisher 17 is over, {ENDINGS[Ending.LOST]}",
        "publish refused from 192.0.2.9: wrong password",
    ]


async def test_no_secret_is_kept(here: Here) -> None:
    here.comes(17, Role.PUBLISHER)
    await here.box.write()
    text = "".join(str(line) for file in files(here.folder) for line in read(file))
    assert "192.0.2.17" in text and "s3cret" not in text
    assert {file.stat().st_mode & 0o777 for file in files(here.folder)} == {0o600}


async def test_a_file_is_understood_without_those_before(here: Here) -> None:
    key = here.comes(17, Role.PUBLISHER)
    here.presence.hear(key, 500)
    here.heartbeats.beat(ROOM, 6, Credentials(), "192.0.2.99")
    await here.box.write()
    here.passes(LONGEST + 1)
    await here.box.write()
    first, second = files(here.folder)
    first.unlink()
    here.passes(1)
    story = await here.tells()
    assert (story.live, story.players) == (True, 1)
    assert began(second) == here.clock.now() - 1


async def test_its_size_is_bounded(tmp_path: Path) -> None:
    most = 64_000
    here = Here(tmp_path / "box", most)
    for number in range(1, 60):
        for client in range(number * 100, number * 100 + 100):
            here.presence.end(here.comes(client))
        here.passes(1)
        await here.box.write()
    sizes = [file.stat().st_size for file in files(here.folder)]
    assert len(sizes) > 2 and sum(sizes) <= most + max(sizes) and max(sizes) < 3 * most / FILES
    assert (await here.tells()).players == 0


async def test_a_piece_that_was_not_written_whole_is_left_out(here: Here) -> None:
    here.comes(17, Role.PUBLISHER)
    await here.box.write()
    here.comes(18)
    await here.box.write()
    [file] = files(here.folder)
    whole = list(read(file))
    file.write_bytes(file.read_bytes()[:-40])
    left = list(read(file))
    assert left == whole[: len(left)] and 3 <= len(left) < len(whole)
    file.write_bytes(b"no gzip at all")
    assert list(read(file)) == []


async def test_what_waits_for_a_disk_is_bounded_and_said(here: Here) -> None:
    for _ in range(MOST + 10):
        here.recorder.tell_time()
    lines = here.recorder.take()
    assert len(lines) == MOST + 1 and lines[-1][1:] == ["lost", 10]


async def test_refusals_without_end_fill_no_file_and_are_counted(here: Here) -> None:
    for _ in range(REFUSALS + 10):
        here.recorder.note_refusal("play", ROOM, "192.0.2.9", "wrong password")
    story = await here.tells()
    assert len(story.happened) == REFUSALS + 2
    assert story.happened[-1].text == "10 more were refused, of all rooms"


async def test_what_a_full_disk_took_is_not_missed_later(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = here.comes(17)
    await here.box.write()
    here.presence.end(gone)
    with monkeypatch.context() as disk:
        disk.setattr(Ring, "write", full)
        with pytest.raises(OSError):
            await here.box.write()
    here.comes(18)
    here.passes(1)
    assert (await here.tells()).players == 1
    assert len(files(here.folder)) == 2


def full(ring: Ring, lines: object) -> None:
    raise OSError("no space left")


async def test_nothing_is_kept_where_nothing_is_to_be(here: Here) -> None:
    box = BlackBox(
        recorder=here.recorder,
        presence=here.presence,
        heartbeats=here.heartbeats,
        ring=None,
        clock=here.clock,
        node="a",
    )
    here.comes(17)
    await box.write()
    assert here.recorder.take() == [] and not here.folder.exists()


async def test_addresses_are_left_out_of_a_record(here: Here) -> None:
    here.presence.end(here.comes(17))
    here.comes(17)
    here.heartbeats.beat(ROOM, 6, Credentials(), "192.0.2.99")
    here.recorder.note_refusal("play", ROOM, "192.0.2.17", "wrong password")
    await here.box.write()

    def record(addresses: bool = False) -> list[Line]:
        return list(masked(kept(here.folder, 0), here.clock.now() + 1, addresses))

    assert "192.0.2" not in str(record()) and "192.0.2.99" in str(record(addresses=True))
    assert [line[4] for line in record() if line[1] == "refused"] == ["address 1"]
    replay = Replay()
    for line in record():
        replay.play(line)
    assert [session.address for session in replay.presence.all()] == ["address 1"]


def test_nothing_is_told_where_nothing_is_kept(tmp_path: Path) -> None:
    assert tell(kept(tmp_path, 0), ROOM, 0, 1) is None
    with gzip.open(tmp_path / "1.jsonl.gz", "wb"):
        pass
    assert tell(kept(tmp_path, 0), ROOM, 0, 1) is None
