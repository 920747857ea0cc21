"""A node of two rtmp nginx: where its rooms are at home, and how their streams get from one to the other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from control.clock import Ticks
from control.nginx_rtmp.plan import JOINING
from control.nginx_rtmp.relays import ENCODER, LOOPBACK, PUSH_BEGINS
from control.nginx_rtmp.takeover import OUT_OF_HEARING
from control.settings import Settings
from tests.support.stage import Stage, staged
from tests.support.world import FakeNginx, box

pytestmark = pytest.mark.anyio


@dataclass
class Pair:
    """A room, and the node's two nginx: `a` is the first, which has the node's own name."""

    stage: Stage
    a: FakeNginx
    b: FakeNginx

    async def come(
        self, node: str, call: str, client: int, arguments: str = "", address: str = "", kind: str = "play"
    ) -> tuple[int, str]:
        """The answer to a callback of a client of the room: its status, and where it sends the client's nginx."""
        pwd = self.stage.anchor if "publish" in (call, kind) else self.stage.user
        start = {"local": self.a, "local.2": self.b}[node].start
        addr = address or (LOOPBACK if arguments.startswith("relay=") else "192.0.2.7")
        told = self.stage.box.answer(
            node, start, call, client, str(self.stage.id), arguments or f"pwd={pwd}", kind=kind, addr=addr
        )
        answer = await self.stage.box.clock.steps(0.1, told)
        return answer.status_code, answer.headers.get("location", "")

    async def settle(self, seconds: float = 0.0) -> None:
        self.stage.box.clock.advance(seconds)
        await self.stage.box.settle()


@pytest.fixture
async def pair(settings: Settings) -> AsyncIterator[Pair]:
    a, b = FakeNginx("aaaa", "127.0.0.1:1001"), FakeNginx("bbbb", "127.0.0.1:1002")
    async with box(settings, a, others={"local.2": b}) as made:
        yield Pair(await staged(made), a, b)


def under_way(location: str) -> str:
    """What nginx-rtmp names a stream that it was sent there for."""
    return hashlib.md5(location.encode()).hexdigest()


def mark_of(location: str) -> str:
    return location.partition("?")[2]


async def test_who_comes_to_another_nginx_than_the_first_is_sent_to_that(pair: Pair) -> None:
    assert await pair.come("local.2", "play", 1) == (204, "")
    assert await pair.come("local.2", "play", 2) == (204, "")
    status, pull = await pair.come("local", "play", 1)
    assert status == 302
    assert re.fullmatch(rf"rtmp://127\.0\.0\.1:1002/live/{pair.stage.id}\?relay=[0-9a-f]{{32}}", pull)
    assert await pair.come("local", "play", 2) == (302, pull)  # one pull for all of them
    status, push = await pair.come("local", "publish", 3)
    assert status == 302 and push.startswith("rtmp://127.0.0.1:1002/") and push != pull


async def test_a_room_that_nobody_is_in_is_at_home_nowhere(pair: Pair) -> None:
    await pair.come("local.2", "play", 1)
    await pair.come("local.2", "done", 1)
    assert await pair.come("local", "publish", 1) == (204, "")
    assert (await pair.come("local.2", "play", 2))[0] == 302


async def test_relays_are_let_in_at_the_home_and_count_for_nothing(pair: Pair) -> None:
    await pair.come("local", "play", 1)
    _, pull = await pair.come("local.2", "play", 1)
    _, push = await pair.come("local.2", "publish", 2)
    assert await pair.come("local", "play", 8, mark_of(pull)) == (204, "")
    assert await pair.come("local", "publish", 9, mark_of(push)) == (204, "")
    assert await pair.come("local", "update", 8, mark_of(pull)) == (204, "")
    assert (await pair.stage.said())[1] == 2
    await pair.come("local", "done", 8, mark_of(pull))
    assert (await pair.stage.said())[1] == 2


