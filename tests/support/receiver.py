"""Who receives webhooks: a stand-in for all that lies outside, in which each host is a program of a test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import standardwebhooks

from control.storage.room_events import EventKind

PUBLIC = "93.184.216.34"


class Body(httpx.AsyncByteStream):
    """Of an answer, as it comes from a real one: not read yet."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"ok"


@dataclass
class Receiver:
    """Keeps what it takes. `status` is its answer to all."""

    status: int = 204
    requests: list[httpx.Request] = field(default_factory=list)
    """All that came, taken or not."""
    taken: list[httpx.Request] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    failing: Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.failing:
            raise self.failing
        if 200 <= self.status < 300:
            self.taken.append(request)
        return httpx.Response(self.status, headers=self.headers, stream=Body())

    @property
    def events(self) -> list[dict[str, Any]]:
        """Bodies of what it took."""
        return [orjson.loads(request.content) for request in self.taken]

    @property
    def told(self) -> list[tuple[str, int]]:
        return [(event["type"], event["data"]["number"]) for event in self.events]

    def verified(self, secret: str) -> bool:
        """Whether all of it is signed, but for its time."""
        for request in self.taken:
            signed = standardwebhooks.Webhook(secret).sign(
                request.headers["webhook-id"], _at(request), request.content.decode()
            )
            if signed != request.headers["webhook-signature"]:
                return False
        return bool(self.taken)


def _at(request: httpx.Request) -> datetime:
    return datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)


@dataclass
class Events:
    """What is put in, where it would be written later."""

    put_in: list[tuple[int, EventKind, dict[str, Any]]] = field(default_factory=list)

    def put(self, room_id: int, kind: EventKind, **details: Any) -> None:
        self.put_in.append((room_id, kind, details))

    def told(self, *names: str) -> list[tuple[Any, ...]]:
        """The kind of each, and some of its details."""
        return [(kind, *(details[name] for name in names)) for _, kind, details in self.put_in]


@dataclass
class StandInInternet:
    hosts: dict[str, list[str]] = field(default_factory=lambda: {"app.example": [PUBLIC]})
    """Addresses by name."""
    receivers: dict[str, Receiver] = field(default_factory=lambda: {PUBLIC: Receiver()})
    """By address."""

    async def addresses(self, host: str, port: int) -> list[str]:
        if host not in self.hosts:
            raise OSError("no such host")
        return self.hosts[host]

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        receiver = self.receivers.get(request.url.host)
        if receiver is None:
            raise httpx.ConnectError("refused")
        return receiver(request)

    @property
    def receiver(self) -> Receiver:
        """The one at app.example."""
        return self.receivers[PUBLIC]
