"""Refusals in numbers: of many alike within a second a few are logged, and the rest as one line that counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from control.clock import Clock, SystemClock
from control.ops.addresses import network

SUFFIX, LIMIT = " refused", "limit reached"  # of the events that are counted: how they end, and one more
SHOWN = 5  # lines of one kind at a time; a time is what the clock counts as 1
SHOWN_IN_ALL = 50  # lines of every kind at a time
KINDS, NETWORKS = 500, 1000  # told apart at a time

log = structlog.get_logger()


@dataclass(slots=True)
class Tally:
    seen: int = 0
    left_out: int = 0
    networks: set[str] = field(default_factory=set)


Victim = tuple[object, object, object, object, object]
"""Whom a refusal hits, and why: its room, user, secret, subject and reason, as far as it has them."""


class Floods:
    """A processor of log lines. Whoever makes it has `tell` called every second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = 0
        self._shown = 0
        self._now: dict[tuple[str, Victim], Tally] = {}
        self._before: dict[tuple[str, Victim], Tally] = {}
        """What was left out in seconds that are over."""

    def __call__(self, logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """Raises DropEvent for a line that is only counted."""
        name = str(event["event"])
        if not name.endswith(SUFFIX) and name != LIMIT:
            return event
        self._turn()
        kind = name, _victim(event)
        if len(self._now) >= KINDS and kind not in self._now:
            kind = name, _victim({})
        tally = self._now.setdefault(kind, Tally())
        tally.seen += 1
        if tally.seen <= SHOWN and self._shown < SHOWN_IN_ALL:
            self._shown += 1
            return event
        tally.left_out += 1
        if len(tally.networks) < NETWORKS:
            tally.networks.add(network(str(event.get("address", ""))))
        raise structlog.DropEvent

    async def tell(self) -> None:
        """Logs what was left out, but of the second that goes on."""
        self._turn()
        told, self._before = self._before, {}
        for (name, (room, user, secret, subject, reason)), tally in told.items():
            log.info(
                "refusals left out",
                what=name.removesuffix(SUFFIX),
                room=room,
                user=user,
                secret=secret,
                subject=subject,
                reason=reason,
                count=tally.left_out,
                networks=len(tally.networks),
            )

    def _turn(self) -> None:
        second = int(self._clock.ticks())
        if second == self._second:
            return
        for kind, tally in self._now.items():
            if tally.left_out:
                before = self._before.setdefault(kind, Tally())
                before.left_out += tally.left_out
                before.networks |= tally.networks
        self._second, self._shown, self._now = second, 0, {}


def _victim(event: Mapping[str, object]) -> Victim:
    return event.get("room"), event.get("user"), event.get("secret"), event.get("subject"), event.get("reason")


floods = Floods(SystemClock())
"""Of this process, as the metrics are."""
