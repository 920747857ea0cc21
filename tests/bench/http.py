"""An HTTP load client: wrk, over connections that are kept, from the core of the load."""

from __future__ import annotations

import asyncio
import json
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Taken, order
from tests.bench.processes import FRONT, can_pin, used

TOGETHER = 16  # connections
SCRIPT = """
local requests = { %s }
local turn = 0
request = function()
    turn = turn %% #requests + 1
    return requests[turn]
end
"""
TIMES = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Unanswered(Exception):
    """Some requests were not answered well: what was measured is an error's speed."""


@dataclass(frozen=True, slots=True)
class Ask:
    port: int
    requests: Sequence[tuple[str, str]]
    """Paths with bodies; an empty body is a GET."""
    pids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    rate: float
    """A second."""
    p50: float
    """Milliseconds, as p99."""
    p99: float
    cpu: float
    """Microseconds of processor time each, of what was asked."""


def program() -> str:
    """Raises FileNotFoundError when wrk is not installed."""
    if found := shutil.which("wrk"):
        return found
    raise FileNotFoundError("wrk is not installed: apt-get install wrk")


async def load(folder: Path, ask: Ask, seconds: float, together: int = TOGETHER) -> Answers:
    """Raises Unanswered."""
    script = folder / f"{ask.port}.lua"
    script.write_text(SCRIPT % ", ".join(_literal(*each) for each in ask.requests))
    pinned = ["taskset", "-c", str(FRONT)] if can_pin() else []
    url, time = f"http://127.0.0.1:{ask.port}", f"-d{math.ceil(seconds)}s"
    command = [*pinned, program(), "-t1", f"-c{together}", time, "--latency", "-s", str(script), url]
    before = used(ask.pids)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output = (await process.communicate())[0].decode()
    spent = used(ask.pids) - before
    if wrong := re.search(r"Non-2xx or 3xx responses: \d+|Socket errors:.*", output):
        raise Unanswered(f"{ask.requests[0][0].split('?')[0].rpartition('/')[2]}: {wrong[0]}")
    count, rate = re.search(r"(\d+) requests in", output), re.search(r"Requests/sec: +([\d.]+)", output)
    if process.returncode or not count or not rate or not int(count[1]):
        raise Unanswered(f"wrk gave no figures, exit code {process.returncode}")
    return Answers(float(rate[1]), _time(output, 50), _time(output, 99), spent / int(count[1]) * 1e6)


def _time(output: str, share: int) -> float:
    """Milliseconds within which that many of a hundred were answered."""
    found = re.search(rf"^ +{share}% +([\d.]+)(us|ms|s)$", output, re.MULTILINE)
    if not found:
        raise Unanswered(f"wrk gave no time for {share} %")
    return float(found[1]) * TIMES[found[2]]


def _literal(path: str, body: str) -> str:
    """A whole request, as a string of Lua."""
    head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: bench\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    return json.dumps(head + "\r\n" + body)


async def in_turns(
    folder: Path, variants: Mapping[str, Ask], repetitions: int, seconds: float
) -> dict[str, list[dict[str, Taken]]]:
    """Repetitions of `rate` (requests a second), `p50` and `p99` (milliseconds) by variant."""
    taken: dict[str, list[dict[str, Taken]]] = {"rate": [], "p50": [], "p99": []}
    for repetition in range(repetitions):
        names = order(list(variants), repetition)
        answers = {name: await load(folder, variants[name], seconds) for name in names}
        for kind, known in taken.items():
            known.append({name: Taken(getattr(each, kind), each.cpu) for name, each in answers.items()})
    return taken
