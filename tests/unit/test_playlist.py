"""The playlist that viewers are given."""

from __future__ import annotations

import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.settings import Settings
from control.supervisor import folders
from tests.e2e.ports import free_ports
from tests.support.playlists import AUDIO, HEAD, LATE, PICTURE, SOUND, START, VIDEO, Room, Web, packets, serving


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    # Not below tmp_path, whose name may be too long for a socket's.
    with tempfile.TemporaryDirectory(prefix="qplus-") as short:
        base = Path(short)
        settings = Settings(data_dir=base / "data", socket_dir=str(base / "sockets"), http_port=free_ports(1)[0])
        with folders.locked(settings):
            folders.prepare_sockets(settings)
            folders.prepare_hls(settings)
            base.chmod(0o711)  # nginx's workers are another user
            with serving(settings) as started:
                yield started


@pytest.fixture
def room(web: Web) -> Room:
    return web.room()


# --- what is listed


def test_a_stream_with_a_picture_is_given_as_it_was_written(room: Room) -> None:
    room.write(*[PICTURE] * 25, parted=True)
    status, text, headers = room.ask()
    assert (status, text) == (200, room.playlist())
    assert headers["content-type"] == "application/vnd.apple.mpegurl"
    assert (headers["access-control-allow-origin"], headers["cache-control"]) == ("*", "no-cache")


def test_sound_before_the_first_picture_is_left_out(room: Room) -> None:
    room.write(*[SOUND] * 3, LATE, PICTURE, parted=True)
    _, text, _ = room.ask()
    assert text == (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-TARGETDURATION:2\n"
        f"#EXT-X-DISCONTINUITY\n#EXTINF:1.000,\n{START + 3000}.ts\n#EXTINF:1.000,\n{START + 4000}.ts\n"
    )


def test_before_the_first_picture_there_is_no_playlist(room: Room) -> None:
    room.write(*[SOUND] * 8, parted=True)
    status, _, headers = room.ask()
    assert status == 404
    assert (headers["access-control-allow-origin"], headers["cache-control"]) == ("*", "no-cache")


def test_a_room_without_a_folder_has_no_playlist(web: Web, room: Room) -> None:
    room.folder.rmdir()
    assert room.ask()[0] == 404


def test_nothing_of_the_broadcast_before_is_listed(room: Room) -> None:
    room.write(*[PICTURE] * 4, parted=True)
    fresh = room.write(PICTURE, PICTURE, parted=True)
    _, text, _ = room.ask(since=fresh[0])
    assert "#EXT-X-MEDIA-SEQUENCE:4\n" in text and "#EXT-X-DISCONTINUITY\n#EXTINF:1.000,\n" + str(fresh[0]) in text
    assert room.listed(since=fresh[0]) == fresh
    assert room.listed(since=fresh[1] + 1) == []


def test_a_verdict_that_nginx_has_kept_tells_as_much(room: Room) -> None:
    room.write(PICTURE, PICTURE, parted=True)
    fresh = room.write(PICTURE, parted=True)
    answers = [room.ask(since=fresh[0], ticket="kept")[:2]]
    room.web.verdicts.of_tickets["kept"] = {}
    answers.append(room.web.get(f"/hls/kept/{room.id}/index.m3u8")[:2])
    assert answers[0] == answers[1] and "#EXT-X-MEDIA-SEQUENCE:2\n" in answers[1][1]


def test_whom_control_has_let_in_is_not_asked_about(room: Room) -> None:
    names = room.write(PICTURE, PICTURE, parted=True)
    room.keep("known")
    asked = len(room.web.verdicts.networks)
    for _ in range(3):
        status, text, headers = room.web.get(f"/hls/known/{room.id}/index.m3u8")
        assert (status, text) == (200, room.playlist())
        assert headers["content-type"] == "application/vnd.apple.mpegurl"
        assert (headers["access-control-allow-origin"], headers["cache-control"]) == ("*", "no-cache")
        assert not {"etag", "last-modified", "accept-ranges"} & {name.lower() for name in headers}
    status, _, headers = room.web.get(f"/hls/known/{room.id}/{names[0]}.ts")
    assert (status, headers["content-type"]) == (200, "video/mp2t")
    assert len(room.web.verdicts.networks) == asked


