from __future__ import annotations

import argparse
import asyncio
import random
import sys
from pathlib import Path

from tests.soak.run import Options, soak


def options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="A node among people who come and go.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1, help="3: over one PostgreSQL")
    parser.add_argument("--rooms", type=int, default=20)
    parser.add_argument("--players", type=int, default=200, help="at the most, one in ten of them over HLS")
    parser.add_argument("--kills", type=int, choices=(0, 1), default=0, help="1: also kill -9 control now and then")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--plot", type=Path, default=Path("var/soak.svg"))
    return Options(**vars(parser.parse_args()))


sys.exit(0 if asyncio.run(soak(options())).good else 1)
