"""One rule of what spells a room's id, wherever a text may be one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from control.access.rights import ROOM_ID, parse_room_id
from control.storage.tables import LAST_ROOM_ID
from tests.support.stage import Stage

pytestmark = pytest.mark.anyio
WEB_CONF = Path(__file__).parents[2] / "nginx" / "web.conf"
NONE = [
    "",
    "0",
    "01000001",
    "+1000001",
    "-1",
    " 1000001",
    "1000001 ",
    "1e6",
    "１０００００１",
    str(LAST_ROOM_ID + 1),
    "9" * 11,
]


@pytest.mark.parametrize("text", NONE)
def test_a_text_that_we_do_not_give_out_is_no_room_id(text: str) -> None:
    assert parse_room_id(text) == 0


@pytest.mark.parametrize("number", [1, 1000001, LAST_ROOM_ID])
def test_a_room_id_is_spelt_in_one_way(number: int) -> None:
    assert parse_room_id(str(number)) == number


@pytest.mark.parametrize("text", [f"0{'{id}'}", "{id}x", "１{id}"])
async def test_what_spells_no_room_id_is_no_room_anywhere(stage: Stage, text: str) -> None:
    other = text.format(id=stage.id)
    assert await stage.box.callback("play", 1, other, f"pwd={stage.user}") == 403
    assert (await stage.box.api("SearchLiveStream", sessionId=stage.session, keyword=other))["status"] == 10200
    assert (await stage.box.http.get(f"/room/{other}")).status_code == 404
    stage.box.nginx.put(1, other)
    await stage.box.settle()
    assert stage.box.nginx.dropped == [1]


def test_the_web_nginx_has_the_same_rule() -> None:
    assert f"(?<room>{ROOM_ID})" in WEB_CONF.read_text()
    assert re.fullmatch(ROOM_ID, str(LAST_ROOM_ID))
