"""DeleteMyAccount: what goes with an account, what stays, and requests that meet it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from control.routes import APIS
from control.settings import Settings
from control.storage.changes import Change, Changed
from control.storage.tables import metadata, rooms, users
from tests.contract.test_address_bans import NO, THEIRS, YES, Watched, watched
from tests.contract.test_chat import says
from tests.contract.test_guessing import ATTACKER, calling_from
from tests.contract.test_room_streams import begun, stream, told
from tests.contract.test_watching import ticket
from tests.support import pictures, world
from tests.support.people import Person, argument, crowd, go_live, person, watch
from tests.support.world import Box

pytestmark = pytest.mark.anyio
__all__ = ["watched"]  # a fixture
PASSWORD = "secret-1"


async def leave(who: Person) -> int:
    """The status of their deletion."""
    return int((await who.says("DeleteMyAccount", password=PASSWORD))["status"])


def rows(settings: Settings) -> dict[str, int]:
    """How many there are, by table, where there are any."""
    with closing(sqlite3.connect(settings.data_dir / "qplus.db")) as database:
        counted = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in metadata.tables}
    return {name: count for name, count in counted.items() if count}


def said_in_log(settings: Settings) -> set[str]:
    """Beside numbers."""
    with closing(sqlite3.connect(settings.data_dir / "qplus.db")) as database:
        return {details for (details,) in database.execute("SELECT details FROM log")}


async def test_a_broadcast_ends_and_all_who_watch_it_are_put_out(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    number = room["liveRoomId"]
    assert await watch(box, 1, number, f"pwd={room['liveRoomUserPwd']}") == YES
    shown = await ticket(bob, number)
    assert await watch(box, 2, number, shown) == YES
    hls = (await bob.does("PlayLiveStream", liveroomId=number, status=1))["playHlsUrl"].split("/")[4]
    asked = {"room": str(number), "ticket": hls}
    assert (await box.hooks.get("/hls", params=asked)).headers["x-verdict"] == "welcome"
    assert await leave(ann) == 10000
    assert sorted(box.nginx.dropped) == [1, 2, number]
    assert (await box.hooks.get("/hls", params=asked)).headers["x-verdict"] == "refused"
    assert await watch(box, 3, number, shown) == NO
    assert await box.callback("publish", 4, str(number), f"pwd={room['liveRoomAnchorPwd']}") == NO
    await box.settle()
    assert await bob.page() == []


@pytest.mark.sqlite
async def test_nothing_of_an_account_stays_in_the_database(settings: Settings) -> None:
    async with world.box(settings) as box:
        ann = await person(box)
        room = await ann.opens("Ann's garden", liveRoomTopic="Roses")
        await go_live(box, room)
        await watch(box, 1, room["liveRoomId"], f"pwd={room['liveRoomUserPwd']}")
        await ann.does("ModifyUserHeadPic", headPic=pictures.sent(pictures.encoded("PNG")))
        await ann.does("AuthCode", phone=ann.phone)
        await says(ann, room, "hello")
        await ann.page()
        await box.settle()
        assert await leave(ann) == 10000
        await box.settle()
        box.clock.advance(60)
        await box.settle()
    # What the limits on messages count, the tickets that are void, and for some minutes, by number, what has changed.
    # And the service's own key.
    assert set(rows(settings)) <= {"sent_messages", "user_revocations", "log", "push_keys"}
    assert said_in_log(settings) == {""}


async def test_a_room_has_a_follower_less_also_where_another_part_fails(box: Box, ann: Person, bob: Person) -> None:
    number = (await bob.opens("another room"))["liveRoomId"]
    await ann.does("FollowLiveRoom", liveRoomId=number, isFollow=1)
    assert (await bob.finds(number))["followCount"] == 1

    async def fail(change: Change) -> None:
        if change.what is Changed.ACCOUNT:
            raise OSError

    box.running.live.changes.listen(fail)
    assert await leave(ann) == 10001
    assert (await bob.finds(number))["followCount"] == 0


async def test_what_is_written_of_other_rooms_beside_a_deleted_one_is_written(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    others = await bob.opens()
    await go_live(box, others)
    store, writer = box.running.live, box.running.live.chat_writer
    chat = await store.chat.of(room["liveRoomId"])
    assert await leave(ann) == 10000
    writer.change(chat)
    await says(bob, others, "still here")
    box.nginx.put(7, str(room["liveRoomId"]), publishing=True, timestamp=40)  # that could not be dropped
    box.clock.advance(10)
    await box.settle()
    assert [each["text"] for each in (await bob.does("GetRoomMessages", liveRoomId=others["liveRoomId"]))["list"]]
    assert await bob.page() == [others["liveRoomId"]]
    assert len((await bob.does("GetMyLiveSessions"))["list"]) == 1


async def test_followers_are_counted_without_them(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    cid = await person(box, "cid", 3)
    for who in (bob, cid):
        await who.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=1)
    assert (await ann.does("GetMyLiveRoom"))["followCount"] == 2
    assert await leave(bob) == 10000
    assert (await ann.does("GetMyLiveRoom"))["followCount"] == 1
    assert await leave(ann) == 10000
    other = (await person(box, "dan", 4)).opens()
    number = (await other)["liveRoomId"]
    await cid.does("FollowLiveRoom", liveRoomId=number, isFollow=1)
    assert await cid.page(2, count=1) == [number]


async def test_their_own_tickets_are_void(box: Box, bob: Person, room: dict[str, Any]) -> None:
    shown = await ticket(bob, room["liveRoomId"])
    assert await watch(box, 1, room["liveRoomId"], shown) == YES
    assert await leave(bob) == 10000
    number = str(room["liveRoomId"])
    assert await box.callback("update", 1, number, shown, kind="play") == NO
    assert await watch(box, 2, room["liveRoomId"], shown) == NO


async def test_their_texts_go_and_the_numbers_stay(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    for text in ("one", "two"):
        await says(bob, room, text)
    await says(ann, room, "three")
    async with stream(ann, room).opened() as reader:
        assert await begun(reader) == ["one", "two", "three"]
        assert await leave(bob) == 10000
        assert [(each["number"], each["deleted"]) for each in await told(reader, 2)] == [(1, 1), (2, 1)]
    for _ in range(2):
        shown = (await ann.does("GetRoomMessages", liveRoomId=room["liveRoomId"]))["list"]
        assert [(each["number"], each["nickName"], each["text"]) for each in shown] == [
            (1, "", ""),
            (2, "", ""),
            (3, "ann", "three"),
        ]
        box.running.live.chat._chats.clear()  # and read again


async def test_a_message_on_its_way_does_not_stay(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    message = {"sessionId": bob.session, "liveRoomId": room["liveRoomId"], "text": "late"}
    for late in (0, 5):
        sent = asyncio.ensure_future(box.http.post("/live/SendRoomMessage", json=message))
        await asyncio.sleep(late / 100)
        assert late or await leave(bob) == 10000
        await sent
    shown = (await ann.does("GetRoomMessages", liveRoomId=room["liveRoomId"]))["list"]
    assert not any(each["text"] for each in shown)


async def test_a_new_account_does_not_undo_a_ban_of_addresses(watched: Watched) -> None:
    await watched.ban()
    assert await leave(watched.bob) == 10000
    again = await person(watched.box, "bob", 2)
    async with calling_from(watched.box, THEIRS) as api:
        asked = {"sessionId": again.session, "liveroomId": watched.id, "status": 1}
        asked["liveRoomUserPwd"] = watched.room["liveRoomUserPwd"]
        assert await api("PlayLiveStream", **asked) == 10204
    assert await watched.play(9, watched.password) == NO


async def test_a_room_id_is_never_given_again(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    assert await leave(ann) == 10000
    assert (await bob.opens())["liveRoomId"] > room["liveRoomId"]


async def test_wrong_passwords_are_limited(box: Box, ann: Person) -> None:
    async with calling_from(box, ATTACKER) as api:
        for number in range(10):
            wrong = {"sessionId": ann.session, "password": f"guess-{number}"}
            assert await api("DeleteMyAccount", **wrong) == 10101
        assert await api("DeleteMyAccount", sessionId=ann.session, password=PASSWORD) == 10002
    assert await ann.is_logged_in()


async def test_what_belongs_to_nobody_is_not_written(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    """As a request finds it that looked its caller up before the deletion, and writes after it."""
    store, number = box.running.sessions._store, room["liveRoomId"]
    assert (await bob.says("FollowLiveRoom", liveRoomId=number, isFollow=0))["status"] == 10000
    box.running.live.chat._gone.add(1)
    assert (await ann.says("SendRoomMessage", liveRoomId=number, text="hello"))["status"] == 10003
    await store.write(rooms.delete())
    assert (await bob.says("FollowLiveRoom", liveRoomId=number, isFollow=1))["status"] == 10200
    assert (await ann.says("ModifyMyLiveRoom", liveRoomName="other"))["status"] == 10200
    await store.write(users.delete().where(users.c.id == 2))
    assert (await bob.says("CreateLiveRoom", liveRoomName="bob's"))["status"] == 10200


async def test_of_many_at_once_one_succeeds(box: Box, ann: Person, room: dict[str, Any]) -> None:
    sessions = [ann.session]
    for _ in range(9):
        sessions.append((await box.api("Login", account="ann", password=PASSWORD))["sessionId"])
    asked = [box.api("DeleteMyAccount", sessionId=each, password=PASSWORD) for each in sessions]
    assert sorted(reply["status"] for reply in await asyncio.gather(*asked)) == [10000] + [10003] * 9


async def test_a_session_that_ended_meanwhile_deletes_nothing(box: Box, ann: Person) -> None:
    changed = ann.says("ModifyUserPwd", phone=ann.phone, oldPassword=PASSWORD, password="changed1")
    done = await asyncio.gather(changed, ann.says("DeleteMyAccount", password=PASSWORD))
    assert sorted(reply["status"] for reply in done) in ([10000, 10003], [10000, 10101])
    assert (await ann.logs_in("changed1")) in (10000, 10100)


async def test_no_request_that_meets_it_is_a_fault_of_ours(box: Box) -> None:
    """Each API of the same user, before, while and after."""
    bob = await person(box, "bob", 1)
    others = await bob.opens()
    fields: dict[str, Any] = {
        "account": "new",
        "password": "changed1",
        "nickName": "N",
        "headPic": pictures.sent(pictures.encoded("PNG")),
        "liveRoomName": "name",
        "type": 2,
        "keyword": "name",
        "liveRoomId": others["liveRoomId"],
        "liveroomId": others["liveRoomId"],
        "isFollow": 1,
        "text": "hello",
        "status": 1,
        "userId": 1,
        "loginId": "0" * 16,
        "number": 1,
        "playerId": "x",
    }
    names = [name for name in APIS if name not in ("LogOut", "DeleteMyAccount", "Login", "Register")]
    for turn, who in enumerate(await crowd(box, 6)):
        if turn % 2:
            await who.opens()
        asked = [who.says(name, **fields | {"phone": who.phone}) for name in names]
        half = asked[turn % 3 :: 2]
        rest = [each for each in asked if each not in half]
        done = await asyncio.gather(*half, who.says("DeleteMyAccount", password=PASSWORD), *rest)
        assert [reply for reply in done if reply["status"] == 10001] == []
        assert (await who.says("DeleteMyAccount", password=PASSWORD))["status"] == 10003
        await box.settle()
    assert await bob.is_logged_in()
    assert argument((await bob.does("PlayLiveStream", liveroomId=others["liveRoomId"], status=1))["playRtmpUrl"])
