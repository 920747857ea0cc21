from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from control.settings import Settings
from tests.support import world
from tests.support.people import Person, go_live, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(settings.data_dir / "qplus.db")) as database:
        return database.execute(query).fetchall()


async def test_a_session_id_has_32_characters_and_none_is_like_another(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    assert len(ann.session) == len(bob.session) == 32
    assert ann.session != bob.session


async def test_each_use_renews_the_hour(box: Box) -> None:
    ann = await person(box)
    for _ in range(5):
        box.clock.advance(3600)
        assert await ann.is_logged_in()
    box.clock.advance(3600.1)
    assert not await ann.is_logged_in()


async def test_a_refused_request_renews_the_hour_too(box: Box) -> None:
    ann = await person(box)
    box.clock.advance(3000)
    assert (await ann.says("GetMyLiveRoom"))["status"] == 10202
    box.clock.advance(3000)
    assert await ann.is_logged_in()


async def test_an_expired_session_stays_so(box: Box) -> None:
    ann = await person(box)
    box.clock.advance(3601)
    assert not await ann.is_logged_in()
    assert not await ann.is_logged_in()


async def test_a_session_survives_a_restart_with_its_last_use(settings: Settings) -> None:
    async with world.box(settings) as before:
        ann = await person(before)
        before.clock.advance(3000)
        assert await ann.is_logged_in()
    async with world.box(settings, clock=before.clock) as after:
        ann.box = after
        after.clock.advance(3000)
        assert await ann.is_logged_in()
        after.clock.advance(3601)
        assert not await ann.is_logged_in()


async def test_sessions_of_one_user_live_side_by_side(box: Box) -> None:
    ann = await person(box)
    other = (await box.api("Login", account="ann", password="secret-1"))["sessionId"]
    box.clock.advance(3000)
    assert await ann.is_logged_in()
    box.clock.advance(3000)
    assert await ann.is_logged_in()
    assert (await ann.says("GetMyLiveRoomId", sessionId=other))["status"] == 10003


async def test_each_session_turns_its_own_pages(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    rooms = [await ann.opens(), await bob.opens()]
    await go_live(box, *rooms)
    phone = Person(box, "ann", ann.phone, (await box.api("Login", account="ann", password="secret-1"))["sessionId"])
    newest, oldest = rooms[1]["liveRoomId"], rooms[0]["liveRoomId"]
    assert await ann.page(count=1) == [newest]
    assert await phone.page(count=1) == [newest]
    assert await ann.page(count=1, refresh=0) == await phone.page(count=1, refresh=0) == [oldest]


@pytest.mark.sqlite
async def test_only_a_digest_of_a_session_id_is_stored(box: Box, settings: Settings) -> None:
    ann = await person(box)
    assert rows(settings, "SELECT digest FROM sessions") == [(hashlib.sha256(ann.session.encode()).hexdigest(),)]
    files = [path.read_bytes() for path in settings.data_dir.glob("qplus.db*")]
    assert not any(ann.session.encode() in content for content in files)


@pytest.mark.sqlite
async def test_an_expired_session_is_cleared_away(settings: Settings) -> None:
    async with world.box(settings) as box:
        await person(box)
        box.clock.advance(3601)
    assert rows(settings, "SELECT * FROM sessions") == []


@pytest.mark.sqlite
async def test_a_session_ends_after_thirty_days_however_it_is_used(settings: Settings) -> None:
    async with world.box(settings) as box:
        ann = await person(box)
        for _ in range(30 * 24):
            box.clock.advance(3600)
            assert await ann.is_logged_in()
        box.clock.advance(1)
        assert not await ann.is_logged_in()
    assert rows(settings, "SELECT * FROM sessions") == []


async def test_a_user_sees_and_ends_their_sessions(box: Box) -> None:
    ann = await person(box)
    box.clock.advance(60)
    login = {"account": "ann", "password": "secret-1"}
    phone = (await box.http.post("/live/Login", json=login, headers={"User-Agent": "phone \x1b[2J" + "x" * 200})).json()
    shown = (await ann.does("GetMySessions"))["list"]
    assert [(each["isCurrent"], each["loginTime"]) for each in shown] == [(0, 1800000060), (1, 1800000000)]
    assert shown[0]["client"].startswith("phone  [2J") and len(shown[0]["client"]) == 128
    assert phone["sessionId"] not in str(shown)
    await ann.does("EndSession", loginId=shown[0]["loginId"])
    assert (await ann.says("GetMyLiveRoomId", sessionId=phone["sessionId"]))["status"] == 10003
    assert [each["isCurrent"] for each in (await ann.does("GetMySessions"))["list"]] == [1]


async def test_a_user_logs_out_everywhere(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    others = [(await box.api("Login", account="ann", password="secret-1"))["sessionId"] for _ in range(3)]
    await ann.does("LogOut", everywhere=1)
    for session in (ann.session, *others):
        assert (await ann.says("GetMyLiveRoomId", sessionId=session))["status"] == 10003
    assert await bob.is_logged_in()


async def test_nobody_ends_a_strangers_session(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    (his,) = (await bob.does("GetMySessions"))["list"]
    await ann.does("EndSession", loginId=his["loginId"])
    assert await bob.is_logged_in()


async def test_who_logged_out_meanwhile_does_nothing_more(box: Box) -> None:
    ann = await box.session("ann", "13500000001")
    kept, looked_up, go_on = box.running.sessions._kept, asyncio.Event(), asyncio.Event()
    load = kept._load

    async def late(keys: Sequence[str]) -> Any:
        found = await load(keys)
        looked_up.set()
        await go_on.wait()
        return found

    kept.clear()
    kept._load = late
    asked = asyncio.create_task(box.http.post("/live/GetMyLiveRoomId", json={"sessionId": ann}))
    await looked_up.wait()
    kept._load = load
    kept._loading.clear()  # what is asked next looks it up by itself
    assert (await box.api("LogOut", sessionId=ann))["status"] == 10000
    go_on.set()
    assert (await asked).json()["status"] == 10003