def test_it_is_not_asked_about_for_what_is_not_there(room: Room) -> None:
    room.keep("known")
    asked = len(room.web.verdicts.networks)
    assert room.web.get(f"/hls/known/{room.id}/index.m3u8")[0] == 404
    assert room.web.get(f"/hls/known/{room.id}/1.ts")[0] == 404
    assert len(room.web.verdicts.networks) == asked


def test_nobody_else_is_let_in_by_its_file(room: Room) -> None:
    room.write(PICTURE, PICTURE, parted=True)
    room.keep("known")
    other = room.web.room()
    for path in (f"know/{room.id}", f"known.x/{room.id}", f"..known/{room.id}", f"known/{other.id}"):
        assert room.web.get(f"/hls/{path}/index.m3u8")[0] in (403, 404)


def test_what_is_listed_changes_within_a_second(room: Room) -> None:
    """What was kept of it for others is not kept for longer."""
    room.keep("known")
    room.write(PICTURE, PICTURE, parted=True)
    for _ in range(3):
        room.write(PICTURE)
        deadline = time.monotonic() + 1
        while room.web.get(f"/hls/known/{room.id}/index.m3u8")[1] != room.playlist():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    kept = folders.temp(room.web.settings, "web") / "lists"
    assert 0 < len(list(kept.iterdir())) <= 4
    assert not list(kept.glob("*/*.*"))


def test_nothing_of_the_broadcast_before_is_kept_for_others(room: Room) -> None:
    room.write(*[PICTURE] * 4, parted=True)
    fresh = room.write(PICTURE, PICTURE, parted=True)
    room.keep("known", since=fresh[0])
    assert "#EXT-X-MEDIA-SEQUENCE:4\n" in room.web.get(f"/hls/known/{room.id}/index.m3u8")[1]


def test_where_nothing_can_be_kept_there_are_playlists(room: Room) -> None:
    room.keep("known")
    lists = folders.temp(room.web.settings, "web") / "lists"
    shutil.rmtree(lists, ignore_errors=True)
    lists.touch()
    try:
        for _ in range(2):
            room.write(PICTURE, parted=True)
            assert room.web.get(f"/hls/known/{room.id}/index.m3u8")[:2] == (200, room.playlist())
    finally:
        lists.unlink()


def test_a_publisher_that_is_back_goes_on_where_it_was(room: Room) -> None:
    before, again = room.write(*[PICTURE] * 4, parted=True), room.write(PICTURE, PICTURE, parted=True)
    assert room.listed() == before + again
    assert room.ask()[1].count("#EXT-X-DISCONTINUITY") == 2


def test_while_it_shows_no_picture_again_what_it_sent_before_stays(room: Room) -> None:
    before = room.write(*[PICTURE] * 4, parted=True)
    room.write(SOUND, SOUND, parted=True)
    assert room.listed() == before
    again = room.write(PICTURE)
    assert room.listed() == again  # or numbers would have a gap
    assert "#EXT-X-MEDIA-SEQUENCE:6\n" in room.ask()[1] and "#EXT-X-DISCONTINUITY" in room.ask()[1]


def test_a_camera_that_is_off_for_a_while_leaves_its_sound(room: Room) -> None:
    names = room.write(PICTURE, SOUND, SOUND, PICTURE)
    assert room.listed() == names


def test_a_segment_whose_file_is_gone_is_not_listed(room: Room) -> None:
    room.write(None, None, parted=True)
    assert room.listed() == []
    assert room.listed() + room.write(PICTURE, PICTURE) == room.listed()


