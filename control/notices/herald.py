"""Tells those who follow a room that it is live, once for each broadcast, a hundred of them at a time.

How far it has come is written before they are told: so nobody is told twice, whichever node goes on, and where one ends
in the middle some are not told.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx
import orjson
import sqlalchemy as sa
import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from control.accounts.notifiers import Message, Notifier
from control.clock import Clock
from control.entropy import Entropy
from control.notices.preferences import Preferences
from control.notices.push_encryption import CURVE, Subscription, encrypted
from control.notices.push_keys import PushKey
from control.ops import metrics
from control.refusals import BadParameter, NotSent
from control.storage.database import Connection, Row, Store
from control.storage.tables import follows, notice_choices, notices, push_subscriptions, rooms, users
from control.webhooks.posting import Poster

LOOK = 1.0  # seconds between two looks for what is to be told
STALE = 900.0  # seconds since a broadcast began, after which nobody is told any more
TOLD_FOR = 3600  # seconds that a push service keeps a notice for a browser that is not there
KEPT = 604800.0  # seconds, a week: in which a broadcast that was believed over may go on
AT_A_TIME = 100  # followers
LINES = 4  # to one push service, and messages at a time
GONE = (404, 410)

log = structlog.get_logger()


class _Room(NamedTuple):
    id: int
    started_at: float
    name: str
    anchor: str


@dataclass(kw_only=True)
class Herald:
    store: Store
    preferences: Preferences
    key: PushKey
    poster: Poster
    notifier: Notifier
    is_live: Callable[[int], bool]
    site: str
    clock: Clock
    entropy: Entropy
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def next_turn(self) -> None:
        await self.clock.sleep(LOOK)

    async def step(self) -> None:
        """Until nobody is left to be told. Rooms take turns."""
        async with self._turn:
            while await self._some():
                pass

    async def purge(self) -> None:
        await self.store.write(notices.delete().where(notices.c.started_at < self.clock.now() - KEPT))

    async def _some(self) -> bool:
        due = sa.select(notices).where(notices.c.due_at <= self.clock.now()).order_by(notices.c.due_at).limit(1)
        if await self.store.fetch_one(due) is None:
            return False
        async with self.store.writing() as connection:
            row = await connection.fetch_one(due)
            if row is None:
                return False
            followers = await self._next(connection, row)
        if followers:
            room = await self._room(row)
            by_message = [each for each in followers if each["by_message"]]
            messages = [self._message(room, each) for each in by_message]
            browsers = await self.preferences.browsers([each["user_id"] for each in followers])
            pushed, sent = await asyncio.gather(self._push(room, browsers), self._send(messages))
            log.info("followers told", room=room.id, pushed=pushed, sent=sent)
        return True

    async def _next(self, connection: Connection, notice: Row) -> list[Row]:
        """Who is to be told now, and by which ways; notes that they were."""
        room_id, now = notice["room_id"], self.clock.now()
        mine = sa.and_(notices.c.room_id == room_id, notices.c.started_at == notice["started_at"])
        over = notice["started_at"] < now - STALE or not self.is_live(room_id)
        found = [] if over else await connection.fetch_all(_followers(room_id, notice["position"]))
        if len(found) < AT_A_TIME:
            await connection.execute(notices.update().where(mine).values(due_at=sa.null()))
        else:
            last = found[-1]["user_id"]
            await connection.execute(notices.update().where(mine).values(position=last, due_at=now))
        return found

    async def _room(self, notice: Row) -> _Room:
        query = sa.select(rooms.c.name, users.c.nick_name).join(users, users.c.id == rooms.c.owner_id)
        row = await self.store.fetch_one(query.where(rooms.c.id == notice["room_id"]))
        name, anchor = (row["name"], row["nick_name"]) if row else ("", "")
        return _Room(notice["room_id"], notice["started_at"], name, anchor)

    def _message(self, room: _Room, follower: Row) -> Message:
        return Message(
            "live",
            follower["phone"],
            follower["email"],
            follower["account"],
            f"{self.site}/room/{room.id}",
            f"{room.anchor}: {room.name}",
        )

    async def _send(self, messages: Sequence[Message]) -> int:
        """How many went out."""
        sent = 0
        for some in _parts(messages):
            results = await asyncio.gather(*map(self.notifier.send, some), return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException) and not isinstance(result, (NotSent, BadParameter)):
                    raise result
                way = "failed" if isinstance(result, BaseException) else "sent"
                sent += way == "sent"
                metrics.notices.labels("message", way).inc()
        return sent

    async def _push(self, room: _Room, browsers: Iterable[Subscription]) -> int:
        """How many were taken."""
        services: defaultdict[str, list[Subscription]] = defaultdict(list)
        for each in browsers:
            services[_origin(httpx.URL(each.endpoint))].append(each)
        lines = [
            self._push_on_a_line(room, origin, some[number::LINES])
            for origin, some in services.items()
            for number in range(min(LINES, len(some)))
        ]
        return sum(await asyncio.gather(*lines))

    async def _push_on_a_line(self, room: _Room, origin: str, browsers: Sequence[Subscription]) -> int:
        taken, gone = 0, list[str]()
        headers = {
            "Authorization": self.key.authorization(origin),
            "Content-Encoding": "aes128gcm",
            "TTL": str(TOLD_FOR),
            "Urgency": "normal",
        }
        text = orjson.dumps(
            {"room": room.id, "name": room.name, "anchor": room.anchor, "started": int(room.started_at)}
        )
        async with self.poster.line(httpx.URL(browsers[0].endpoint)) as line:
            for each in browsers:
                body = await asyncio.to_thread(self._encrypted, text, each)
                result = await line.post(headers, body, httpx.URL(each.endpoint))
                taken += not result.failure
                if result.status in GONE:
                    gone.append(each.endpoint)
                metrics.notices.labels("push", "failed" if result.failure else "sent").inc()
        if gone:
            await self.preferences.forget(gone)
        return taken

    def _encrypted(self, text: bytes, browser: Subscription) -> bytes:
        return encrypted(text, browser, ec.generate_private_key(CURVE), self.entropy.noise(16))


def _followers(room_id: int, after: int) -> sa.Select[tuple[int, str, str | None, str, bool]]:
    """Those who want to be told in any way, in the order of their ids."""
    chosen = sa.exists().where(notice_choices.c.user_id == follows.c.user_id, notice_choices.c.by_message == sa.true())
    pushed = sa.exists().where(push_subscriptions.c.user_id == follows.c.user_id)
    query = sa.select(follows.c.user_id, users.c.phone, users.c.email, users.c.account, chosen.label("by_message"))
    query = query.join(users, users.c.id == follows.c.user_id)
    query = query.where(follows.c.room_id == room_id, follows.c.user_id > after, sa.or_(chosen, pushed))
    return query.order_by(follows.c.user_id).limit(AT_A_TIME)


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _parts(messages: Sequence[Message]) -> Iterable[Sequence[Message]]:
    return (messages[start : start + LINES] for start in range(0, len(messages), LINES))
