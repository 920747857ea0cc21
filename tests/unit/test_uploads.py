from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from control.api.uploads import ARRIVAL, AT_WORK, BODY, HEAD, IN_LINE_OF_ONE, PATIENCE, Busy, TooLarge, TooSlow, Uploads
from control.refusals import SessionExpired
from tests.support.people import crowd, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio


class Sent:
    """A body in pieces; `read` of them were taken."""

    def __init__(self, *pieces: bytes, stalls: bool = False) -> None:
        self._pieces = list(pieces)
        self._stalls = stalls
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.read += 1
            yield piece
        if self._stalls:
            await asyncio.Event().wait()

    @property
    def parts(self) -> AsyncIterator[bytes]:
        return aiter(self)


def by(session: str, *pieces: bytes, stalls: bool = False) -> Sent:
    head = b'{"sessionId": "%b", "headPic": "' % session.encode()
    return Sent(head, b"x" * HEAD, *pieces, stalls=stalls)


@pytest.fixture
def uploads(box: Box) -> Uploads:
    return Uploads(box.running.sessions, box.clock)


async def waiting(uploads: Uploads, sent: Sent) -> asyncio.Task[None]:
    """An upload that has taken its place in the line."""

    async def upload() -> None:
        async with uploads.body(sent.parts, None):
            pass

    task = asyncio.create_task(upload())
    await asyncio.sleep(0.05)
    return task


async def test_a_body_comes_whole(box: Box, uploads: Uploads) -> None:
    ann = await person(box)
    sent = by(ann.session, b"y" * 70_000, b'"}')
    async with uploads.body(sent.parts, None) as body:
        assert body.startswith(b'{"sessionId"') and body.endswith(b'y"}')


@pytest.mark.parametrize("in_a_cookie", [False, True])
async def test_who_has_no_session_is_refused_before_the_body_is_read(
    box: Box, uploads: Uploads, in_a_cookie: bool
) -> None:
    sent = by("n" * 32, *[b"y" * 60_000] * 100)
    with pytest.raises(SessionExpired):
        async with uploads.body(sent.parts, "n" * 32 if in_a_cookie else None):
            pass
    assert sent.read <= 2


async def test_a_session_behind_the_picture_is_found(box: Box, uploads: Uploads) -> None:
    sent = Sent(b'{"headPic": "', b"y" * 60_000, b'", "sessionId": "x"}')
    async with uploads.body(sent.parts, None) as body:
        assert body.endswith(b'"x"}')


async def test_two_are_at_work_and_the_third_is_not_read(box: Box, uploads: Uploads) -> None:
    people = await crowd(box, AT_WORK + 1)
    async with AsyncExitStack() as at_work:
        for each in people[:-1]:
            await at_work.enter_async_context(uploads.body(by(each.session).parts, None))
        sent = by(people[-1].session, *[b"y" * 60_000] * 100)
        third = await waiting(uploads, sent)
        assert not third.done() and sent.read <= 2
    await third
    assert sent.read == 102


async def test_of_those_whose_session_comes_last_one_is_at_work(box: Box, uploads: Uploads) -> None:
    ann = await person(box)
    async with uploads.body(Sent(b"{}").parts, None):
        second = await waiting(uploads, Sent(b"{}"))
        async with uploads.body(by(ann.session).parts, None):
            assert not second.done()
    await second


async def test_a_stranger_who_takes_their_time_is_in_no_users_way(box: Box, uploads: Uploads) -> None:
    people = await crowd(box, AT_WORK)
    slow = await waiting(uploads, Sent(b"{" * (HEAD + 1), stalls=True))
    async with AsyncExitStack() as at_work:
        for each in people:
            await at_work.enter_async_context(uploads.body(by(each.session).parts, None))
        assert not slow.done()
    slow.cancel()
    await asyncio.wait([slow])


async def test_one_user_holds_one_of_the_turns(box: Box, uploads: Uploads) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    slow = [await waiting(uploads, by(ann.session, stalls=True)) for _ in range(3)]
    async with uploads.body(by(bob.session).parts, None):
        assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    await asyncio.wait(slow)


async def test_who_waits_too_long_is_told_so(box: Box, uploads: Uploads) -> None:
    people = await crowd(box, AT_WORK + 1)
    async with AsyncExitStack() as at_work:
        for each in people[:-1]:
            await at_work.enter_async_context(uploads.body(by(each.session).parts, None))
        third = await waiting(uploads, by(people[-1].session))
        box.clock.advance(PATIENCE)
        with pytest.raises(Busy):
            await third


async def test_one_user_does_not_fill_the_line(box: Box, uploads: Uploads) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    tasks = [await waiting(uploads, by(ann.session, stalls=True)) for _ in range(IN_LINE_OF_ONE)]
    with pytest.raises(Busy):
        async with uploads.body(by(ann.session).parts, None):
            pass
    async with uploads.body(by(bob.session).parts, None):
        pass
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_body_that_stalls_gives_its_turn_up(box: Box, uploads: Uploads) -> None:
    ann = await person(box)
    stalled = await waiting(uploads, by(ann.session, stalls=True))
    box.clock.advance(ARRIVAL)
    with pytest.raises(TooSlow):
        await stalled
    async with uploads.body(by(ann.session).parts, None):
        pass


async def test_a_body_that_goes_on_and_on_is_left_there(box: Box, uploads: Uploads) -> None:
    sent = by((await person(box)).session, *[b"y" * 2**20] * 100)
    with pytest.raises(TooLarge):
        async with uploads.body(sent.parts, None):
            pass
    assert sent.read <= 3 + BODY // 2**20
