"""`make bench`: what the product costs, over what it could cost at the least. README.md tells how to read it."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from control.supervisor import folders, sockets
from tests.bench import baselines, peers
from tests.bench.beside import HASHES, beside_rows
from tests.bench.figures import Row, table
from tests.bench.growth import join_growth_rows, renewal_rows
from tests.bench.guard import WITH, WITHOUT, guard_rows
from tests.bench.http import program
from tests.bench.joins import BOUND, LEAST, NONE, PRODUCT, Target, held_rows, join_rows
from tests.bench.lists import list_rows
from tests.bench.others import other_rows, require_verdicts
from tests.bench.processes import FRONT, can_pin, family, pin
from tests.bench.product import USERS, film, on_air, product
from tests.bench.size import have_live, sized, start_rows
from tests.bench.web import LIVE, api_rows, hls_rows
from tests.bench.workers import worker_rows


@dataclass(frozen=True, slots=True)
class Amount:
    repetitions: int
    turns: int
    """Likewise, of what takes seconds each time."""
    joins: int
    """In a repetition."""
    seconds: float
    """Of HTTP load in a repetition."""
    held: int
    holding: float
    """Seconds."""
    growing: tuple[int, ...]
    """Players held, to be compared."""
    windows: int
    """In which each of them is renewed once."""
    beside: int
    """Joins in a repetition while something else is done."""
    rooms: int
    """Of a large node."""
    live: int


FULL = Amount(
    repetitions=11,
    turns=11,
    joins=5000,
    seconds=3,
    held=5000,
    holding=30,
    growing=(100, 1000, 10_000),
    windows=11,
    beside=1000,
    rooms=1_000_000,
    live=10_000,
)
QUICK = Amount(
    repetitions=3,
    turns=2,
    joins=1000,
    seconds=1,
    held=1000,
    holding=5,
    growing=(100, 1000),
    windows=1,
    beside=200,
    rooms=100_000,
    live=10_000,
)
SMALL = 1000, 10  # rooms, and how many of them are live


Rows = AsyncIterator[list[Row] | str]


async def joins(folder: Path, amount: Amount) -> Rows:
    async with product(folder) as made:
        with ExitStack() as stack:
            yes = stack.enter_context(baselines.yes(folder / "yes"))
            none = stack.enter_context(baselines.rtmp(folder / "none"))
            least = stack.enter_context(baselines.rtmp(folder / "least", yes.tcp))
            bound = stack.enter_context(baselines.rtmp(folder / "bound", yes.unix))
            await asyncio.sleep(1)  # until all listen
            names = [room.play for room in made.rooms]
            targets = {
                NONE: Target(none.port, names),
                LEAST: Target(least.port, names, family(yes.pid)),
                BOUND: Target(bound.port, names, family(yes.pid)),
                PRODUCT: Target(made.node.settings.rtmp_port, names, made.control),
            }
            yield await join_rows(targets, amount.repetitions, amount.joins)


async def web(folder: Path, amount: Amount) -> Rows:
    async with product(folder) as made:
        with baselines.web(folder / "bare", folders.hls(made.node.settings)) as bare:
            await asyncio.sleep(1)  # until it listens
            yield await api_rows(folder, made, bare, amount.turns, amount.seconds)
            async with on_air(made):
                yield await hls_rows(folder, made, bare, amount.turns, amount.seconds)


async def held(folder: Path, amount: Amount) -> Rows:
    async with product(folder) as made:
        yield await held_rows(made, amount.held, amount.holding)
    yield await renewal_rows(folder, amount.growing, amount.windows)


async def size(folder: Path, amount: Amount) -> Rows:
    async with (
        sized(folder / "small", *SMALL, users=USERS) as small,
        sized(folder / "large", amount.rooms, amount.live, users=USERS) as large,
    ):
        yield start_rows(large)
        yield await list_rows(folder, small, large, amount.turns, amount.seconds)
        async with sized(folder / "one", 1) as one:
            yield await join_growth_rows([one, small, large], amount.repetitions, amount.joins)


async def beside(folder: Path, amount: Amount) -> Rows:
    async with product(folder, rooms=8, **HASHES) as made:
        with baselines.rtmp(folder / "none") as none:
            await have_live(made, LIVE)
            yield await beside_rows(folder, made, none.port, amount.turns, amount.beside)


async def guard(folder: Path, amount: Amount) -> Rows:
    async with (
        product(folder / WITHOUT, rooms=2) as without,
        product(folder / WITH, guard="on", rooms=2) as guarded,
        on_air(without, film()),
        on_air(guarded, film()),
    ):
        nodes = {WITHOUT: without, WITH: guarded}
        yield await guard_rows(nodes, amount.turns, amount.joins, amount.seconds)


async def workers(folder: Path, amount: Amount) -> Rows:
    async with AsyncExitStack() as stack:
        nodes = {}
        for count in (1, 2, *((os.cpu_count() or 1,) if (os.cpu_count() or 1) > 2 else ())):
            made = product(folder / str(count), guard="on", rooms=2, rtmp_workers=count)
            nodes[count] = await stack.enter_async_context(made)
            await stack.enter_async_context(on_air(nodes[count], film()))
        yield await worker_rows(nodes, amount.turns, amount.joins, amount.seconds)


async def others(folder: Path, amount: Amount) -> Rows:
    async with product(folder) as made:
        with ExitStack() as stack:
            names, plain = [room.play for room in made.rooms], [str(room.id) for room in made.rooms]
            known = {
                "Flask": partial(peers.flask, folder / "flask", names),
                "node-media-server": partial(peers.media_server, folder / "media-server", plain),
            }
            targets = {
                NONE: Target(stack.enter_context(baselines.rtmp(folder / "none")).port, names),
                PRODUCT: Target(made.node.settings.rtmp_port, names, made.control),
            }
            for name, peer in known.items():
                try:
                    targets[name] = stack.enter_context(peer())
                except peers.Absent as absent:
                    yield str(absent)
            await asyncio.sleep(2)  # until all listen
            for name in targets.keys() - {NONE}:
                await require_verdicts(name, targets[name])
            yield await other_rows(targets, amount.repetitions, amount.joins // 5)


CHAPTERS: dict[str, Callable[[Path, Amount], Rows]] = {
    each.__name__: each for each in (joins, guard, workers, web, held, size, beside, others)
}


async def measured(folder: Path, amount: Amount, chapters: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Rows, and what there is to say beside."""
    rows: list[Row] = []
    notes: list[str] = []
    for name in chapters:
        began = time.perf_counter()
        async for more in CHAPTERS[name](folder / name, amount):
            if isinstance(more, str):
                notes.append(more)
            else:
                rows.extend(more)
            print(more if isinstance(more, str) else table(more), flush=True)
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    return rows, notes


