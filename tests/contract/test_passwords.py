"""ModifyUserPwd by session and by code, and what is kept of passwords. By link: test_confirmation."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher

from control.accounts.origin import Origin
from control.accounts.passwords import Passwords
from control.settings import Settings
from tests.support import world
from tests.support.people import Person, argument, person, watch
from tests.support.world import Box

pytestmark = pytest.mark.anyio


def stored_hash(settings: Settings) -> str:
    with closing(sqlite3.connect(settings.data_dir / "qplus.db")) as database:
        [(kept,)] = database.execute("SELECT password_hash FROM users")
        return str(kept)


def on_disk(settings: Settings) -> bytes:
    return b"".join(path.read_bytes() for path in settings.data_dir.glob("qplus.db*"))


async def code_for(ann: Person) -> str:
    await ann.does("AuthCode", phone=ann.phone)
    return ann.box.postbox.messages[-1].secret


async def by_code(ann: Person, code: str, password: str = "changed1") -> int:
    return int((await ann.box.api("ModifyUserPwd", phone=ann.phone, authCode=code, password=password))["status"])


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


@pytest.mark.parametrize("way", ["session", "code"])
async def test_every_session_ends_with_the_password(box: Box, way: str) -> None:
    ann = await person(box)
    other = replace(ann, session=(await box.api("Login", account="ann", password="secret-1"))["sessionId"])
    proof = {"sessionId": ann.session} if way == "session" else {"authCode": await code_for(ann)}
    assert (await box.api("ModifyUserPwd", phone=ann.phone, password="changed1", **proof))["status"] == 10000
    assert (await ann.is_logged_in(), await other.is_logged_in()) == (False, False)
    assert (await ann.logs_in("secret-1"), await ann.logs_in("changed1")) == (10101, 10000)


async def test_nobody_elses_session_ends(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    await ann.does("ModifyUserPwd", phone=ann.phone, password="changed1")
    assert await bob.is_logged_in()


async def test_a_code_is_six_digits_to_the_phones_holder(box: Box) -> None:
    ann = await person(box)
    code = await code_for(ann)
    [message] = box.postbox.messages
    assert (message.kind, message.phone, message.account) == ("code", "+86" + ann.phone, "ann")
    assert len(code) == 6 and code.isdigit()
    assert code in message.text


async def test_the_fifth_try_may_be_right(box: Box) -> None:
    ann = await person(box)
    code = await code_for(ann)
    assert [await by_code(ann, other_than(code)) for _ in range(4)] == [10002] * 4
    assert await by_code(ann, code) == 10000


async def test_a_code_is_worn_out_after_five_wrong_tries(box: Box) -> None:
    ann = await person(box)
    code = await code_for(ann)
    assert [await by_code(ann, other_than(code)) for _ in range(5)] == [10002] * 5
    assert await by_code(ann, code) == 10002


async def test_a_new_code_has_five_new_tries_and_voids_the_one_before(box: Box) -> None:
    ann = await person(box)
    first = await code_for(ann)
    assert [await by_code(ann, other_than(first)) for _ in range(5)] == [10002] * 5
    second = await code_for(ann)
    assert await by_code(ann, first) == 10002
    assert await by_code(ann, second) == 10000


async def test_a_code_holds_for_ten_minutes(box: Box) -> None:
    ann = await person(box)
    code = await code_for(ann)
    box.clock.advance(599)
    assert await by_code(ann, code) == 10000
    code = await code_for(ann)
    box.clock.advance(600)
    assert await by_code(ann, code) == 10002


async def test_a_change_voids_a_code_that_was_sent_before(box: Box) -> None:
    ann = await person(box)
    code = await code_for(ann)
    await ann.does("ModifyUserPwd", phone=ann.phone, password="changed1")
    assert await by_code(ann, code, "changed2") == 10002


async def test_a_password_too_short_costs_no_try(box: Box) -> None:
    ann = await person(box)
    code = await code_for(ann)
    assert [await by_code(ann, code, "12345") for _ in range(6)] == [10002] * 6
    assert await by_code(ann, code) == 10000


async def test_five_messages_of_a_kind_go_to_a_phone_in_ten_minutes(box: Box) -> None:
    ann = await person(box)
    asked = [{"phone": ann.phone}, {"phone": ann.phone, "password": "changed1"}]
    for api, fields in zip(["AuthCode", "ModifyUserPwd"], asked, strict=True):
        assert [(await box.api(api, **fields))["status"] for _ in range(6)] == [10000] * 5 + [10002]
    box.clock.advance(601)
    assert (await box.api("AuthCode", phone=ann.phone))["status"] == 10000
    assert len(box.postbox.messages) == 11


async def test_thirty_messages_go_out_for_one_address_in_ten_minutes(box: Box) -> None:
    people = [await person(box, f"user{number}", number) for number in range(7)]
    asked = [(await each.says("AuthCode", phone=each.phone))["status"] for each in people for _ in range(5)]
    assert asked == [10000] * 30 + [10002] * 5
    box.clock.advance(601)
    await people[6].does("AuthCode", phone=people[6].phone)


@pytest.mark.sqlite
async def test_a_password_is_kept_as_argon2id(box: Box, settings: Settings) -> None:
    await person(box)
    assert stored_hash(settings).startswith("$argon2id$")
    assert b"secret-1" not in on_disk(settings)


async def test_codes_and_links_are_kept_as_digests(box: Box, settings: Settings) -> None:
    ann = await person(box)
    code = await code_for(ann)
    await box.api("ModifyUserPwd", phone=ann.phone, password="changed1")
    token = box.postbox.messages[-1].secret.partition("#")[2]
    kept = on_disk(settings)
    assert token.encode() not in kept
    assert code.encode() not in kept.replace(ann.phone.encode(), b"")


@pytest.mark.sqlite
async def test_a_hash_grows_with_the_settings_at_the_next_login(settings: Settings) -> None:
    async with world.box(settings) as before:
        ann = await person(before)
    async with world.box(replace(settings, argon2_time_cost=2), clock=before.clock) as after:
        ann.box, after.entropy._random = after, before.entropy._random
        assert await ann.logs_in("secret2") == 10101
        assert "t=1" in stored_hash(settings)
        assert await ann.logs_in() == 10000
        assert "t=2" in stored_hash(settings)
        assert (await ann.logs_in(), await ann.is_logged_in()) == (10000, True)


@pytest.mark.parametrize("account", ["ann", "nobody", "13599999999", "nobody@example.com"])
async def test_an_unknown_account_costs_a_verification_too(
    box: Box, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await person(box)
    verify, calls = PasswordHasher.verify, []

    def counted(self: PasswordHasher, stored: str, password: str) -> bool:
        calls.append(stored.rpartition("$")[0].rpartition("$")[0])
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    assert (await box.api("Login", account=account, password="secret2"))["status"] in (10100, 10101)
    assert calls == ["$argon2id$v=19$m=8,t=1,p=1"]


async def test_an_old_session_alone_changes_no_password(box: Box) -> None:
    ann = await person(box)
    box.clock.advance(601)
    change = {"phone": ann.phone, "password": "changed1"}
    assert (await ann.says("ModifyUserPwd", **change))["desc"] == "参数错误: oldPassword"
    assert (await ann.says("ModifyUserPwd", **change, oldPassword="secret2"))["status"] == 10101
    assert (await ann.says("ModifyUserPwd", **change, oldPassword="secret-1"))["status"] == 10000


async def test_the_old_password_cannot_be_guessed_with_a_stolen_session(box: Box) -> None:
    ann = await person(box)
    box.clock.advance(601)
    change = {"phone": ann.phone, "password": "changed1"}
    tried = [(await ann.says("ModifyUserPwd", **change, oldPassword=f"{number}"))["status"] for number in range(101)]
    assert tried == [10101] * 100 + [10002]  # the address is one where ann was lately


async def test_every_ticket_ends_with_the_password(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    room = (await ann.opens())["liveRoomId"]
    shown, other = [
        argument((await each.does("PlayLiveStream", liveroomId=room, status=1))["playRtmpUrl"]) for each in (bob, ann)
    ]
    assert await watch(box, 1, room, shown) == 204
    await bob.does("ModifyUserPwd", phone=bob.phone, password="changed1")
    assert await box.callback("update", 1, str(room), shown, kind="play") == 403
    assert await watch(box, 2, room, shown) == 403
    hls = {"room": str(room), "ticket": shown.partition("=")[2]}
    assert (await box.hooks.get("/hls", params=hls)).headers["x-verdict"] == "refused"
    assert await watch(box, 3, room, other) == 204
    bob = replace(bob, session=(await box.api("Login", account="bob", password="changed1"))["sessionId"])
    fresh = argument((await bob.does("PlayLiveStream", liveroomId=room, status=1))["playRtmpUrl"])
    assert await watch(box, 4, room, fresh) == 204


@pytest.mark.sqlite
async def test_tickets_stay_void_over_a_restart(settings: Settings) -> None:
    async with world.box(settings) as before:
        ann = await person(before)
        room = (await ann.opens())["liveRoomId"]
        shown = argument((await ann.does("PlayLiveStream", liveroomId=room, status=1))["playRtmpUrl"])
        await ann.does("ModifyUserPwd", phone=ann.phone, password="changed1")
    async with world.box(settings, clock=before.clock) as after:
        assert await watch(after, 1, room, shown) == 403
        after.clock.advance(settings.ticket_seconds + 1)
    async with world.box(settings, clock=before.clock):
        with closing(sqlite3.connect(settings.data_dir / "qplus.db")) as database:
            assert database.execute("SELECT * FROM user_revocations").fetchall() == []


@pytest.mark.parametrize(
    "password",
    ["123456", "Secret1", "ｑｗｅｒｔｙ", "someone", "SomeOne", "13500000001", "some@example.com"],
)
async def test_a_password_that_is_tried_first_is_refused(box: Box, password: str) -> None:
    fields = {"account": "someone", "phone": "13500000001", "email": "some@example.com"}
    refused = await box.api("Register", **fields, password=password)
    assert (refused["status"], refused["desc"]) == (10002, "参数错误: password (密码过于简单)")
    assert (await box.api("Register", **fields, password="long and good"))["status"] == 10000
    assert (await box.api("ModifyUserPwd", phone="13500000001", password=password))["desc"] == refused["desc"]


@pytest.mark.sqlite
async def test_a_user_who_has_a_common_password_goes_on(box: Box, settings: Settings) -> None:
    ann = await person(box)
    with closing(sqlite3.connect(settings.data_dir / "qplus.db")) as database:
        database.execute("UPDATE users SET password_hash = ?", [await box_hash(settings, "123456")])
        database.commit()
    assert await ann.logs_in("123456") == 10000
    change = {"phone": ann.phone, "password": "long and good", "oldPassword": "123456"}
    assert (await ann.says("ModifyUserPwd", **change))["status"] == 10000


async def box_hash(settings: Settings, password: str) -> str:
    made = Passwords(settings)
    try:
        return await made.hash(password, Origin(""))
    finally:
        made.close()


async def test_a_login_that_takes_its_time_does_not_outlive_a_change(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the old password, hashed while the new one is put in force: it comes too late for what the change ends."""
    ann = await person(box, "ann")
    matches = Passwords.matches
    changed: list[bool] = []

    async def slow(self: Passwords, *arguments: Any, **options: Any) -> bool:
        right = await matches(self, *arguments, **options)
        if not changed:
            changed.append(True)
            assert (await ann.says("ModifyUserPwd", phone=ann.phone, password="changed1"))["status"] == 10000
        return right

    monkeypatch.setattr(Passwords, "matches", slow)
    old = await box.api("Login", account="ann", password="secret-1")
    assert old["status"] == 10101 and "sessionId" not in old
    assert (await box.api("Login", account="ann", password="changed1"))["status"] == 10000


async def test_a_session_that_ends_meanwhile_changes_no_password(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    thief = await box.session("ann", "13500000001")
    owner = (await box.api("Login", account="ann", password="secret-1"))["sessionId"]
    hashing, go_on, real = asyncio.Event(), asyncio.Event(), Passwords.hash

    async def late(self: Passwords, password: str, origin: Origin) -> str:
        if password == "thiefs-own":
            hashing.set()
            await go_on.wait()
        return await real(self, password, origin)

    monkeypatch.setattr(Passwords, "hash", late)
    change = {"phone": "13500000001", "oldPassword": "secret-1"}
    asked = asyncio.create_task(
        box.http.post("/live/ModifyUserPwd", json={**change, "sessionId": thief, "password": "thiefs-own"})
    )
    await hashing.wait()
    assert (await box.api("ModifyUserPwd", **change, sessionId=owner, password="owners-own"))["status"] == 10000
    go_on.set()
    assert (await asked).json()["status"] == 10003
    assert (await box.api("Login", account="ann", password="owners-own"))["status"] == 10000
