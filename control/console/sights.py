"""What the console shows beyond what orders tell: nodes, figures over time, why a room is as it is, what was done."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from control.console.audit import Audit
from control.console.figures import SPANS, Figures
from control.live.nodes import Nodes
from control.operators.orders import Answer, Impossible, Order, number, text
from control.settings import Settings, to_env
from control.storage.database import Store
from control.storage.sql import database_now
from control.storage.tables import nodes

PATIENCE = 20.0  # seconds that a story may take to be told
TOLD = 50  # things that happened in a room, of the last minutes


class Sights:
    def __init__(self, *, settings: Settings, store: Store, nodes: Nodes, figures: Figures, audit: Audit) -> None:
        self._settings = settings
        self._store = store
        self._nodes = nodes
        self._figures = figures
        self._audit = audit
        self._telling = asyncio.Lock()

    @property
    def table(self) -> dict[str, Order]:
        return {
            "show-nodes": self.nodes,
            "show-figures": self.figures,
            "show-story": self.story,
            "show-audit": self.audit,
        }

    async def nodes(self, given: Mapping[str, Any]) -> Answer:
        if not self._nodes.shared:
            return {"nodes": [{"name": self._settings.node, "lives": True, "draining": False}]}
        lives = (nodes.c.expires_at > database_now()).label("lives")
        rows = await self._store.fetch_all(sa.select(nodes.c.name, nodes.c.draining, lives).order_by(nodes.c.name))
        return {"nodes": [{**dict(row), "lives": bool(row["lives"])} for row in rows]}

    async def figures(self, given: Mapping[str, Any]) -> Answer:
        span = text(given, "span")
        if span not in SPANS:
            raise Impossible(f"span: {', '.join(SPANS)}")
        return {"figures": await self._figures.of(span)}

    async def story(self, given: Mapping[str, Any]) -> Answer:
        """What this node believes of a room, and what happened lately. Told by a process of its own: to play thousands
        of lines again takes seconds. One at a time."""
        room = number(given, "room")
        command = [sys.executable, "-m", "control", "explain", str(room), "--before", "10", "--json"]
        async with self._telling:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=os.environ | to_env(self._settings),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                async with asyncio.timeout(PATIENCE):
                    told, failure = await process.communicate()
            except TimeoutError:
                process.kill()
                await process.wait()
                raise Impossible("there is too much to tell it in time: `qplus explain` does") from None
        if process.returncode:
            raise Impossible(failure.decode(errors="replace").strip().splitlines()[-1].removeprefix("error: "))
        facts = orjson.loads(told)
        return {"story": {**facts, "happened": facts["happened"][-TOLD:]}}

    async def audit(self, given: Mapping[str, Any]) -> Answer:
        return {"audit": await self._audit.before(number(given, "before"))}
