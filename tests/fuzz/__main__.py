"""Throws random input at a real node, and at what reads strangers' bytes, for so many minutes.

Half of the time is RTMP's: connections through the guard to nginx-rtmp, with people pushing and watching beside them; a
quarter is the API's; a quarter the readers' alone. It ends at the first harm, and says the seed that does it again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.e2e.conftest import Node, running
from tests.fuzz import http, parsers, rtmp
from tests.fuzz.rtmp import Harm


async def fuzz(seconds: float, seed: int, least: int) -> None:
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="qplus-fuzz-") as folder:
        node = Node(Path(folder) / "node", log_level="error", address_requests=100_000)
        async with running(node):
            before = rtmp.memory(node)
            connections, admitted = await rtmp.run(node, seconds / 2, seed, least)
            grown = (rtmp.memory(node) - before) / 2**20
            harmless = f"nobody cut, no process lost, {grown:+.0f} MiB"
            print(f"RTMP: {connections} connections, {admitted} streams let in, {harmless}", flush=True)
            requests = await http.run(node, seconds / 4, seed)
            print(f"API: {requests} requests, each answered by a status of the contract", flush=True)
    inputs = await asyncio.to_thread(parsers.run, seconds / 4)
    print(f"readers: {inputs} inputs, each understood or refused", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--least", type=int, default=0, help="RTMP connections, however long they take")
    options = parser.parse_args()
    try:
        asyncio.run(fuzz(options.minutes * 60, options.seed, options.least))
    except Harm as harm:
        print(f"HARM: {harm}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
