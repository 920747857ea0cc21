"""What the guard costs and gives: the same node with and without it, in turns.

    make bench-guard PAIRS=3

An ordinary player's join one after the other; joins a second, many at once; and processor time for media, in
milliseconds a megabyte that players received.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench.processes import family, used
from tests.bench.product import film
from tests.e2e.conftest import Node, Room, running

ONE_BY_ONE, AT_ONCE, TOGETHER = 200, 32, 1000
PLAYERS, SECONDS = 60, 8.0


async def join(node: Node, room: Room) -> float:
    began = time.perf_counter()
    async with node.player(room.play):
        return time.perf_counter() - began


async def joins_a_second(node: Node, room: Room) -> float:
    left = iter(range(TOGETHER))

    async def some() -> None:
        for _ in left:
            await join(node, room)

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return TOGETHER / (time.perf_counter() - began)


def spent(node: Node, part: str) -> float:
    """Seconds of processor time."""
    return used(family(node.pid(part)))


async def media(node: Node, room: Room, parts: list[str]) -> dict[str, float]:
    """Milliseconds of each part a megabyte."""
    received = 0

    def count(message: object) -> None:
        nonlocal received
        received += len(message.body)  # type: ignore[attr-defined]

    async with AsyncExitStack() as stack:
        for _ in range(PLAYERS):
            player = await stack.enter_async_context(node.player(room.play))
            player.on_media = count
        await asyncio.sleep(1)
        before, received = {part: spent(node, part) for part in parts}, 0
        await asyncio.sleep(SECONDS)
        return {part: (spent(node, part) - before[part]) * 1000 / (received / 1e6) for part in parts}


async def main(pairs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="qplus-guard-") as folder:
        nodes = {guard: Node(Path(folder) / guard, guard=guard, log_level="warning") for guard in ("off", "on")}
        async with running(nodes["off"]), running(nodes["on"]), AsyncExitStack() as stack:
            rooms = {}
            for guard, node in nodes.items():
                rooms[guard] = await node.room()
                publisher = await stack.enter_async_context(node.client())
                await publisher.publish(rooms[guard].push)
                sending = asyncio.create_task(publisher.stream_media(tags=film()))
                stack.callback(sending.cancel)
                await node.live(rooms[guard], within=5)
            for _ in range(pairs):
                for guard, node in nodes.items():
                    one_by_one = sorted([await join(node, rooms[guard]) for _ in range(ONE_BY_ONE)])
                    rate = await joins_a_second(node, rooms[guard])
                    cost = await media(node, rooms[guard], ["rtmp", "guard"] if guard == "on" else ["rtmp"])
                    p50, p99 = statistics.median(one_by_one) * 1000, one_by_one[int(ONE_BY_ONE * 0.99)] * 1000
                    told = ", ".join(f"{part} {value:.2f}" for part, value in cost.items())
                    joined = f"join p50 {p50:.2f} ms, p99 {p99:.2f} ms; {rate:.0f} joins/s"
                    print(f"guard {guard:3}: {joined}; ms a MB: {told}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int((sys.argv[1:] or ["3"])[0])))
