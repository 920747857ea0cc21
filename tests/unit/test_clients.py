"""Clients are told through callbacks: what nginx is answered, and what lists say then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from structlog.testing import capture_logs

from control.live.states import Ending, State
from control.nginx_rtmp.pipelined import BARRED, HANDFUL
from control.nginx_rtmp.plan import JOINING
from control.nginx_rtmp.takeover import LONGEST_LOOK, LOOK_AGAIN, WAITING
from control.storage.tables import LAST_ROOM_ID
from tests.support import world
from tests.support.stage import Stage, staged
from tests.support.world import Box

pytestmark = pytest.mark.anyio
T = TypeVar("T")


async def waiting(stage: Stage, work: Awaitable[T], happens: Callable[[], object] = lambda: None) -> T:
    """Time passes and something happens whenever a takeover looks again at a publisher."""
    return await stage.box.clock.steps(LOOK_AGAIN, work, happens)


async def test_a_publisher_and_players_come_and_go(stage: Stage) -> None:
    assert [await stage.publish(1), await stage.play(2), await stage.play(3)] == [204] * 3
    assert await stage.status() == (True, 2)
    await stage.leave(3)
    assert await stage.said() == (True, 1)
    await stage.leave(1)
    assert await stage.said() == (False, 1)


@pytest.mark.parametrize("call", ["publish_done", "play_done", "done", "disconnect"])
async def test_any_end_ends_all_of_a_connection(stage: Stage, call: str) -> None:
    await stage.publish(1)
    assert await stage.leave(1, call) == 204
    assert await stage.status() == (False, 0)
    assert await stage.publish(2) == 204


async def test_a_publisher_is_live_from_its_first_media(stage: Stage) -> None:
    await stage.publish(1, timestamp=0)
    assert await stage.status() == (False, 0)
    await stage.update(1, timestamp=40)
    assert await stage.said() == (True, 0)


@pytest.mark.parametrize(
    "name",
    ["", "0", "0{id}", "{id}x", "{id}/", "../{id}", "-1", "１０００００１", str(LAST_ROOM_ID), str(2**31), "9" * 11],
)
async def test_a_name_that_is_no_room_is_refused(stage: Stage, name: str) -> None:
    written = name.format(id=stage.id)
    for call in ("publish", "play"):
        assert await stage.box.callback(call, 1, written, f"pwd={stage.anchor}") == 403


async def test_a_password_opens_one_door_only(stage: Stage) -> None:
    assert await stage.publish(1, pwd=stage.user) == 403
    assert await stage.play(2, f"pwd={stage.anchor}") == 403
    assert await stage.play(3, f"pwd={stage.user}&pwd=guess") == 204


async def test_a_ticket_lets_play(stage: Stage) -> None:
    ticket = (await stage.own("PlayLiveStream", status=1))["playRtmpUrl"].partition("ticket=")[2]
    assert await stage.play(1, f"ticket={ticket}") == 204
    assert await stage.play(2, f"ticket={ticket[:-1]}") == 403
    assert await stage.status() == (False, 0)  # owners are no viewers of their own room


async def test_a_ticket_that_is_given_back_puts_out(stage: Stage) -> None:
    session = await stage.box.session("viewer", "13600000000")
    urls = await stage.box.api("PlayLiveStream", sessionId=session, liveroomId=stage.id, status=1)
    await stage.play(1, "ticket=" + urls["playRtmpUrl"].partition("ticket=")[2])
    assert await stage.status() == (False, 1)
    await stage.box.api("PlayLiveStream", sessionId=session, liveroomId=stage.id, status=0)
    assert stage.box.nginx.dropped == [1]
    assert await stage.said() == (False, 0)


async def test_a_new_password_puts_out_those_with_the_old_one(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    await stage.own("ModifyMyLiveRoom", liveRoomUserPwd="another-one")
    assert stage.box.nginx.dropped == [2]
    assert await stage.status() == (True, 0)


async def test_an_end_that_comes_before_its_verdict_counts(stage: Stage) -> None:
    await stage.leave(1)
    assert await stage.publish(1) == 403
    assert await stage.status() == (False, 0)


async def test_after_an_early_end_the_connection_may_try_again(stage: Stage) -> None:
    await stage.leave(1)
    assert [await stage.play(1), await stage.play(1)] == [403, 204]


async def test_a_connection_that_closed_its_stream_may_publish_again(stage: Stage) -> None:
    await stage.publish(1)
    await stage.leave(1)
    assert await stage.publish(1) == 204
    assert await stage.status() == (True, 0)


@pytest.mark.parametrize("first", ["publish", "play"])
async def test_a_second_stream_on_one_connection_is_refused(stage: Stage, first: str) -> None:
    assert await (stage.publish(1) if first == "publish" else stage.play(1)) == 204
    other = await staged(stage.box, 2)
    assert [await other.play(1), await other.publish(1)] == [403, 403]


async def test_a_player_that_plays_again_is_the_same_viewer(stage: Stage) -> None:
    await stage.publish(1)
    assert [await stage.play(2), await stage.play(2)] == [204, 204]
    assert await stage.status() == (True, 1)
    await stage.leave(2)
    assert await stage.status() == (True, 0)


async def test_a_player_that_plays_again_is_known_by_what_it_showed_last(stage: Stage) -> None:
    ticket = (await stage.own("PlayLiveStream", status=1))["playRtmpUrl"].partition("ticket=")[2]
    assert [await stage.play(2), await stage.play(2, f"ticket={ticket}")] == [204, 204]
    assert await stage.status() == (False, 0)  # an owner is no viewer
    assert await stage.play(2, "pwd=guess") == 403


async def test_an_update_keeps_its_session_as_long_as_it_may_stay(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    assert [await stage.update(1), await stage.update(2, "play")] == [204, 204]
    stage.box.nginx.deaf = True  # so that nothing can be dropped at once
    await stage.own("ModifyMyLiveRoom", liveRoomAnchorPwd="another-one", liveRoomUserPwd="yet-another")
    assert [await stage.update(1), await stage.update(2, "play")] == [403, 403]


async def test_an_update_judges_what_was_shown_at_first(stage: Stage) -> None:
    await stage.play(1)
    assert await stage.update(1, "play", pwd="guess") == 204


async def test_an_update_after_a_ticket_has_expired_is_refused(stage: Stage) -> None:
    ticket = (await stage.own("PlayLiveStream", status=1))["playRtmpUrl"].partition("ticket=")[2]
    assert await stage.play(1, f"ticket={ticket}") == 204
    stage.box.clock.advance(stage.box.settings.ticket_seconds)
    assert [await stage.update(1, "play"), await stage.update(1, "play")] == [403, 403]
    session = next(iter(stage.box.running.live.presence.all()))
    assert (session.state, session.ending) == (State.ENDING, Ending.PASSWORD)


async def test_an_update_before_its_verdict_lets_nobody_in(stage: Stage) -> None:
    assert await stage.update(1) == 204
    assert await stage.status() == (False, 0)
    assert await stage.publish(1) == 204
    assert await stage.status() == (True, 0)


async def test_an_update_of_a_stranger_is_judged(stage: Stage) -> None:
    assert await stage.update(1, pwd="guess") == 403
    assert await stage.update(2, "play", pwd=stage.anchor) == 403
    assert await stage.box.callback("update", 3, "", f"pwd={stage.anchor}") == 403


async def test_a_stranger_is_taken_in_once_nginx_shows_it(stage: Stage) -> None:
    await stage.update(1, "play")
    assert await stage.said() == (False, 0)
    stage.box.nginx.put(1, str(stage.id))
    assert await stage.status() == (False, 1)


async def test_a_stranger_that_nginx_never_shows_is_refused(stage: Stage) -> None:
    assert await stage.update(1) == 204
    stage.box.clock.advance(LONGEST_LOOK)
    await stage.box.settle()
    assert await stage.update(1) == 204
    stage.box.clock.advance(0.1)
    await stage.box.settle()
    assert await stage.update(1) == 403


async def test_a_stranger_stays_while_nginx_cannot_be_asked(stage: Stage) -> None:
    stage.box.nginx.broken = True
    for _ in range(4):
        assert await stage.update(1, "play") == 204
        stage.box.clock.advance(5)
        await stage.box.settle()
    stage.box.nginx.broken = False
    stage.box.nginx.put(1, str(stage.id))
    assert await stage.status() == (False, 1)


async def test_whoever_cannot_be_dropped_is_refused_at_the_next_update(stage: Stage) -> None:
    await stage.publish(1)
    stage.box.nginx.deaf = True
    await stage.own("PushLiveStream", status=0)
    assert stage.box.nginx.dropped == []
    assert await stage.status() == (True, 0)
    assert await stage.update(1) == 403


async def test_whoever_is_in_no_stream_yet_is_refused_at_the_next_update(stage: Stage) -> None:
    await stage.box.callback("play", 1, str(stage.id), f"pwd={stage.user}")
    await stage.own("ModifyMyLiveRoom", liveRoomUserPwd="another-one")
    assert stage.box.nginx.dropped == [1]
    assert await stage.update(1, "play") == 403


async def test_a_second_publisher_is_refused_while_the_first_sends(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    assert await waiting(stage, stage.publish(2), lambda: send(stage.box, 1)) == 403
    assert stage.box.nginx.dropped == []
    assert await stage.status() == (True, 0)


async def test_a_silent_publisher_gives_way(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    stage.box.clock.advance(3)
    assert await stage.publish(2) == 204
    assert stage.box.nginx.dropped == [1]
    assert await stage.status() == (True, 0)


async def test_a_newcomer_waits_until_the_one_before_is_known_to_be_silent(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    began = stage.box.clock.ticks()
    assert await waiting(stage, stage.publish(2)) == 204
    assert 3 <= stage.box.clock.ticks() - began < 4
    assert stage.box.nginx.dropped == [1]


async def test_some_newcomers_wait_and_others_are_refused_at_once(stage: Stage) -> None:
    """Each that waits takes one of nginx's connections; a stranger could take them all."""
    await stage.publish(1)
    await stage.box.settle()

    async def newcomers() -> list[int]:
        return await asyncio.gather(*(stage.publish(client) for client in range(2, 2 + WAITING + 5)))

    with capture_logs() as logs:
        answers = await waiting(stage, newcomers())
    assert sorted(answers) == [204] + [403] * (WAITING + 4)
    reasons = [each["reason"] for each in logs if each["event"] == "publish refused"]
    assert sum("others wait" in reason for reason in reasons) == 5
    assert stage.box.nginx.dropped and set(stage.box.nginx.dropped) == {1}