def draw(folder: Path) -> None:
    """Plots beside the figures."""
    if not peers.PYTHON.exists():
        print("plots are left out: matplotlib could not be installed")
        return
    subprocess.run([peers.PYTHON, Path(__file__).with_name("plots.py"), folder / "bench.json", folder], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="less of each, in under 3 minutes: figures wobble")
    parser.add_argument("--out", type=Path, default=Path("var/bench"), help="folder of the result")
    parser.add_argument("chapters", nargs="*", choices=[*CHAPTERS, []], help="only these; by default all")
    asked = parser.parse_args()
    program()
    sockets.raise_limit()
    gc.disable()  # thousands of players would be looked through, while others of them wait
    pin([os.getpid()], FRONT)
    notes = ["pinned" if can_pin() else "NOT pinned: there are not two cores"]
    with tempfile.TemporaryDirectory(prefix="qplus-bench-") as folder:
        amount, chapters = QUICK if asked.quick else FULL, asked.chapters or list(CHAPTERS)
        rows, more = asyncio.run(measured(Path(folder), amount, chapters))
    notes += more
    text = "\n".join([table(rows), "", *notes])
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "bench.txt").write_text(text + "\n")
    machine = {"cores": os.cpu_count(), "pinned": can_pin(), "python": platform.python_version()}
    known = {
        "machine": machine,
        "rows": [asdict(row) | {"verdict": row.verdict} for row in rows],
        "notes": notes,
    }
    (asked.out / "bench.json").write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    print(f"\n{text}\nalso in {asked.out}")
    draw(asked.out)
    sys.exit(any(row.verdict == "MISSED" for row in rows))


if __name__ == "__main__":
    main()
