"""What has to change so that what we hold is what nginx has. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from control.access.verdicts import Role
from control.clock import Ticks
from control.live.presence import Session, SessionKey
from control.live.states import State
from control.nginx_rtmp.stat import SeenClient, Snapshot

AT_A_TIME = 300  # sessions or clients that are looked at in one step
JOINING = 2.0  # seconds between our verdict and the session's showing up in /stat, at the most


@dataclass(slots=True)
class Plan:
    end: list[Session] = field(default_factory=list)
    """Held, but nginx has them no more."""
    add: list[SeenClient] = field(default_factory=list)
    """At nginx, but not held."""
    drop: list[SeenClient] = field(default_factory=list)
    """At nginx, for a room that does not exist."""
    drop_again: list[Session] = field(default_factory=list)
    """At nginx, though condemned: a drop failed, or came before the client was in its stream."""
    silent: list[Session] = field(default_factory=list)
    """Publishers that never sent any media."""


def plan(
    seen: Snapshot,
    held: Iterable[Session],
    ended_at: Callable[[int], Ticks | None],
    room_exists: Callable[[str], bool],
    first_media: float,
) -> Plan:
    """`ended_at` tells when nginx said of a client that it is over; `first_media` is how long, in seconds, a
    publisher may hold a room's name without sending anything."""
    work = Plan()
    for _ in planning(work, seen, held, ended_at, room_exists, first_media):
        pass
    return work


def planning(
    work: Plan,
    seen: Snapshot,
    held: Iterable[Session],
    ended_at: Callable[[int], Ticks | None],
    room_exists: Callable[[str], bool],
    first_media: float,
) -> Iterator[None]:
    """Likewise, in steps of AT_A_TIME sessions or clients, for a caller who has others to attend to."""
    known: dict[int, Session] = {}
    for number, session in enumerate(held):
        if number % AT_A_TIME == 0:
            yield
        if session.key.start == seen.start:
            known[session.key.client] = session
        elif session.since < seen.asked_at:
            work.end.append(session)
    there: dict[int, SeenClient] = {}
    for number, client in enumerate(seen.clients):
        if number % AT_A_TIME == 0:
            yield
        if not client.is_relay:
            there[client.client] = client
    for number, session in enumerate(known.values()):
        if number % AT_A_TIME == 0:
            yield
        _check(work, session, there.get(session.key.client), seen.asked_at, first_media)
    for number, client in enumerate(there.values()):
        if number % AT_A_TIME == 0:
            yield
        ended = ended_at(client.client)
        if client.client in known or (ended is not None and ended > seen.asked_at - JOINING):
            continue
        (work.add if room_exists(client.name) else work.drop).append(client)


def _check(work: Plan, session: Session, client: SeenClient | None, asked_at: Ticks, first_media: float) -> None:
    if client is None or client.name != str(session.room_id) or client.publishing != session.role.sends:
        if session.since < asked_at - JOINING:
            work.end.append(session)
    elif session.state is State.ENDING:
        work.drop_again.append(session)
    elif session.role is Role.PUBLISHER and not client.active and session.since < asked_at - first_media:
        work.silent.append(session)


def key_of(node: str, seen: Snapshot, client: int) -> SessionKey:
    return SessionKey(node, seen.start, client)
