from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from control.access.room_passwords import RoomPasswords
from control.access.vault import COLUMNS, Vault
from control.entropy import SystemEntropy
from control.settings import Settings
from control.storage import migrate
from control.storage.database import opened
from control.storage.integrity import Unusable
from control.storage.tables import rooms
from tests.support import world
from tests.support.people import go_live, person, watch
from tests.support.rows import add_user
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio

OLD = RoomPasswords("anchor-1", "assist-1", "viewer-1")
CHOSEN = {"liveRoomAnchorPwd": OLD.anchor, "liveRoomAssistPwd": OLD.assist, "liveRoomUserPwd": OLD.user}


def vault(*keys: str) -> Vault:
    return Vault({key: f"secret of {key}" for key in keys}, SystemEntropy())


def row(sealed: dict[str, str], owner_id: int = 7) -> dict[str, object]:
    return {**sealed, "owner_id": owner_id}


def stored(settings: Settings) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(settings.data_dir.glob("qplus.db*")))


def test_what_was_sealed_opens() -> None:
    assert vault("k1").passwords(row(vault("k1").seal(OLD, 7))) == OLD


def test_the_same_is_never_sealed_the_same_way() -> None:
    texts = [text for _ in range(10) for text in vault("k1").seal(OLD, 7).values()]
    assert len(set(texts)) == 30


def test_keys_of_before_open_and_the_newest_seals() -> None:
    both, old = vault("k2", "k1"), row(vault("k1").seal(OLD, 7))
    assert both.passwords(old) == OLD and not both.is_current(old)
    fresh = row(both.seal(OLD, 7))
    assert both.is_current(fresh) and vault("k2").passwords(fresh) == OLD


@pytest.mark.parametrize("change", ["owner", "column", "key", "text", "plain", "empty", "no text"])
def test_what_was_sealed_opens_only_in_its_place(change: str) -> None:
    sealed = vault("k1").seal(OLD, 7)
    anchor = sealed["anchor_password"]
    sealed["anchor_password"] = {
        "owner": vault("k1").seal(OLD, 8)["anchor_password"],
        "column": sealed["assist_password"],
        "key": anchor.replace("k1", "k9"),
        "text": anchor[:-6] + ("A" if anchor[-6] != "A" else "B") + anchor[-5:],
        "plain": OLD.anchor,
        "empty": "",
        "no text": "$k1$",
    }[change]
    with pytest.raises(Unusable):
        vault("k1").passwords(row(sealed))


async def test_no_password_stands_in_the_database(settings: Settings) -> None:
    async with world.box(settings) as box:
        ann, bob = await person(box), await person(box, "bob", 2)
        room = await ann.opens(**CHOSEN)
        issued = await bob.opens()
        await ann.does("ModifyMyLiveRoom", liveRoomUserPwd="viewer-2")
        secrets = [*CHOSEN.values(), "viewer-2", *(issued[f"liveRoom{who}Pwd"] for who in ("Anchor", "Assist", "User"))]
        assert [secret for secret in secrets if secret.encode() in stored(settings)] == []
    async with world.box(settings, box.nginx, box.clock) as after:
        ann.box = after
        assert (await ann.does("GetMyLiveRoom"))["liveRoomUserPwd"] == "viewer-2"
        await go_live(after, room)
        assert await watch(after, 7, room["liveRoomId"], "pwd=viewer-2") == 204
    assert [secret for secret in secrets if secret.encode() in stored(settings)] == []


async def test_passwords_of_a_release_before_are_sealed(tmp_path: Path) -> None:
    settings = world.quick_settings(tmp_path)
    migrate.upgrade(settings.database, to="0002")
    async with opened(settings.database, HandClock()) as store:
        plain = dict(zip(COLUMNS, (OLD.anchor, OLD.assist, OLD.user), strict=True))
        texts = {"name": "a room", "description": "", "topic": ""}
        numbers = {"is_open": False, "password_generation": 1, "follow_count": 0, "gate_shut_until": 0, "created_at": 0}
        owner = await add_user(store, 1)
        await store.write(rooms.insert().values(owner_id=owner, **plain, **texts, **numbers))
    async with world.box(settings) as box:
        assert await watch(box, 7, 1000001, f"pwd={OLD.user}") == 204
        assert await watch(box, 8, 1000001, "pwd=viewer-9") == 403
    assert [secret for secret in plain.values() if secret.encode() in stored(settings)] == []


