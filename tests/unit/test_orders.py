"""What operators ask of a control that runs."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from control.operators import order_socket
from tests.support.stage import Stage
from tests.support.world import Box

pytestmark = pytest.mark.anyio


class Operator:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def refused(self, order: str, **given: Any) -> str:
        answer = await self._http.post(f"/order/{order}", json=given)
        assert answer.status_code in (404, 409)
        reason: str = answer.json()["error"]
        return reason

    async def ask(self, order: str, **given: Any) -> dict[str, Any]:
        answer = await self._http.post(f"/order/{order}", json=given)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
async def operator(box: Box) -> AsyncIterator[Operator]:
    transport = httpx.ASGITransport(app=box.running.operators)
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as http:
        yield Operator(http)


async def test_users_are_found_by_how_their_account_begins_and_by_their_phone(box: Box, operator: Operator) -> None:
    for number, account in enumerate(("Ann", "anna", "bob")):
        await box.session(account, f"1350000000{number}")
    assert [user["account"] for user in (await operator.ask("find-users", text="ANN"))["users"]] == ["anna", "Ann"]
    assert [user["account"] for user in (await operator.ask("find-users", text="13500000002"))["users"]] == ["bob"]
    assert len((await operator.ask("find-users", text=""))["users"]) == 3
    assert (await operator.ask("find-users", text="a%"))["users"] == []


async def test_a_user_is_shown_with_their_logins_and_no_secret(stage: Stage, operator: Operator) -> None:
    told = await operator.ask("show-user", user="owner1")
    assert (told["account"], told["room"], len(told["logins"])) == ("owner1", stage.id, 1)
    assert told == await operator.ask("show-user", user=told["user"])
    assert stage.session not in str(told)
    assert not {"password", "password_hash"} & told.keys()


async def test_a_user_is_signed_out_at_once(stage: Stage, operator: Operator) -> None:
    assert (await operator.ask("sign-out", user="owner1"))["ended"] == 1
    assert (await stage.box.api("GetMyLiveRoom", sessionId=stage.session))["status"] == 10003


async def test_a_code_goes_to_the_phone_and_to_nobody_else(stage: Stage, operator: Operator) -> None:
    told = await operator.ask("send-code", user="owner1")
    [message] = stage.box.postbox.messages
    assert message.phone == "+8613500000001"
    assert message.text not in str(told)


async def test_a_blocked_user_is_shown_as_one(stage: Stage, operator: Operator) -> None:
    assert (await operator.ask("show-user", user="owner1"))["blocked"] is False
    await operator.ask("block-user", user="owner1")
    assert (await operator.ask("show-user", user="owner1"))["blocked"] is True
    await operator.ask("unblock-user", user="owner1")
    assert (await operator.ask("show-user", user="owner1"))["blocked"] is False


@pytest.mark.parametrize("user", ["nobody", 0, 77, 2**40])
async def test_a_user_that_there_is_not_is_named(operator: Operator, user: str | int) -> None:
    assert await operator.refused("show-user", user=user) == f"there is no user {user}"


async def test_rooms_are_found_by_number_and_by_a_part_of_the_name(stage: Stage, operator: Operator) -> None:
    for text in (str(stage.id), "ROOM", ""):
        [room] = (await operator.ask("find-rooms", text=text))["rooms"]
        assert (room["room"], room["account"], room["viewers"]) == (stage.id, "owner1", 0)
    assert (await operator.ask("find-rooms", text="_"))["rooms"] == []


async def test_a_room_is_shown_with_who_sends_and_who_watches(stage: Stage, operator: Operator) -> None:
    await stage.publish(1)
    await stage.play(2)
    await stage.status()
    told = await operator.ask("show-room", room=stage.id)
    assert told["publisher"]["address"] == "192.0.2.7"
    assert (told["viewers"], told["here_over_rtmp"], told["here_over_hls"]) == (1, 1, 0)
    assert stage.anchor not in str(told) and stage.user not in str(told)


async def test_live_rooms_come_with_the_most_viewers_first(stage: Stage, operator: Operator) -> None:
    await stage.publish(1)
    await stage.play(2)
    await stage.status()
    told = await operator.ask("live-rooms", most=10)
    assert (told["live"], told["viewers"], [room["room"] for room in told["rooms"]]) == (1, 1, [stage.id])
    assert (await operator.ask("live-rooms", most=0))["rooms"] == []


async def test_a_closed_room_is_off_air_at_once_and_lets_nobody_send(stage: Stage, operator: Operator) -> None:
    await stage.publish(1)
    await stage.status()
    await operator.ask("close-room", room=stage.id, seconds=60)
    assert stage.box.nginx.dropped == [1]
    assert await stage.publish(2) == 403
    assert (await operator.ask("show-room", room=stage.id))["closed_for"] == 60
    await operator.ask("open-room", room=stage.id)
    assert await stage.publish(3) == 204


async def test_a_publisher_is_dropped_and_may_come_back(stage: Stage, operator: Operator) -> None:
    await stage.publish(1)
    await stage.status()
    await operator.ask("end-broadcast", room=stage.id)
    assert stage.box.nginx.dropped == [1]
    await stage.leave(1)
    assert await stage.publish(2) == 204


async def test_a_room_without_a_publisher_has_nothing_to_end(stage: Stage, operator: Operator) -> None:
    assert await operator.refused("end-broadcast", room=stage.id) == f"room {stage.id} has no publisher"


@pytest.mark.parametrize(
    "order, given, why",
    [
        ("show-room", {"room": 5}, "there is no room 5"),
        ("show-room", {"room": "5"}, "room: a whole number"),
        ("close-room", {"room": 5, "seconds": 0}, "seconds: 1 to 31536000"),
        ("find-rooms", {}, "text: a text"),
        ("brew", {}, "this control knows no order brew: it is of another release"),
    ],
)
async def test_what_cannot_be_done_is_said(operator: Operator, order: str, given: dict[str, Any], why: str) -> None:
    assert await operator.refused(order, **given) == why


def test_the_socket_is_for_its_user_alone_however_long_its_path(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    for _ in range(2):  # the file of one that was killed is in nobody's way
        with order_socket.listening(folder):
            assert stat.S_IMODE(os.stat(folder / order_socket.NAME).st_mode) == 0o600


def test_without_a_node_that_is_said(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(order_socket.NotAnswered, match=f"no node runs in {tmp_path}"):
        order_socket.asked(run, "live-rooms", {})
    run.mkdir()
    with order_socket.listening(run):
        pass
    with pytest.raises(order_socket.NotAnswered, match=f"no node runs in {tmp_path}"):
        order_socket.asked(run, "live-rooms", {})


async def test_a_users_limits_are_set_and_shown(stage: Stage, operator: Operator) -> None:
    told = await operator.ask("limit", user="owner1", viewers=5, hours=0)
    assert told["own"] == {"viewers": 5, "kbps": None, "height": None, "hours": 0}
    await operator.ask("limit", user="owner1", viewers="usual")
    assert (await operator.ask("show-limits", user="owner1"))["own"]["viewers"] is None
    assert await operator.refused("limit", user="owner1", kbps=-1) == "kbps: a whole number, 0 for none, or usual"
    assert await operator.refused("limit", user="owner1", kbps=2**40) == "kbps: too large"
    assert await operator.refused("limit", user="nobody", kbps=1) == "there is no user nobody"
