"""Every text has its length looked at before anything else is done to it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from control.accounts import identity
from control.routes import APIS
from tests.support.people import person
from tests.support.world import Box

pytestmark = pytest.mark.anyio

LONGEST = 2000  # characters, of any field but a picture
HOSTILE = {"marks": "a" + "\u0300\u0316" * 10_000, "ligatures": "\ufdfa" * 20_000, "letters": "x" * 60_000}
FIELDS = ["account", "phone", "email", "password", "oldPassword", "authCode", "nickName", "address", "sessionId"]
FIELDS += ["keyword", "liveRoomName", "liveRoomDesc", "liveRoomTopic", "liveRoomUserPwd", "liveRoomAnchorPwd"]
FIELDS += ["liveRoomanchorPwd", "liveRoomAssistPwd", "liveRoomId", "liveroomId", "type", "count", "status", "headPic"]
FIELDS += ["text", "ticket"]
# What lets a request come as far as the field that is in question.
USUAL = {"account": "bob", "phone": "13500000009", "password": "secret-1", "keyword": "k", "liveRoomName": "r"}


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long each text was that was worked on letter by letter."""
    lengths: list[int] = []

    class Watched:
        @staticmethod
        def normalize(form: Any, text: str) -> str:
            lengths.append(len(text))
            return unicodedata.normalize(form, text[:LONGEST])

        category = staticmethod(unicodedata.category)

    monkeypatch.setattr(identity, "unicodedata", Watched)
    real = identity.has_controls

    def has_controls(text: str) -> bool:
        lengths.append(len(text))
        return real(text[:LONGEST])

    for module in ("control.accounts.identity", "control.rooms.rooms", "control.chat.rules"):
        monkeypatch.setattr(f"{module}.has_controls", has_controls)
    return lengths


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("hostile", HOSTILE)
async def test_no_text_is_worked_on_before_its_length_is_known(
    box: Box, looked_at: list[int], api: str, hostile: str
) -> None:
    ann = await person(box)
    await ann.opens()
    for name in FIELDS:
        await ann.says(api, **USUAL | {"liveRoomId": 1000001, name: HOSTILE[hostile]})
    assert max(looked_at) <= LONGEST
