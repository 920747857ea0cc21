"""What may be guessed, how often, and who pays for it: nobody but the address that guesses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from control.settings import Settings
from tests.support import world
from tests.support.people import argument, person
from tests.support.world import SITE, Box

pytestmark = pytest.mark.anyio
NO, YES = 403, 204
ATTACKER = "203.0.113.66"
NAMES = ["ann", "13500000001", "+8613500000001"]


async def play(box: Box, client: int, room: int, arguments: str, address: str = ATTACKER, call: str = "play") -> int:
    """The verdict. Where it waits for the clock, that moves."""
    return await box.clock.steps(0.5, box.callback(call, client, str(room), arguments, addr=address))


async def attack(box: Box, room: int, count: int, address: str = ATTACKER, call: str = "play") -> None:
    for number in range(count):
        assert await play(box, 1000 + number, room, f"pwd=guess-{number}-{address}", address, call) == NO


@asynccontextmanager
async def calling_from(box: Box, address: str) -> AsyncIterator[Any]:
    """Asks APIs from an address. Where an answer waits for the clock, that moves."""
    transport = httpx.ASGITransport(app=box.running.public, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as http:

        async def api(name: str, **fields: Any) -> int:
            answer = await box.clock.steps(0.5, http.post(f"/live/{name}", json=fields))
            return int(answer.json()["status"])

        yield api


@pytest.mark.parametrize("call", ["play", "publish"])
async def test_a_room_password_is_refused_unlooked_once_too_many_were_wrong(box: Box, call: str) -> None:
    ann = await person(box)
    room = await ann.opens(liveRoomAnchorPwd="anchor-1", liveRoomUserPwd="2468")
    right = {"play": "pwd=2468", "publish": "pwd=anchor-1"}[call]
    await attack(box, room["liveRoomId"], 10, call=call)
    assert await play(box, 1, room["liveRoomId"], right, call=call) == NO
    assert await play(box, 2, room["liveRoomId"], right, "198.51.100.9", call) == YES
    box.clock.advance(601)
    assert await play(box, 3, room["liveRoomId"], right, call=call) == YES


async def test_those_who_have_a_ticket_or_were_right_lately_go_on_during_an_attack(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    room = await ann.opens(liveRoomUserPwd="2468")
    number = room["liveRoomId"]
    assert await play(box, 1, number, "pwd=2468", "192.0.2.7") == YES
    urls = await bob.does("PlayLiveStream", liveroomId=number, status=1, liveRoomUserPwd="2468")
    for source in range(12):
        await attack(box, number, 10, f"203.0.113.{source}")
    assert await play(box, 2, number, "pwd=2468", "198.51.100.9") == NO  # a newcomer by password waits the attack out
    assert await play(box, 3, number, "pwd=2468", "192.0.2.7") == YES
    assert await play(box, 4, number, argument(urls["playRtmpUrl"]), "203.0.113.1") == YES
    assert await box.callback("update", 1, str(number), "pwd=2468", kind="play", addr="203.0.113.2") == YES
    box.clock.advance(3601)
    assert await play(box, 5, number, "pwd=2468", "198.51.100.9") == YES


async def test_a_player_that_loads_again_is_no_guess(box: Box) -> None:
    ann = await person(box)
    number = (await ann.opens(liveRoomUserPwd="2468"))["liveRoomId"]
    assert await play(box, 1, number, "pwd=2468") == YES
    box.nginx.put(1, str(number))
    await attack(box, number, 101)
    assert await play(box, 1, number, "pwd=2468") == YES
    assert await play(box, 2, number, "pwd=2468") == NO


async def test_what_names_no_room_or_shows_no_password_is_no_guess(box: Box) -> None:
    ann = await person(box)
    number = (await ann.opens(liveRoomUserPwd="2468"))["liveRoomId"]
    for client in range(200):
        assert await play(box, client, number, "") == NO
        assert await play(box, client, number + 1, f"pwd={client}") == NO
        assert await play(box, client, number, f"ticket=made.up.{client}") == NO
    assert await play(box, 500, number, "pwd=2468") == YES


async def test_a_shut_gate_is_no_wrong_password(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens()
    number, right = room["liveRoomId"], f"pwd={room['liveRoomAnchorPwd']}"
    assert await play(box, 1, number, right, call="publish") == YES
    box.nginx.put(1, str(number), publishing=True, timestamp=40)
    await box.settle()
    await ann.does("PushLiveStream", liveRoomId=number, status=0)
    for client in range(2, 30):
        assert await play(box, client, number, right, call="publish") == NO
    await ann.does("PushLiveStream", liveRoomId=number, status=1)
    assert await play(box, 99, number, right, call="publish") == YES


async def test_the_api_counts_with_rtmp(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    number = (await ann.opens(liveRoomUserPwd="2468"))["liveRoomId"]
    wanted = {"sessionId": bob.session, "liveroomId": number, "status": 1}
    async with calling_from(box, ATTACKER) as api:
        tried = [await api("PlayLiveStream", **wanted, liveRoomUserPwd=f"guess-{each}") for each in range(12)]
        assert tried == [10204] * 10 + [10002] * 2
        assert await api("PlayLiveStream", **wanted, liveRoomUserPwd="2468") == 10002
    assert await play(box, 1, number, "pwd=2468") == NO
    assert (await bob.says("PlayLiveStream", liveroomId=number, status=1, liveRoomUserPwd="2468"))["status"] == 10000


async def test_the_assistants_password_is_limited_too(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    room = await ann.opens()
    room |= await ann.does("GetMyLiveRoom")
    wanted = {"sessionId": bob.session, "liveRoomId": room["liveRoomId"]}
    async with calling_from(box, ATTACKER) as api:
        tried = [await api("GetRoomPlayers", **wanted, liveRoomAssistPwd=f"guess-{each}") for each in range(11)]
        assert tried == [10204] * 10 + [10002]
        assert await api("GetRoomPlayers", **wanted, liveRoomAssistPwd=room["liveRoomAssistPwd"]) == 10002
    assert (await bob.says("GetRoomPlayers", **wanted, liveRoomAssistPwd=room["liveRoomAssistPwd"]))["status"] == 10000


async def test_a_page_that_asks_on_with_a_password_that_was_changed_is_no_guess(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    room = await ann.opens()
    wanted = {"liveRoomId": room["liveRoomId"]}
    await bob.does("GetRoomPlayers", **wanted, liveRoomAssistPwd=room["liveRoomAssistPwd"])
    await ann.does("ModifyMyLiveRoom", liveRoomAssistPwd="another-one")
    for _ in range(20):
        old = await bob.says("GetRoomPlayers", **wanted, liveRoomAssistPwd=room["liveRoomAssistPwd"])
        assert old["status"] == 10204
    await bob.does("GetRoomPlayers", **wanted, liveRoomAssistPwd="another-one")


async def test_an_accounts_password_is_refused_unlooked_and_its_owner_logs_in(box: Box) -> None:
    ann = await person(box)
    async with calling_from(box, ATTACKER) as api:
        tried = [await api("Login", account=name, password=f"{name} {each}") for each in range(6) for name in NAMES]
        assert tried == [10101] * 10 + [10002] * 8  # whatever name of the account is used
        assert await api("Login", account="ann", password="secret-1") == 10002
    assert await ann.logs_in() == 10000


async def test_an_owner_logs_in_where_they_were_lately_while_all_the_world_guesses(box: Box) -> None:
    ann = await person(box)
    for source in range(12):
        async with calling_from(box, f"203.0.113.{source}") as api:
            for each in range(10):
                await api("Login", account="ann", password=f"{source} {each}")
    async with calling_from(box, "198.51.100.9") as api:
        assert await api("Login", account="ann", password="secret-1") == 10002
    assert await ann.logs_in() == 10000


@pytest.mark.parametrize(("call", "field"), [("play", "liveRoomUserPwd"), ("publish", "liveRoomAnchorPwd")])
async def test_a_new_room_password_makes_strangers_of_all(box: Box, call: str, field: str) -> None:
    ann = await person(box)
    number = (await ann.opens(liveRoomUserPwd="2468", liveRoomAnchorPwd="anchor-1"))["liveRoomId"]
    right = {"play": "pwd=2468", "publish": "pwd=anchor-1"}
    for client, each in enumerate(right):
        assert await play(box, client, number, right[each], call=each) == YES
    await ann.does("ModifyMyLiveRoom", liveRoomId=number, **{field: "another-1"})
    await attack(box, number, 10, call=call)
    assert await play(box, 7, number, "pwd=another-1", call=call) == NO
    [other] = set(right) - {call}
    await attack(box, number, 10, call=other)  # whose password is the same: known there, and within what that has
    assert await play(box, 8, number, right[other], call=other) == YES


async def test_a_new_account_password_makes_strangers_of_all_but_who_chose_it(box: Box) -> None:
    ann = await person(box)
    async with calling_from(box, ATTACKER) as api:
        assert await api("Login", account="ann", password="secret-1") == 10000
        await ann.does("ModifyUserPwd", phone=ann.phone, oldPassword="secret-1", password="my new one")
        tried = [await api("Login", account="ann", password=f"guess {each}") for each in range(12)]
        assert tried == [10101] * 10 + [10002] * 2
    for source in range(12):
        async with calling_from(box, f"203.0.113.{source}") as api:
            for each in range(10):
                await api("Login", account="ann", password=f"{source} {each}")
    assert await ann.logs_in("my new one") == 10000


async def test_accounts_and_phones_are_told_apart_a_hundred_times_an_hour(box: Box) -> None:
    ann = await person(box)
    async with calling_from(box, ATTACKER) as api:
        told = [await api("AuthCode", phone=f"1390000{each:04}") for each in range(60)]
        fields = {"phone": ann.phone, "password": "long enough"}
        told += [await api("Register", account=f"maybe{each}", **fields) for each in range(60)]
        assert told == [10104] * 60 + [10103] * 40 + [10002] * 20
        assert await api("ModifyUserPwd", phone="13911111111", password="long enough") == 10002
        assert await api("AuthCode", phone=ann.phone) == 10002
    async with calling_from(box, "198.51.100.9") as api:
        assert await api("AuthCode", phone=ann.phone) == 10000


async def test_many_at_once_tell_no_more(box: Box) -> None:
    asked = [box.http.post("/live/AuthCode", json={"phone": f"1390000{each:04}"}) for each in range(300)]
    answers = await asyncio.gather(*(box.clock.steps(0.5, each) for each in asked))
    assert sum(answer.json()["status"] == 10104 for answer in answers) <= 100


async def test_a_stranger_keeps_nobody_from_recovering_their_account(box: Box) -> None:
    ann = await person(box)
    async with calling_from(box, ATTACKER) as stranger:
        for each in range(12):
            await stranger("AuthCode", phone=ann.phone)
            for guess in range(6):
                await stranger("ModifyUserPwd", phone=ann.phone, authCode=f"{each}{guess:05}", password="taken over")
    async with calling_from(box, "198.51.100.9") as owner:
        assert await owner("AuthCode", phone=ann.phone) == 10000
        code = box.postbox.messages[-1].secret
        async with calling_from(box, ATTACKER) as stranger:  # which voids and wears out no code of theirs
            for guess in range(20):
                await stranger("ModifyUserPwd", phone=ann.phone, authCode=f"{guess:06}", password="taken over")
        assert await owner("ModifyUserPwd", phone=ann.phone, authCode=code, password="my new one") == 10000


async def test_a_code_can_be_typed_where_it_was_not_asked_for(box: Box) -> None:
    ann = await person(box)
    await ann.does("AuthCode", phone=ann.phone)
    code = box.postbox.messages[-1].secret
    async with calling_from(box, "198.51.100.9") as api:
        assert await api("ModifyUserPwd", phone=ann.phone, authCode=code, password="my new one") == 10000


async def test_what_was_guessed_survives_a_restart(settings: Settings) -> None:
    async with world.box(settings) as before:
        ann = await person(before)
        number = (await ann.opens(liveRoomUserPwd="2468"))["liveRoomId"]
        await attack(before, number, 10)
    async with world.box(settings, clock=before.clock) as after:
        assert await play(after, 1, number, "pwd=2468") == NO
        assert await play(after, 2, number, "pwd=2468", "198.51.100.9") == YES


async def test_right_passwords_count_against_nobody(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens(liveRoomUserPwd="2468")
    for client in range(300):
        assert await play(box, client, room["liveRoomId"], "pwd=2468") == YES
    for _ in range(120):
        assert await ann.logs_in() == 10000


async def test_strangers_flood_no_phone_and_its_owner_still_gets_a_message(box: Box) -> None:
    ann = await person(box)
    asked = []
    for source in range(10):
        async with calling_from(box, f"203.0.113.{source}") as api:
            asked += [await api("AuthCode", phone=ann.phone) for _ in range(3)]
    assert asked == [10000] * 20 + [10002] * 10
    async with calling_from(box, "198.51.100.9") as api:
        assert await api("AuthCode", phone=ann.phone) == 10002
    await ann.does("AuthCode", phone=ann.phone)  # from where she logged in lately
    box.clock.advance(86401)
    async with calling_from(box, "198.51.100.9") as api:
        assert await api("AuthCode", phone=ann.phone) == 10000
