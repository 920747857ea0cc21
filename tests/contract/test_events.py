"""GetEvents by GET, with the session in a header."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import described
from tests.support.people import Person
from tests.support.world import Box

pytestmark = pytest.mark.anyio


async def asked(box: Box, session: str = "", **query: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {session}"} if session else {}
    answer = await box.http.get("/live/GetEvents", params=query, headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert described.faults(described.answers("GetEvents"), answer.json()) == []
    return dict(answer.json())


async def test_events_are_had_by_a_url_that_holds_no_secret(box: Box, ann: Person, room: dict[str, Any]) -> None:
    told = await asked(box, ann.session, after=0, count=10)
    assert [each["type"] for each in told["list"]] == ["room.live"]
    assert told == await ann.does("GetEvents")
    assert (await asked(box, ann.session, after=1))["list"] == []


async def test_a_session_in_the_url_is_none(box: Box, ann: Person, room: dict[str, Any]) -> None:
    assert (await asked(box, sessionId=ann.session))["status"] == 10003
    assert (await asked(box))["status"] == 10003


@pytest.mark.parametrize(("query", "field"), [({"after": "x"}, "after"), ({"count": "-1"}, "count")])
async def test_what_is_no_number_is_named(box: Box, ann: Person, query: dict[str, str], field: str) -> None:
    await ann.opens()
    assert (await asked(box, ann.session, **query))["desc"] == f"参数错误: {field}"
