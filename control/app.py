"""Joins the parts; opens each once and closes it once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from control import routes
from control.access.admission import Admission
from control.access.bans import Bans
from control.access.revocations import Revocations
from control.access.rights import RightsOfRooms
from control.access.tickets import stored_keys
from control.accounts.limits import Limits
from control.accounts.notifiers import Notifier, notifier
from control.accounts.passwords import Passwords
from control.accounts.pictures import Pictures
from control.accounts.recovery import Recovery
from control.accounts.sessions import Sessions
from control.accounts.users import Users
from control.api.services import Services
from control.clock import Clock, SystemClock
from control.entropy import Entropy, SystemEntropy
from control.live.audience import Audience
from control.live.broadcast_store import BroadcastStore
from control.live.broadcasts import Broadcasts
from control.live.heartbeats import Heartbeats
from control.live.on_air_writer import AGAIN, OnAirWriter
from control.live.presence import Presence
from control.lobby.lists import Lists
from control.lobby.lobby import Lobby
from control.nginx_rtmp.callbacks import Callbacks
from control.nginx_rtmp.clients import Clients
from control.nginx_rtmp.control import RtmpControl
from control.nginx_rtmp.grace import Grace
from control.nginx_rtmp.hls_auth import HlsAuth
from control.nginx_rtmp.reconcile import SOON, Reconciler
from control.nginx_rtmp.refused_pushes import RefusedPushes
from control.nginx_rtmp.stat import Stat
from control.ops.loops import once, repeat
from control.rooms.follows import Follows
from control.rooms.gate import Gate
from control.rooms.rooms import Rooms
from control.settings import Settings
from control.storage import migrate
from control.storage.database import Store, opened
from control.web.confirm import Confirmations
from control.web.events import Events
from control.web.feed import EVERY, Feed
from control.web.studio import Studio

SAVE_EVERY = 1.0  # seconds between two writes of when sessions were used
SETTLE_WITHIN = 5.0  # seconds that nginx is given before we speak without having heard it


@dataclass(frozen=True, slots=True)
class World:
    """What is not ours and can be swapped."""

    clock: Clock
    entropy: Entropy
    notifier: Notifier
    nginx: httpx.AsyncBaseTransport
    """/stat and /control of the rtmp nginx."""


@dataclass(frozen=True, slots=True)
class Running:
    public: Starlette
    internal: Starlette
    clients: Clients
    reconciler: Reconciler
    on_air_writer: OnAirWriter
    feed: Feed


def real_world(settings: Settings) -> World:
    return World(
        SystemClock(), SystemEntropy(), notifier(settings), httpx.AsyncHTTPTransport(uds=str(settings.rtmp_socket))
    )


@asynccontextmanager
async def running(settings: Settings, world: World) -> AsyncIterator[Running]:
    """Control, with its background work going on. What it holds is written when the block is left."""
    await asyncio.to_thread(migrate.upgrade, settings.database)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(settings.database, SystemClock()))
        nginx = await stack.enter_async_context(httpx.AsyncClient(transport=world.nginx, base_url="http://nginx"))
        passwords = Passwords(settings)
        stack.callback(passwords.close)
        yield await stack.enter_async_context(_joined(settings, world, store, nginx, passwords))


@asynccontextmanager
async def _joined(
    settings: Settings, world: World, store: Store, nginx: httpx.AsyncClient, passwords: Passwords
) -> AsyncIterator[Running]:
    clock, entropy = world.clock, world.entropy
    users, sessions = Users(store, passwords, clock), Sessions(store, clock, entropy)
    rights, revocations, bans = RightsOfRooms(store), Revocations(store, clock), Bans(store, clock)
    for remembered in (rights, revocations, bans):
        await remembered.load()
    rooms = Rooms(store, rights, clock, entropy)
    keys = stored_keys(settings.data_dir / "keys" / "tickets", entropy)
    admission = Admission(keys, rights, revocations, bans, clock, settings.ticket_seconds)

    presence = Presence(clock)
    presence.changed.set()  # nothing has been said yet, not even that nobody is here
    heartbeats = Heartbeats(clock, presence.changed)
    broadcasts = Broadcasts(clock, settings.gap_seconds)
    broadcast_store = BroadcastStore(store, broadcasts, AGAIN)
    await broadcast_store.load()
    audience = Audience(presence, heartbeats, broadcasts)
    on_air_writer = OnAirWriter(store, settings.node, presence, audience, broadcast_store, clock)
    stat, nginx_control = Stat(nginx, clock), RtmpControl(nginx)
    refused_pushes = RefusedPushes(clock)
    hls_auth = HlsAuth(presence, heartbeats, admission)
    clients = Clients(presence, admission, hls_auth, stat, nginx_control, clock, settings.silent_seconds)
    lease = 2.0 * settings.update_seconds + 2
    reconciler = Reconciler(
        settings.node, presence, clients, stat, nginx_control, rights, clock, settings.first_media_seconds, lease
    )
    recovery = Recovery(store, users, passwords, Limits(store, clock), world.notifier, settings.site, clock, entropy)
    services = Services(
        settings=settings,
        clock=clock,
        users=users,
        sessions=sessions,
        recovery=recovery,
        pictures=Pictures(store),
        rooms=rooms,
        follows=Follows(store, rights, clock),
        bans=bans,
        gate=Gate(rooms, clock),
        audience=audience,
        broadcast_store=broadcast_store,
        lobby=Lobby(store, clock),
        lists=Lists(store, clock),
        admission=admission,
        clients=clients,
    )
    feed = Feed(services.lobby)
    studio = Studio(presence, refused_pushes, services, Path(settings.hls_dir), clock)
    events = Events(services, feed, studio)
    probes = _alive, partial(_ready, store=store)
    callbacks = Callbacks(settings.node, clients, refused_pushes)
    started = Running(
        _application(routes.public(services, Confirmations(recovery), events, studio, *probes)),
        _application(routes.internal(callbacks, Grace(settings.grace_seconds), hls_auth, *probes)),
        clients,
        reconciler,
        on_air_writer,
        feed,
    )
    if await _heard(reconciler, clock):
        await once("on air", on_air_writer.write)  # before anybody is answered from what the last control wrote
    work = [
        asyncio.create_task(repeat("feed", partial(clock.sleep, EVERY), feed.refresh), name="feed"),
        asyncio.create_task(repeat("on air", on_air_writer.next_change, on_air_writer.write), name="on air"),
        asyncio.create_task(repeat("reconcile", reconciler.next_turn, reconciler.run), name="reconcile"),
        asyncio.create_task(repeat("sessions", partial(clock.sleep, SAVE_EVERY), sessions.save), name="sessions"),
    ]
    try:
        yield started
    finally:
        for task in work:
            task.cancel()
        await asyncio.wait(work)
        await once("sessions", sessions.save)
        await once("on air", on_air_writer.write)


def _application(table: list[BaseRoute]) -> Starlette:
    app = Starlette(routes=table)
    app.router.redirect_slashes = False  # an unknown path is 404, also one that is nearly known
    return app


async def _heard(reconciler: Reconciler, clock: Clock) -> bool:
    """Returns once nginx has told who is here; False where it has had its time to.

    Before that nothing is answered, since a publisher might be let into a room that has one, and nothing is written,
    since what the last control wrote may still hold.
    """
    try:
        async with clock.within(SETTLE_WITHIN):
            while True:
                if await reconciler.run():
                    return True
                await clock.sleep(SOON)
    except TimeoutError:
        return False


async def _alive(request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _ready(request: Request, store: Store) -> Response:
    await store.fetch_one(sa.select(sa.literal(1)))
    return PlainTextResponse("ok\n")
