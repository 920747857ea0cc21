"""The nodes that work over one database: this one says that it lives, and hears who else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import orjson
import sqlalchemy as sa
import structlog

from control.clock import Clock, Ticks
from control.ops import metrics
from control.storage.database import Store, insert
from control.storage.log import Entry, Log
from control.storage.sql import database_now
from control.storage.tables import leases, nodes, on_air

EVERY = 2.0  # seconds between two signs of life
JOINED = "joined"
LIFETIME = 10.0  # seconds, by the database's clock, that one is believed
LONG_GONE = 86400.0  # seconds after which nothing of one is kept

log = structlog.get_logger()


class Peer(NamedTuple):
    """A node, as others reach it."""

    name: str
    address: str
    rtmp_port: int
    http_port: int

    @property
    def site(self) -> str:
        """Where its web nginx is."""
        return joined(self.address, self.http_port)

    @property
    def rtmp(self) -> str:
        return joined(self.address, self.rtmp_port)


def joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class OtherKeys(Exception):
    """Another node signs with other keys: neither would know the other's tickets."""


class Nodes:
    """`keys` tells this node's signing keys from others without telling what they are."""

    def __init__(self, *, store: Store, log: Log, me: Peer, keys: str, clock: Clock) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._keys = keys
        self.me = me
        self.shared = bool(me.address)
        """Whether there may be others."""
        self.draining = False
        """Whether an operator wants nobody new here."""
        self.others: dict[str, Peer] = {}
        """That live."""
        self._ended: list[Callable[[str], None]] = []
        self._forgotten: list[Callable[[], None]] = []
        self._is_new = True
        self._looked_at = self._patient_until = clock.ticks()
        self._log.on(JOINED, self._joined)

    def when_ended(self, ended: Callable[[str], None]) -> None:
        """Has it called when another node has given no sign of life for LIFETIME."""
        self._ended.append(ended)

    def is_address(self, address: str) -> bool:
        """Whether another node has it."""
        return any(peer.address == address for peer in self.others.values())

    def when_forgotten(self, forgotten: Callable[[], None]) -> None:
        """Has it called when others may have taken this node for one that has ended."""
        self._forgotten.append(forgotten)

    async def beat(self) -> None:
        """Says that this node lives, and looks who else does. Raises OtherKeys."""
        if not self.shared:
            return
        sign_of_life = {**self.me._asdict(), "keys": self._keys, "expires_at": database_now() + LIFETIME}
        sign = (
            insert(nodes)
            .values(sign_of_life | {"draining": False})
            .on_conflict_do_update(index_elements=["name"], set_=sign_of_life)
        )
        mine = sa.select(nodes.c.draining, nodes.c.expires_at > database_now()).where(nodes.c.name == self.me.name)
        async with self._store.writing() as connection:
            self.draining, lives = await connection.fetch_one(mine) or (False, False)
            joins = self._is_new or not lives
            await connection.execute(sign)
            if joins:
                await connection.execute(self._log.entries([(JOINED, 0, 0, self._told())]))
        if joins:
            for forgotten in self._forgotten:
                forgotten()
        was_away = not lives or self._clock.ticks() - self._looked_at > 2 * EVERY
        if was_away and not self._is_new:
            # The database was, for the others too: they are given time to say that they live.
            self._patient_until = Ticks(self._clock.ticks() + LIFETIME)
        self._looked_at, self._is_new = self._clock.ticks(), False
        before = set(self.others)
        living = sa.select(nodes).where(nodes.c.expires_at > database_now(), nodes.c.name != self.me.name)
        rows = await self._store.fetch_all(living)
        if stranger := next((row["name"] for row in rows if row["keys"] != self._keys), None):
            raise OtherKeys(f"node {stranger} signs with other keys: all need the same folder `keys`")
        for row in rows:
            self._lives(Peer(*(row[name] for name in Peer._fields)))
        if self._clock.ticks() >= self._patient_until:
            for name in before - {row["name"] for row in rows}:  # and not one that has joined since
                self._ends(name)

    async def purge(self) -> None:
        """Deletes what is left of nodes that have been gone for LONG_GONE."""
        gone = sa.select(nodes.c.name).where(nodes.c.expires_at < database_now() - LONG_GONE)
        await self._store.write(
            on_air.delete().where(on_air.c.node.in_(gone)),
            leases.update().where(leases.c.held == sa.true(), leases.c.node.in_(gone)).values(held=False),
            nodes.delete().where(nodes.c.name.in_(gone)),
        )

    def _joined(self, entry: Entry) -> None:
        """Before anything else that it says. What it had is believed until then: only its control may be a new one."""
        self._lives(Peer(*orjson.loads(entry.details)))

    def _lives(self, peer: Peer) -> None:
        if peer.name not in self.others:
            log.info("node lives", name=peer.name)
        self.others[peer.name] = peer
        metrics.nodes.set(1 + len(self.others))

    def _ends(self, name: str) -> None:
        log.warning("node ended", name=name)
        del self.others[name]
        metrics.nodes.set(1 + len(self.others))
        for ended in self._ended:
            ended(name)

    def _told(self) -> str:
        return orjson.dumps([*self.me]).decode()


def drain(connection: sa.Connection, name: str, draining: bool) -> bool:
    """Whether there is a node of this name, which reads it at its next sign of life. Blocks."""
    written = nodes.update().where(nodes.c.name == name).values(draining=draining)
    return connection.execute(written).rowcount > 0