# --- sound alone


def test_sound_alone_is_listed_once_it_is_known_to_be_that(room: Room) -> None:
    names = room.write(*[SOUND] * 3, parted=True)
    assert room.listed(sound_alone_at=START - 1) == []
    assert room.listed(sound_alone_at=START) == names


def test_sound_alone_is_listed_after_a_time_in_any_case(room: Room) -> None:
    room.write(*[SOUND] * 11, parted=True)
    assert room.listed() == []  # as much as comes before a picture with a key frame every eight seconds, and more
    room.write(SOUND)
    assert len(room.listed()) == 12


def test_what_was_told_of_the_publisher_before_is_not_believed_of_the_next(room: Room) -> None:
    sound = room.write(*[SOUND] * 3, parted=True)
    room.write(SOUND, parted=True)
    assert room.listed(sound_alone_at=sound[-1]) == sound
    picture = room.write(PICTURE)
    assert room.listed(sound_alone_at=sound[-1]) == picture


def test_a_camera_that_is_switched_on_later_is_shown(room: Room) -> None:
    sound = room.write(*[SOUND] * 14, parted=True)
    assert room.listed(sound_alone_at=sound[-1]) == sound
    picture = room.write(PICTURE)
    assert room.listed(sound_alone_at=sound[-1]) == picture


# --- numbers


def shown(text: str) -> dict[int, int]:
    """Names by their sequence numbers."""
    first = int(re.findall(r"MEDIA-SEQUENCE:(\d+)", text)[0])
    return dict(enumerate(map(int, re.findall(r"^(\d+)\.ts$", text, re.MULTILINE)), first))


@pytest.mark.parametrize("seed", range(8))
def test_a_number_never_changes_and_what_is_gone_stays_gone(room: Room, seed: int) -> None:
    entropy, known, first, told = random.Random(seed), dict[int, int](), 0, 0
    for _ in range(60):
        began = entropy.random() < 0.15
        names = room.write(entropy.choice([SOUND, PICTURE, LATE]), parted=began)
        if entropy.random() < 0.1:
            told = names[0]
        status, text, _ = room.ask(sound_alone_at=told)
        if status == 404:
            continue
        listed = shown(text)
        assert all(known.setdefault(number, name) == name for number, name in listed.items())
        assert min(listed) >= first
        first = min(listed)
        alone = [n for n in listed.values() if b"\x47\x41\x00" not in (room.folder / f"{n}.ts").read_bytes()]
        assert began or told or min(listed.values()) not in alone or len(alone) >= 12


# --- hostile files


@pytest.mark.parametrize("content", [b"", b"G", b"\x00" * 5000, packets(VIDEO)[:100], os.urandom(3000) + b"\x47"])
def test_what_is_no_transport_stream_does_no_harm(room: Room, content: bytes) -> None:
    room.write(content, parted=True)
    assert room.ask()[0] in (200, 404)
    good = room.write(PICTURE)
    assert room.listed()[-1:] == good


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "#EXTM3U\n",
        "#EXTINF:",
        "#EXTINF:1.000,",
        "#EXTINF:x,\n../../etc/passwd.ts\n",
        "#EXTINF:1.000,\n.ts\n",
        "#EXT-X-DISCONTINUITY\n" * 50 + "#EXTINF:1,\n5.ts\n",
        "#EXTINF:1.000,\n1.ts\n" * 3000,
    ],
)
def test_what_is_no_playlist_does_no_harm(room: Room, text: str) -> None:
    room.put(text)
    assert room.ask()[0] == 404


def test_no_more_is_read_than_can_be_read_soon(room: Room) -> None:
    sound = HEAD + packets(AUDIO) * 5000  # 0.9 MB
    names = room.write(*[sound] * 3, parted=True)
    room.ask()
    began = time.monotonic()
    assert room.listed() == names  # more is not looked for, and it counts as a picture
    assert time.monotonic() - began < 0.2