@pytest.mark.parametrize("mark", ["relay=" + "0" * 32, "relay=", "relay=%00", "relay=x&pwd=y", "pull", "push"])
async def test_no_stranger_is_taken_for_a_relay(pair: Pair, mark: str) -> None:
    await pair.come("local", "play", 1)
    marks = {
        "pull": mark_of((await pair.come("local.2", "play", 1))[1]),
        "push": mark_of((await pair.come("local.2", "publish", 2))[1]),
    }
    for node, call in (("local", "publish"), ("local", "play"), ("local.2", "publish"), ("local.2", "play")):
        if (node, call) not in (("local", {"pull": "play", "push": "publish"}.get(mark)),):
            assert (await pair.come(node, call, 9, marks.get(mark, mark)))[0] == 403
    pair.a.start = "a-later-life"
    assert (await pair.come("local", "play", 9, marks["pull"]))[0] == 403


async def test_who_has_read_a_mark_in_a_log_cannot_use_it(pair: Pair) -> None:
    await pair.come("local", "play", 1)
    pull = mark_of((await pair.come("local.2", "play", 1))[1])
    push = mark_of((await pair.come("local.2", "publish", 2))[1])
    assert (await pair.come("local", "play", 8, pull, "192.0.2.7"))[0] == 403
    assert (await pair.come("local", "publish", 8, push, "192.0.2.7"))[0] == 403
    await pair.come("local.2", "done", 2)
    assert (await pair.come("local", "publish", 9, push))[0] == 403  # nobody is there whose stream it could be


async def test_a_node_of_one_nginx_knows_no_relays(stage: Stage) -> None:
    assert await stage.play(1, f"relay={'0' * 32}") == 403


async def test_one_publisher_wherever_it_is(pair: Pair) -> None:
    await pair.come("local", "play", 1)
    await pair.come("local.2", "publish", 1)
    pair.b.put(1, "x", publishing=True, timestamp=1)
    pair.a.put(1, str(pair.stage.id))
    assert await pair.come("local", "publish", 9) == (403, "")


async def put_in(pair: Pair) -> tuple[str, str]:
    """A viewer at each nginx and a publisher at the second, as nginx shows them; the room is at home at the first."""
    await pair.come("local", "play", 1)
    _, pull = await pair.come("local.2", "play", 1)
    _, push = await pair.come("local.2", "publish", 2)
    assert (await pair.come("local", "play", 8, mark_of(pull)))[0] == 204
    assert (await pair.come("local", "publish", 9, mark_of(push)))[0] == 204
    show(pair, pull, push)
    return pull, push


def show(pair: Pair, pull: str, push: str) -> None:
    room = str(pair.stage.id)
    pair.a.put(1, room)
    pair.a.put(8, room, address="127.0.0.1", encoder=ENCODER)
    pair.a.put(9, room, publishing=True, timestamp=5, address="127.0.0.1", encoder=ENCODER)
    pair.b.put(1, under_way(pull))
    pair.b.put(3, under_way(pull), publishing=True, address=f"127.0.0.1:1001/live/{room}")
    pair.b.put(2, under_way(push), publishing=True, timestamp=5)
    pair.b.put(4, under_way(push), address=f"127.0.0.1:1001/live/{room}")


async def test_what_nginx_shows_of_relays_is_understood(pair: Pair) -> None:
    await put_in(pair)
    for _ in range(5):
        await pair.settle(3)
        assert await pair.stage.said() == (True, 2)
    assert pair.a.dropped == pair.b.dropped == []


@pytest.mark.sqlite
async def test_a_new_control_finds_all_as_it_was(pair: Pair, settings: Settings) -> None:
    await put_in(pair)
    await pair.settle()
    async with box(settings, pair.a, pair.stage.box.clock, {"local.2": pair.b}) as again:
        stage = Stage(again, pair.stage.id, pair.stage.session, pair.stage.anchor, pair.stage.user)
        assert await stage.status() == (True, 2)
        anew = Pair(stage, pair.a, pair.b)
        assert (await anew.come("local.2", "play", 7))[0] == 302  # the room is at home where it was
        assert (await anew.come("local.2", "done", 7))[0] == 204
        await anew.settle(3)
        assert await stage.said() == (True, 2)
        assert pair.a.dropped == pair.b.dropped == []


