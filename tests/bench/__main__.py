"""`make bench`: what the product costs, over what it could cost at the least. README.md tells how to read it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from control.supervisor import folders
from tests.bench import baselines
from tests.bench.figures import Row, table
from tests.bench.joins import LEAST, NONE, PRODUCT, Target, held_rows, join_rows
from tests.bench.processes import FRONT, can_pin, pin
from tests.bench.product import on_air, product
from tests.bench.size import start_rows
from tests.bench.web import api_rows, hls_rows, program


@dataclass(frozen=True, slots=True)
class Amount:
    repetitions: int
    joins: int
    """In a repetition."""
    seconds: float
    """Of HTTP load in a repetition."""
    held: int
    holding: float
    """Seconds."""
    rooms: int
    """Of a large node."""


FULL = Amount(repetitions=11, joins=5000, seconds=3, held=5000, holding=30, rooms=1_000_000)
QUICK = Amount(repetitions=3, joins=1000, seconds=1, held=1000, holding=10, rooms=100_000)


async def measured(folder: Path, amount: Amount) -> list[Row]:
    rows: list[Row] = []

    def told(more: list[Row]) -> None:
        print(table(more), flush=True)
        rows.extend(more)

    async with product(folder) as made:
        settings = made.node.settings
        with ExitStack() as stack:
            yes = stack.enter_context(baselines.yes(folder / "yes"))
            none = stack.enter_context(baselines.rtmp(folder / "none"))
            least = stack.enter_context(baselines.rtmp(folder / "least", yes.port))
            bare = stack.enter_context(baselines.web(folder / "bare", folders.hls(settings)))
            await asyncio.sleep(1)  # until all listen
            names = [room.play for room in made.rooms]
            targets = {
                NONE: Target(none.port, names),
                LEAST: Target(least.port, names, [yes.pid]),
                PRODUCT: Target(settings.rtmp_port, names, made.control),
            }
            told(await join_rows(targets, amount.repetitions, amount.joins))
            told(await api_rows(folder, made, bare, amount.repetitions, amount.seconds))
            async with on_air(made):
                told(await hls_rows(folder, made, bare, amount.repetitions, amount.seconds))
        told(await held_rows(made, amount.held, amount.holding))
    told(await start_rows(folder, amount.rooms))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="less of each, in under 3 minutes: figures wobble")
    parser.add_argument("--out", type=Path, default=Path("var/bench"), help="folder of the result")
    asked = parser.parse_args()
    program()
    pin([os.getpid()], FRONT)
    with tempfile.TemporaryDirectory(prefix="qplus-bench-") as folder:
        rows = asyncio.run(measured(Path(folder), QUICK if asked.quick else FULL))
    text = table(rows)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "bench.txt").write_text(text + "\n")
    machine = {"cores": os.cpu_count(), "pinned": can_pin(), "python": platform.python_version()}
    known = {"machine": machine, "rows": [asdict(row) | {"verdict": row.verdict} for row in rows]}
    (asked.out / "bench.json").write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    print(f"\n{text}\n\n{'pinned' if can_pin() else 'NOT pinned'}; also in {asked.out}")
    sys.exit(any(row.verdict == "MISSED" for row in rows))


if __name__ == "__main__":
    main()