async def test_a_newcomer_does_not_wait_for_one_that_is_gone(stage: Stage) -> None:
    await stage.publish(1)
    stage.box.clock.advance(JOINING)
    stage.box.nginx.clients.clear()  # its end was lost
    assert await stage.publish(2) == 204
    assert stage.box.nginx.dropped == []


async def test_one_that_is_joining_is_waited_for(stage: Stage) -> None:
    await stage.box.callback("publish", 1, str(stage.id), f"pwd={stage.anchor}")

    def join() -> None:
        stage.box.nginx.clients or stage.box.nginx.put(1, str(stage.id), publishing=True)
        send(stage.box, 1)

    assert await waiting(stage, stage.publish(2), join) == 403
    assert await stage.status() == (True, 0)


async def test_one_that_never_joins_gives_way(stage: Stage) -> None:
    await stage.box.callback("publish", 1, str(stage.id), f"pwd={stage.anchor}")
    assert await waiting(stage, stage.publish(2)) == 204
    assert await stage.status() == (True, 0)


async def test_one_that_leaves_while_a_newcomer_waits_gives_way(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    assert await waiting(stage, stage.publish(2), lambda: stage.leave(1)) == 204
    assert stage.box.nginx.dropped == []


async def test_a_newcomer_that_gives_up_waiting_is_not_let_in(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    assert await waiting(stage, stage.publish(2), lambda: stage.leave(2)) == 403
    assert await stage.status() == (False, 0)


async def both(stage: Stage) -> tuple[int, int]:
    return await asyncio.gather(stage.publish(2), stage.publish(3))


async def test_of_two_newcomers_one_is_let_in(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    stage.box.clock.advance(3)
    verdicts = await waiting(stage, both(stage), lambda: send(stage.box, max(stage.box.nginx.clients)))
    assert sorted(verdicts) == [204, 403]
    assert stage.box.nginx.dropped[0] == 1
    assert await stage.status() == (True, 0)


async def test_of_two_newcomers_who_waited_one_is_let_in(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    verdicts = await waiting(stage, both(stage))
    assert sorted(verdicts) == [204, 403]
    assert await stage.status() == (True, 0)


async def test_a_newcomer_is_judged_again_after_it_waited(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    changed = {"liveRoomAnchorPwd": "another-one"}
    assert await waiting(stage, stage.publish(2), lambda: stage.own("ModifyMyLiveRoom", **changed)) == 403
    assert await stage.status() == (False, 0)


async def test_without_nginx_nobody_takes_over(stage: Stage) -> None:
    await stage.publish(1)
    stage.box.clock.advance(60)
    stage.box.nginx.broken = True
    assert await stage.publish(2) == 403


async def test_a_silent_publisher_that_cannot_be_dropped_stays(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    stage.box.nginx.deaf = True
    looks: list[int] = []
    assert await waiting(stage, stage.publish(2), lambda: looks.append(1)) == 403
    assert len(looks) >= LONGEST_LOOK
    assert await stage.status() == (True, 0)


async def test_a_publisher_of_an_nginx_that_is_no_more_gives_way(stage: Stage) -> None:
    await stage.publish(1)
    stage.box.clock.advance(JOINING)
    stage.box.nginx.start, stage.box.nginx.clients = "bbbb0002", {}
    assert await stage.publish(1) == 204
    assert await stage.status() == (True, 0)


async def test_a_number_that_another_nginx_gave_out_drops_nobody(stage: Stage) -> None:
    await stage.publish(1)
    other = await staged(stage.box, 2)
    stage.box.nginx.start, stage.box.nginx.clients = "bbbb0002", {}
    await other.publish(1)  # numbered from 1 again, and control has not looked yet
    await stage.own("ModifyMyLiveRoom", liveRoomAnchorPwd="another-one")
    assert stage.box.nginx.dropped == []
    assert await other.status() == (True, 0)


async def test_nginxs_start_which_is_secret_is_in_no_log_line(stage: Stage) -> None:
    await stage.publish(1)
    stage.box.nginx.deaf = True
    with capture_logs() as lines:
        await stage.own("PushLiveStream", status=0)
    assert "drop failed" in [line["event"] for line in lines]
    assert stage.box.nginx.start not in str(lines)


async def test_what_cannot_be_dropped_now_is_refused_at_its_next_update(stage: Stage) -> None:
    await stage.publish(1)
    stage.box.nginx.deaf = True
    await stage.own("PushLiveStream", status=0)
    await stage.own("PushLiveStream", status=1)  # for who comes next
    assert await stage.update(1) == 403


async def test_what_could_not_be_dropped_is_dropped_at_the_next_look(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    stage.box.nginx.deaf = True
    await stage.own("PushLiveStream", status=0)
    stage.box.nginx.deaf = False
    assert await stage.status() == (False, 0)
    assert stage.box.nginx.dropped == [1]


async def test_a_publisher_whose_lease_ran_out_unheard_keeps_its_room(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    stage.box.nginx.broken = True
    stage.box.clock.advance(13)
    assert await stage.status() == (False, 0)
    stage.box.nginx.broken = False  # frozen and woken: nobody has looked yet
    assert await stage.box.callback("publish", 2, str(stage.id), f"pwd={stage.anchor}") == 403
    stage.box.clock.advance(JOINING + 0.1)
    assert await stage.status() == (True, 0)


async def test_of_two_newcomers_beside_an_nginx_out_of_hearing_one_is_let_in(stage: Stage) -> None:
    stage.box.nginx.broken = True
    stage.box.clock.advance(13)
    asked = [stage.box.callback("publish", client, str(stage.id), f"pwd={stage.anchor}") for client in (1, 2)]
    verdicts = await asyncio.gather(*asked)
    assert sorted(verdicts) == [204, 403]


async def test_an_nginx_that_cannot_be_looked_at_keeps_nobody_out_of_an_empty_room(stage: Stage) -> None:
    stage.box.nginx.broken = True
    stage.box.clock.advance(13)
    assert await stage.publish(1) == 204


async def test_a_restarted_control_finds_who_is_here(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    assert await stage.status() == (True, 1)
    stage.box.clock.advance(100)
    stage.box.nginx.clients[1].connected = 100
    assert await stage.update(1, timestamp=2000) == 204
    began = await live_since(stage)
    async with restarted(stage) as again:
        again.box.clock.advance(5)
        assert await again.status() == (True, 1)
        assert await live_since(again) == began


async def test_a_restarted_control_learns_what_let_each_in(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    async with restarted(stage) as again:
        await again.box.settle()
        await again.own("ModifyMyLiveRoom", liveRoomUserPwd="another-one")
        assert again.box.nginx.dropped == []  # nobody knows yet what they showed
        assert [await again.update(1), await again.update(2, "play")] == [204, 403]


async def test_a_restarted_control_puts_out_whom_it_has_heard(stage: Stage) -> None:
    await stage.play(2)
    async with restarted(stage) as again:
        await again.update(2, "play")
        await again.box.settle()
        await again.own("ModifyMyLiveRoom", liveRoomUserPwd="another-one")
        assert again.box.nginx.dropped == [2]


async def test_a_restarted_control_does_not_count_owners(stage: Stage) -> None:
    ticket = (await stage.own("PlayLiveStream", status=1))["playRtmpUrl"].partition("ticket=")[2]
    await stage.play(1, f"ticket={ticket}")
    async with restarted(stage) as again:
        assert await again.status() == (False, 1)  # for all that is known
        await again.box.callback("update", 1, str(again.id), f"ticket={ticket}", kind="play")
        assert await again.said() == (False, 0)


async def test_an_end_while_control_was_away_is_found(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    await stage.box.settle()
    del stage.box.nginx.clients[1]
    async with restarted(stage) as again:
        assert await again.status() == (False, 1)


def send(box: Box, client: int) -> None:
    """Media flows."""
    box.nginx.clients[client].timestamp += 300


async def live_since(stage: Stage) -> int:
    began: int = (await stage.own("GetMyLiveSessions"))["list"][0]["startTime"]
    return began


class restarted:
    """Another control over the same data and the same nginx; the one before stays, and hears nothing more."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._opened = world.box(stage.box.settings, stage.box.nginx, stage.box.clock)

    async def __aenter__(self) -> Stage:
        box = await self._opened.__aenter__()
        old = self._stage
        return Stage(box, old.id, old.session, old.anchor, old.user)

    async def __aexit__(self, *failure: Any) -> None:
        await self._opened.__aexit__(*failure)


async def test_a_publisher_that_asks_for_stream_after_stream_is_kept_out_for_a_while(stage: Stage) -> None:
    other = await stage.box.session("other", "13600000001")
    await stage.box.api("CreateLiveRoom", sessionId=other, liveRoomName="r")
    theirs = await stage.box.api("GetMyLiveRoom", sessionId=other)
    await stage.publish(1)
    for _ in range(HANDFUL):
        assert await stage.play(1, f"pwd={stage.user}") == 403
    await stage.leave(1)
    assert await stage.publish(2) == 403
    assert await stage.play(3, f"pwd={stage.user}") == 204
    assert (
        await stage.box.callback("publish", 4, str(theirs["liveRoomId"]), f"pwd={theirs['liveRoomAnchorPwd']}") == 204
    )
    stage.box.clock.advance(BARRED - 1)
    assert await stage.publish(5) == 403
    stage.box.clock.advance(1)
    assert await stage.publish(6) == 204


async def test_a_publisher_that_asks_twice_by_mistake_may_come_again(stage: Stage) -> None:
    await stage.publish(1)
    for _ in range(HANDFUL - 1):
        assert await stage.publish(1) == 403
    await stage.leave(1)
    assert await stage.publish(2) == 204


async def test_what_players_ask_for_keeps_no_publisher_out(stage: Stage) -> None:
    await stage.play(1, f"pwd={stage.user}")
    for _ in range(50):
        assert await stage.publish(1) == 403
    assert await stage.publish(2) == 204


async def test_who_is_denied_one_stream_gets_none_that_it_asked_for_beside_it(stage: Stage) -> None:
    """nginx closes the connection with the first denial, whatever comes of the rest."""
    await stage.publish(1)
    await stage.box.settle()

    async def denied_and_free() -> None:
        if stage.box.running.live.presence.publisher(stage.id):
            assert await stage.box.callback("publish", 2, str(stage.id), "pwd=wrong") == 403
            await stage.leave(1)

    assert await waiting(stage, stage.publish(2), denied_and_free) == 403
    assert await stage.status() == (False, 0)
    assert await stage.publish(3) == 204
