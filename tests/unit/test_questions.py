from __future__ import annotations

import asyncio
from typing import Any

import pytest

from control.clock import SystemClock
from control.entropy import SystemEntropy
from control.live.questions import Questions
from control.storage.database import Store
from tests.support.nodes import StandInNode, running

pytestmark = pytest.mark.anyio


async def three(store: Store) -> list[tuple[StandInNode, Questions]]:
    nodes = [StandInNode(store, name, clock=SystemClock()) for name in ("a", "b", "c")]
    for node in nodes:
        await node.begin()
    for node in nodes:
        await node.log.follow()
    return [
        (node, Questions(store=store, log=node.log, nodes=node.nodes, clock=node.clock, entropy=SystemEntropy()))
        for node in nodes
    ]


async def test_those_that_are_asked_answer_and_no_others(store: Store) -> None:
    (a, asks), (b, at_b), (c, at_c) = await three(store)

    def answering(name: str) -> Any:
        async def answer(room_id: int, more: str) -> list[object]:
            return [name, room_id, more]

        return answer

    for name, questions in (("a", asks), ("b", at_b), ("c", at_c)):
        questions.answer("who", answering(name))
    following = asyncio.create_task(running(a, b, c))
    try:
        assert sorted(await asks.ask(["b", "c", "gone"], "who", 7, "x")) == [["b", 7, "x"], ["c", 7, "x"]]
        assert await asks.ask(["b"], "who", 7, "y") == [["b", 7, "y"]]
        assert await asks.ask(["gone"], "who", 7, "z") == []
        assert await asks.ask(["b"], "what a later release asks", 7) == []
    finally:
        following.cancel()
        await asyncio.wait([following])


async def test_of_one_room_one_thing_is_asked_at_a_time(store: Store) -> None:
    (a, asks), (b, at_b), _ = await three(store)
    at_once, most = 0, 0

    async def answer(room_id: int) -> bool:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return True

    at_b.answer("who", answer)
    following = asyncio.create_task(running(a, b))
    try:
        assert await asyncio.gather(*(asks.ask(["b"], "who", 7) for _ in range(5))) == [[True]] * 5
        assert most == 1
        assert await asyncio.gather(*(asks.ask(["b"], "who", room) for room in range(5))) == [[True]] * 5
        assert most > 1
    finally:
        following.cancel()
        await asyncio.wait([following])


async def test_who_does_not_answer_is_not_waited_for(store: Store) -> None:
    (a, asks), _, _ = await three(store)
    following = asyncio.create_task(running(a))
    try:
        assert await asks.ask(["b"], "who", 7, within=0.05) == []
    finally:
        following.cancel()
        await asyncio.wait([following])
