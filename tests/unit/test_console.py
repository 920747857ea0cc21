"""Who may enter the console, and what is written down of what they do there."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator

import httpx
import pytest

from control.console.figures import EVERY, Counted, Figures, slowest
from control.console.operators import LIFETIME
from tests.support.consoles import PAGE, Operator
from tests.support.stage import Stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def operator(stage: Stage) -> AsyncIterator[Operator]:
    box = stage.box
    await box.session("olga", "13700000000")
    transport = httpx.ASGITransport(app=box.running.public)
    async with httpx.AsyncClient(transport=transport, base_url="http://site") as http:
        yield await Operator(box, http, "olga").log_in()


async def test_an_operator_enters_by_a_code_and_leaves(operator: Operator) -> None:
    await operator.added()
    assert (await operator.ask("show-nodes")).status_code == 401
    assert await operator.enter() == 200
    assert (await operator.ask("show-nodes")).json()["nodes"][0]["name"] == "local"
    await operator.http.post("/console/leave", headers=PAGE)
    assert (await operator.ask("show-nodes")).status_code == 401


async def test_a_code_is_good_once_and_for_its_time(operator: Operator) -> None:
    await operator.added()
    code = operator.code()
    assert await operator.enter(code) == 200
    assert await operator.enter(code) == 409
    assert await operator.enter(operator.code(-1)) == 409  # before the last that was taken
    assert await operator.enter(operator.code(1)) == 200
    assert await operator.enter(operator.code(3)) == 409
    for strange in ("", "12345", "1234567", "abcdef", "١٢٣٤٥٦"):
        assert (await operator.http.post("/console/enter", json={"code": strange}, headers=PAGE)).status_code == 409


async def test_who_is_no_operator_does_not_enter(operator: Operator) -> None:
    assert await operator.enter("123456") == 409
    await operator.added()
    assert await operator.enter() == 200
    await operator.told("remove-operator", user="olga")
    assert (await operator.ask("show-nodes")).status_code == 401
    operator.http.cookies.clear()
    assert await operator.enter("123456") == 401  # nobody is logged in


async def test_codes_are_not_guessed(operator: Operator) -> None:
    await operator.added()
    statuses = [await operator.enter(f"{number:06}") for number in range(12)]
    assert statuses[0] == 409 and statuses[-1] == 429
    assert await operator.enter() == 429


async def test_the_cookie_alone_is_not_enough(operator: Operator, stage: Stage) -> None:
    await operator.added()
    await operator.enter()
    assert (await operator.http.post("/console/order/show-nodes", json={})).status_code == 403  # another site's form
    console = operator.http.cookies["qplus_console"]
    operator.http.cookies.clear()
    operator.http.cookies["qplus_console"] = console
    assert (await operator.ask("show-nodes")).status_code == 401
    await operator.http.post("/web/Login", json={"account": "owner1", "password": "secret-1"}, headers=PAGE)
    assert (await operator.ask("show-nodes")).status_code == 401  # another user's


async def test_it_ends_by_itself(operator: Operator) -> None:
    await operator.added()
    await operator.enter()
    for _ in range(4):  # the login beside it is used
        operator.box.clock.advance(LIFETIME / 4 + 1)
        status = (await operator.ask("show-nodes")).status_code
    assert status == 401


async def test_a_new_secret_ends_what_the_old_one_opened(operator: Operator) -> None:
    await operator.added()
    await operator.enter()
    old = operator.code(1)
    await operator.added()
    assert (await operator.ask("show-nodes")).status_code == 401
    assert await operator.enter(old) == 409
    assert await operator.enter() == 200


async def test_what_is_done_is_written_down(operator: Operator, stage: Stage) -> None:
    await operator.added()
    await operator.enter()
    assert await stage.publish(1) == 204
    closed = await operator.ask("close-room", room=stage.id, seconds=60)
    assert closed.json() == {"room": stage.id, "closed_for": 60}
    assert (await operator.ask("close-room", room=5, seconds=60)).status_code == 409
    assert (await operator.ask("add-operator", user="owner1")).status_code == 404  # for the command line alone
    [refused, done, entered, added] = (await operator.ask("show-audit", before=0)).json()["audit"]
    assert (done["operator"], done["what"]) == ("olga", "close-room")
    assert done["details"] == {"asked": {"room": stage.id, "seconds": 60}, "answer": closed.json()}
    assert refused["details"]["answer"] == {"error": "there is no room 5"}
    assert (entered["what"], added["what"], added["operator"]) == ("enter", "add-operator", "command line")
    table = await operator.http.get("/console/audit.csv")
    rows = list(csv.DictReader(table.text.splitlines()))
    assert [row["what"] for row in rows] == ["close-room", "close-room", "enter", "add-operator"]
    assert operator.secret not in table.text


async def test_what_is_asked_has_to_be_right(operator: Operator) -> None:
    await operator.added()
    await operator.enter()
    for content in (b"", b"[]", b"{", b"\xff", b'{"room": "' + b"x" * 5000 + b'"}'):
        asked = await operator.http.post("/console/order/show-room", content=content, headers=PAGE)
        assert asked.status_code == 409
    for room in ("1", None, 1.5, True, -1, 2**70):
        assert (await operator.ask("show-room", room=room)).status_code == 409
    assert (await operator.ask("show-figures", span="year")).status_code == 409
    assert (await operator.ask("no-such-order")).status_code == 404


async def test_figures_are_kept_at_falling_resolution(operator: Operator, stage: Stage) -> None:
    figures, clock = operator.box.running.console.figures, operator.box.clock
    clock.advance(3600 - clock.now() % 3600)
    begin = int(clock.now())
    await stage.publish(1)
    await stage.play(2)
    await stage.status()
    for _ in range(3600 // EVERY + 7):
        await figures.step()
        clock.advance(EVERY)
    rows = [await figures.of(span) for span in ("hour", "day", "month")]
    hour, day, month = [[row for row in each if row["at"] >= begin] for each in rows]
    assert (len(day), len(month)) == (61, 1) and len(hour) == 3600 // EVERY - 1  # one is not over yet
    assert {row["live"] for row in day} == {1} and month[0]["over_rtmp"] == 1
    clock.advance(7200)
    await figures.purge()
    assert await figures.of("hour") == [] and {row["at"] for row in day} <= {
        row["at"] for row in await figures.of("day")
    }


async def test_sums_are_of_what_came_since(operator: Operator) -> None:
    box, told = operator.box, [Counted(5, 1, ((0.01, 5.0),)), Counted(8, 3, ((0.01, 8.0),))]
    live = box.running.live
    figures = Figures(
        store=box.running.store,
        node="other",
        presence=live.presence,
        heartbeats=live.hls_auth.heartbeats,
        players=lambda: 4,
        counted=lambda: told.pop(0),
        clock=box.clock,
    )
    await figures.step()
    box.clock.advance(EVERY)
    await figures.step()
    [row] = await figures.of("hour")
    assert (row["joins"], row["refusals"], row["over_rtmp"], row["slowest"]) == (3, 2, 4, 0.01)


def test_the_slowest_is_what_99_of_100_stay_under() -> None:
    before = [(0.001, 100.0), (0.01, 100.0), (0.1, 100.0)]
    assert slowest(before, [(0.001, 199.0), (0.01, 200.0), (0.1, 200.0)]) == 0.001
    assert slowest(before, [(0.001, 197.0), (0.01, 200.0), (0.1, 200.0)]) == 0.01
    assert slowest(before, before) == 0.0
