"""A user whom an operator keeps out, and lets in again."""

from __future__ import annotations

from typing import Any

import pytest

from control.accounts.blocking import Blocking
from control.accounts.users import User
from tests.support.stage import Stage
from tests.support.world import Box

pytestmark = pytest.mark.anyio


@pytest.fixture
def blocking(box: Box) -> Blocking:
    live = box.running.live
    return Blocking(store=box.running.store, tickets=live.admission, changes=live.changes, clock=box.clock)


async def user_of(box: Box, session: str) -> User:
    return (await box.running.sessions.caller(session)).user


async def log_in(box: Box, password: str = "secret-1") -> Any:
    return (await box.api("Login", account="owner1", password=password))["status"]


async def test_a_blocked_user_is_out_at_once_and_logs_in_no_more(stage: Stage, blocking: Blocking) -> None:
    box, user = stage.box, await user_of(stage.box, stage.session)
    await blocking.block(user)
    assert (await box.api("GetMyLiveRoom", sessionId=stage.session))["status"] == 10003
    assert await log_in(box) == 10101
    await blocking.block(user)  # once more changes nothing
    await blocking.unblock(user)
    await blocking.unblock(user)
    assert await log_in(box) == 10000


async def test_their_broadcast_ends_and_none_begins(stage: Stage, blocking: Blocking) -> None:
    user = await user_of(stage.box, stage.session)
    await stage.publish(1)
    await stage.status()
    await blocking.block(user)
    assert stage.box.nginx.dropped == [1]
    await stage.leave(1)
    assert await stage.publish(2) == 403
    await blocking.unblock(user)
    assert await stage.publish(3) == 204


async def test_their_tickets_are_void(stage: Stage, blocking: Blocking) -> None:
    box = stage.box
    session = await box.session("viewer", "13900000001")
    url = (await box.api("PlayLiveStream", sessionId=session, liveroomId=stage.id, status=1))["playRtmpUrl"]
    ticket = url.partition("?")[2]
    assert await stage.play(1, ticket) == 204
    await blocking.block(await user_of(box, session))
    assert await box.callback("update", 1, str(stage.id), ticket, kind="play") == 403
    assert await stage.play(2, ticket) == 403


async def test_no_code_lets_them_choose_a_new_password(stage: Stage, blocking: Blocking) -> None:
    box, user = stage.box, await user_of(stage.box, stage.session)
    await blocking.block(user)
    assert (await box.api("AuthCode", phone="13500000001"))["status"] == 10000
    code = box.postbox.messages[-1].text
    changed = await box.api("ModifyUserPwd", phone="13500000001", authCode=code, password="another-1")
    assert changed["status"] == 10002
    assert await log_in(box, "another-1") == 10101
    await blocking.unblock(user)
    assert await log_in(box) == 10000
