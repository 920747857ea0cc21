"""No password, code, link, ticket or session id ever stands in a log."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from control.ops import logs
from control.settings import Settings
from tests.support.people import Person, argument, go_live, person, watch
from tests.support.world import Box

pytestmark = pytest.mark.anyio

Log = Callable[[], str]


@pytest.fixture(params=["json", "console"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    written = io.StringIO()
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", written)
        logs.configure(Settings(log_format=request.param, log_level="debug"))
    yield written.getvalue
    structlog.reset_defaults()
    root.handlers = before


async def evening(box: Box) -> tuple[Person, list[str]]:
    """All that can be said to us, well and badly; and the secrets in it."""
    ann, bob = await person(box), await person(box, "bob", 2)
    room = await ann.opens(liveRoomUserPwd="viewer-secret")
    await go_live(box, room)
    play = await bob.does("PlayLiveStream", liveroomId=room["liveRoomId"], status=1, liveRoomUserPwd="viewer-secret")
    ticket = argument(play["playRtmpUrl"])
    for client, shown in enumerate([ticket, ticket + "x", "pwd=viewer-secret", "pwd=wrong-secret"], 10):
        await watch(box, client, room["liveRoomId"], shown)
    await box.callback("publish", 20, str(room["liveRoomId"]), f"pwd={room['liveRoomAnchorPwd']}1")
    await bob.says("PlayLiveStream", liveroomId=room["liveRoomId"], status=0)
    await box.api("Login", account="ann", password="login-secret")
    await ann.says("AuthCode", phone=ann.phone)
    await box.api("ModifyUserPwd", phone=ann.phone, password="pending-secret")
    code, link = (message.secret for message in box.postbox.messages)
    secrets = [room[key] for key in ("liveRoomAnchorPwd", "liveRoomAssistPwd", "liveRoomUserPwd")]
    secrets += [ann.session, bob.session, ticket.partition("=")[2], "wrong-secret", "login-secret", "pending-secret"]
    return ann, [*secrets, "secret-1", code, link.partition("#")[2]]


async def test_what_goes_well_and_what_is_refused_leaves_no_secret(box: Box, log: Log) -> None:
    _, secrets = await evening(box)
    text = log()
    assert "wrong viewing password" in text and "let in" in text
    assert [secret for secret in secrets if secret in text] == []


async def test_a_fault_leaves_no_secret(box: Box, log: Log) -> None:
    ann, secrets = await evening(box)
    box.postbox.failing = RuntimeError("the gateway burns")
    await ann.says("AuthCode", phone=ann.phone)
    await box.api("ModifyUserPwd", phone=ann.phone, password="pending-secret")
    text = log()
    assert text.count("the gateway burns") >= 2
    assert [secret for secret in secrets if secret in text] == []