async def test_passwords_are_sealed_anew_with_a_new_key(settings: Settings) -> None:
    async with world.box(settings) as box:
        ann = await person(box)
        await ann.opens(**CHOSEN)
    keys = settings.data_dir / "keys" / "rooms"
    old = keys.read_text()
    for text in ("k2 of-today\n" + old, "k2 of-today\n"):
        keys.write_text(text)
        async with world.box(settings, box.nginx, box.clock) as after:
            ann.box = after
            assert (await ann.does("GetMyLiveRoom"))["liveRoomAnchorPwd"] == OLD.anchor


@pytest.mark.sqlite
async def test_a_damaged_room_is_closed_and_its_owner_mends_it(settings: Settings) -> None:
    async with world.box(settings) as box:
        ann, bob = await person(box), await person(box, "bob", 2)
        room, other = await ann.opens(), await bob.opens(**CHOSEN)
        number, right = room["liveRoomId"], f"pwd={room['liveRoomUserPwd']}"
    with closing(sqlite3.connect(settings.data_dir / "qplus.db")) as database, database:
        broken = ", ".join(f"{column} = '$k1$AAAA'" for column in COLUMNS)
        database.execute(f"UPDATE rooms SET {broken} WHERE id = ?", [number])
    with capture_logs() as lines:
        async with world.box(settings, box.nginx, box.clock) as after:
            ann.box = bob.box = after
            for client, shown in enumerate(["", "pwd=", right, "pwd=$k1$AAAA"]):
                assert await watch(after, 20 + client, number, shown) == 403
                assert await after.callback("publish", 30 + client, str(number), shown) == 403
            await bob.finds(number)
            assert await watch(after, 7, other["liveRoomId"], f"pwd={OLD.user}") == 204
            await ann.does("PushLiveStream", liveRoomId=number, status=0)
            await ann.does("PushLiveStream", liveRoomId=number, status=1)
            assert (await ann.does("GetMyLiveRoom"))["liveRoomAnchorPwd"] == ""
            await ann.does("ModifyMyLiveRoom", liveRoomId=number, liveRoomAnchorPwd="anchor-2")
            mended = await ann.does("GetMyLiveRoom")
            assert mended["liveRoomAnchorPwd"] == "anchor-2" and mended["liveRoomUserPwd"] not in ("", right[4:])
            assert await watch(after, 8, number, f"pwd={mended['liveRoomUserPwd']}") == 204
    said = [line for line in lines if line["log_level"] == "error"]
    assert said == [{"event": "room's passwords do not open", "room": number, "log_level": "error"}]


@pytest.mark.parametrize("how", ["gone", "another"])
async def test_a_lost_key_is_said_in_one_line(settings: Settings, how: str) -> None:
    async with world.box(settings) as box:
        await (await person(box)).opens()
    keys = settings.data_dir / "keys" / "rooms"
    keys.unlink()
    if how == "another":
        keys.write_text("k1 another\n")
    with pytest.raises(Unusable, match=r"passwords.*docs/operations\.md, Backup") as raised:
        async with world.box(settings):
            pass
    assert str(keys) in str(raised.value) and "\n" not in str(raised.value)
    assert keys.exists() == (how == "another")


@pytest.mark.parametrize("name", ["rooms", "tickets"])
@pytest.mark.parametrize("content", [b"", b"\n", b"one-word", b"k1 key\nk2", b"\xff\0"])
async def test_a_damaged_file_of_keys_is_said_in_one_line(settings: Settings, name: str, content: bytes) -> None:
    async with world.box(settings) as box:
        await (await person(box)).opens()
    keys = settings.data_dir / "keys" / name
    keys.write_bytes(content)
    with pytest.raises(Unusable, match=r"docs/operations\.md, Backup") as raised:
        async with world.box(settings):
            pass
    assert str(keys) in str(raised.value) and "\n" not in str(raised.value)
    assert keys.read_bytes() == content


async def test_keys_are_their_owners_alone(settings: Settings) -> None:
    keys = settings.data_dir / "keys"
    keys.mkdir(mode=0o755)  # as a release before made it
    async with world.box(settings):
        pass
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()} == {0o600}


def test_a_database_with_rooms_is_not_migrated_without_a_key(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'qplus.db'}"
    migrate.upgrade(url, to="0002")
    with closing(sqlite3.connect(tmp_path / "qplus.db")) as connection:
        for table in ("users", "rooms"):
            names = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('1' for _ in names)})")
        connection.commit()
    with pytest.raises(TypeError):
        migrate.upgrade(url)
    with sa.create_engine(url).connect() as connection_:
        assert connection_.scalar(sa.select(rooms.c.anchor_password)) == "1"