async def test_who_only_looks_like_a_relay_is_known_by_what_it_shows(pair: Pair, settings: Settings) -> None:
    room = str(pair.stage.id)
    pair.a.put(8, room, address="127.0.0.1", encoder=ENCODER)
    await pair.settle()
    assert (await pair.stage.said())[1] == 0
    assert (await pair.come("local", "update", 8))[0] == 204
    await pair.settle(JOINING + 1)
    assert (await pair.stage.said())[1] == 1


async def test_when_a_home_ends_those_who_hung_on_it_go_too(pair: Pair) -> None:
    await put_in(pair)
    await pair.settle()
    pair.a.start, pair.a.clients = "a-later-life", {}
    await pair.settle(1)
    assert sorted(pair.b.dropped) == [1, 2]
    assert await pair.stage.said() == (False, 0)
    assert await pair.come("local.2", "publish", 5) == (204, "")


async def test_a_home_that_hangs_keeps_nobody_who_came_elsewhere(pair: Pair) -> None:
    await put_in(pair)
    await pair.settle()
    pair.a.broken = True
    for _ in range(7):
        await pair.settle(2)
        for client, kind in ((1, "play"), (2, "publish")):
            if client in pair.b.clients:
                assert (await pair.come("local.2", "update", client, kind=kind))[0] == 204
    assert sorted(pair.b.dropped) == [1, 2]
    assert await pair.come("local.2", "publish", 5) == (204, "")


async def test_a_push_is_not_missed_before_its_home_was_looked_at(pair: Pair) -> None:
    """As by a control that has just started, at a home with thousands of clients."""
    await put_in(pair)
    await pair.settle(PUSH_BEGINS + 1)
    of_a, of_b = pair.stage.box.running.live.reconcilers.each
    of_a.nginx.looks.last_at = Ticks(0.0)
    await pair.come("local", "done", 9)
    await of_b.run()
    assert pair.b.dropped == []


async def test_a_publisher_whose_push_has_ended_is_dropped(pair: Pair) -> None:
    await put_in(pair)
    await pair.settle(PUSH_BEGINS + 1)
    pair.a.clients.pop(9)
    await pair.come("local", "done", 9)
    await pair.settle()
    assert pair.b.dropped == [2]


async def test_who_is_left_at_an_old_home_is_dropped(pair: Pair) -> None:
    """It was out of hearing for so long that the room found another."""
    await pair.come("local.2", "publish", 1)
    pair.b.put(1, str(pair.stage.id), publishing=True, timestamp=5)
    pair.a.put(6, str(pair.stage.id))
    await pair.settle(JOINING + 1)
    assert pair.a.dropped == [6]


async def test_a_stream_of_no_room_is_dropped(pair: Pair) -> None:
    pair.b.put(6, "0" * 32)
    await pair.settle()
    assert pair.b.dropped == [6]


async def test_names_of_rooms_that_are_empty_are_forgotten(pair: Pair) -> None:
    await pair.come("local", "play", 1)
    _, pull = await pair.come("local.2", "play", 1)
    names = pair.stage.box.running.live.reconcilers.each[0].relays.names
    assert names.room_of(under_way(pull))[0] == str(pair.stage.id)
    await pair.come("local", "done", 1)
    await pair.come("local.2", "done", 1)
    await pair.settle(61)
    assert names.room_of(under_way(pull)) == (under_way(pull), None)


async def test_a_pull_is_no_publisher_while_another_nginx_is_out_of_hearing(settings: Settings) -> None:
    """Who waits for a publisher away from the room's home does not keep it out."""
    a, b, c = FakeNginx("aaaa", "127.0.0.1:1001"), FakeNginx("bbbb", "127.0.0.1:1002"), FakeNginx("cccc")
    async with box(settings, a, others={"local.2": b, "local.3": c}) as made:
        pair = Pair(await staged(made), a, b)
        await pair.come("local", "play", 1)
        _, pull = await pair.come("local.2", "play", 1)
        a.put(1, str(pair.stage.id))
        b.put(1, under_way(pull))
        b.put(3, under_way(pull), publishing=True, address=f"127.0.0.1:1001/live/{pair.stage.id}")
        c.broken = True
        await pair.settle(OUT_OF_HEARING + 1)
        assert await pair.come("local", "publish", 5) == (204, "")
