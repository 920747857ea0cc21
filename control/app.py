"""Joins the parts; opens each once and closes it once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from control import routes
from control.access.admission import Admission
from control.access.bans import Bans
from control.access.changes import Changes
from control.access.revocations import Revocations
from control.access.rights import RightsOfRooms
from control.access.tickets import Keys, stored_keys
from control.access.vault import Vault, stored_vault
from control.accounts.limits import Limits
from control.accounts.notifiers import Notifier, notifier
from control.accounts.passwords import Passwords
from control.accounts.pictures import Pictures
from control.accounts.recovery import Recovery
from control.accounts.sessions import Sessions
from control.accounts.users import Users
from control.api.services import Services
from control.api.turns import Turns
from control.api.uploads import Uploads
from control.clock import Clock, SystemClock
from control.entropy import Entropy, SystemEntropy
from control.guessing.guesses import Guesses
from control.guessing.handover import Handover, taken_over
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
from control.nginx_rtmp.drops import Drops
from control.nginx_rtmp.grace import Grace
from control.nginx_rtmp.hls_auth import HlsAuth
from control.nginx_rtmp.pipelined import PipelinedStreams
from control.nginx_rtmp.reconcile import Reconciler
from control.nginx_rtmp.refused_pushes import RefusedPushes
from control.nginx_rtmp.stat import Looks, Stat
from control.nginx_rtmp.takeover import Takeover
from control.rooms.follows import Follows
from control.rooms.gate import Gate
from control.rooms.rooms import Rooms
from control.running import LiveParts, Running, background
from control.settings import Settings
from control.storage import integrity, migrate
from control.storage.database import Store, opened
from control.web.confirm import Confirmations
from control.web.events import Events
from control.web.feed import Feed
from control.web.health import Health
from control.web.studio import Studio


@dataclass(frozen=True, slots=True)
class World:
    """What is not ours and can be swapped."""

    clock: Clock
    entropy: Entropy
    notifier: Notifier
    nginx: httpx.AsyncBaseTransport
    """/stat and /control of the rtmp nginx."""


def real_world(settings: Settings) -> World:
    return World(
        SystemClock(), SystemEntropy(), notifier(settings), httpx.AsyncHTTPTransport(uds=str(settings.rtmp_socket))
    )


@asynccontextmanager
async def running(settings: Settings, world: World) -> AsyncIterator[Running]:
    """Control, with its background work going on. What it holds is written when the block is left. Raises Unusable for
    a database, or keys, that no control can work with."""
    vault = await asyncio.to_thread(prepared, settings, world.entropy)
    keys = stored_keys(settings.data_dir / "keys" / "tickets", world.entropy)
    async with AsyncExitStack() as stack:
        # What waits for a disk waits in real time, whatever clock the rest is handed.
        store = await stack.enter_async_context(opened(settings.database, SystemClock()))
        nginx = await stack.enter_async_context(httpx.AsyncClient(transport=world.nginx, base_url="http://nginx"))
        passwords = Passwords(settings)
        stack.callback(passwords.close)
        guesses, handover = taken_over(settings, world.clock, world.entropy)
        live = live_parts(
            settings, store=store, vault=vault, nginx=nginx, keys=keys, guesses=guesses, clock=world.clock
        )
        await live.load()
        services = public_parts(
            settings, world, store=store, vault=vault, passwords=passwords, guesses=guesses, live=live
        )
        started = applications(services, live, RefusedPushes(world.clock), store, handover)
        await stack.enter_async_context(background(started, world.clock))
        yield started


def prepared(settings: Settings, entropy: Entropy) -> Vault:
    """Sees that the database is there, whole and of this release, and returns what opens rooms' passwords. Blocks."""
    keys = settings.data_dir / "keys"
    integrity.require(settings.database, keys / "database")
    vault = stored_vault(keys / "rooms", entropy, integrity.sealed_samples(settings.database))
    migrate.upgrade(settings.database, seal=vault.seal_text)
    integrity.remember(keys / "database")
    return vault


def live_parts(
    settings: Settings,
    *,
    store: Store,
    vault: Vault,
    nginx: httpx.AsyncClient,
    keys: Keys,
    guesses: Guesses,
    clock: Clock,
) -> LiveParts:
    rights, changes = RightsOfRooms(store, vault), Changes()
    revocations = Revocations(store=store, rights=rights, changes=changes, clock=clock)
    admission = Admission(
        keys=keys,
        rights=rights,
        revocations=revocations,
        guesses=guesses,
        clock=clock,
        lifetime=settings.ticket_seconds,
    )

    presence = Presence(clock)
    presence.changed.set()  # nothing is written yet, not even that all rooms are empty
    heartbeats = Heartbeats(clock, presence.changed)
    audience, broadcasts = Audience(presence, heartbeats), Broadcasts(clock, settings.gap_seconds)
    broadcast_store = BroadcastStore(store, broadcasts, AGAIN)
    on_air_writer = OnAirWriter(
        store=store,
        node=settings.node,
        presence=presence,
        audience=audience,
        broadcasts=broadcasts,
        broadcast_store=broadcast_store,
        clock=clock,
    )

    stat, looks, control = Stat(nginx, clock), Looks(), RtmpControl(nginx)
    drops = Drops(presence=presence, control=control)
    takeover = Takeover(
        presence=presence,
        stat=stat,
        looks=looks,
        drops=drops,
        clock=clock,
        silent=settings.silent_seconds,
        lease=settings.lease_seconds,
    )
    clients = Clients(
        presence=presence,
        admission=admission,
        takeover=takeover,
        drops=drops,
        looks=looks,
        pipelined=PipelinedStreams(clock),
        clock=clock,
    )
    hls = HlsAuth(presence=presence, heartbeats=heartbeats, broadcasts=broadcasts, admission=admission, clock=clock)
    reconciler = Reconciler(
        node=settings.node,
        presence=presence,
        heartbeats=heartbeats,
        clients=clients,
        drops=drops,
        stat=stat,
        looks=looks,
        control=control,
        rights=rights,
        clock=clock,
        first_media=settings.first_media_seconds,
        lease=settings.lease_seconds,
    )
    for listener in (hls.reconsider, clients.reconsider):
        changes.listen(listener)
    return LiveParts(
        rights=rights,
        changes=changes,
        revocations=revocations,
        bans=Bans(store=store, rights=rights, changes=changes, clock=clock),
        admission=admission,
        presence=presence,
        audience=audience,
        broadcasts=broadcasts,
        broadcast_store=broadcast_store,
        on_air_writer=on_air_writer,
        clients=clients,
        hls_auth=hls,
        reconciler=reconciler,
    )


def public_parts(
    settings: Settings,
    world: World,
    *,
    store: Store,
    vault: Vault,
    passwords: Passwords,
    guesses: Guesses,
    live: LiveParts,
) -> Services:
    """What the APIs and the pages call on."""
    clock, entropy = world.clock, world.entropy
    users = Users(store=store, passwords=passwords, guesses=guesses, clock=clock)
    rooms = Rooms(
        store=store,
        vault=vault,
        rights=live.rights,
        changes=live.changes,
        guesses=guesses,
        clock=clock,
        entropy=entropy,
    )
    sessions = Sessions(store, clock, entropy)
    return Services(
        settings=settings,
        clock=clock,
        users=users,
        sessions=sessions,
        recovery=Recovery(
            store=store,
            users=users,
            passwords=passwords,
            limits=Limits(store, clock),
            guesses=guesses,
            tickets=live.admission,
            notifier=world.notifier,
            site=settings.site,
            clock=clock,
            entropy=entropy,
        ),
        pictures=Pictures(store),
        uploads=Uploads(sessions, clock),
        turns=Turns(),
        rooms=rooms,
        follows=Follows(store, live.rights, clock),
        bans=live.bans,
        gate=Gate(rooms, clock),
        presence=live.presence,
        audience=live.audience,
        broadcast_store=live.broadcast_store,
        lobby=Lobby(store, vault, clock),
        lists=Lists(store, vault, clock),
        admission=live.admission,
        clients=live.clients,
    )


def applications(
    services: Services, live: LiveParts, refused_pushes: RefusedPushes, store: Store, handover: Handover
) -> Running:
    """The public and the internal application, and what they run on."""
    settings, feed = services.settings, Feed(services.lobby)
    studio = Studio(services, refused_pushes, Path(settings.hls_dir))
    health = Health(store, settings.database, services.clock)
    callbacks = Callbacks(settings.node, live.clients, refused_pushes)
    events = Events(services, feed, studio)
    return Running(
        public=_application(
            routes.public(services, Confirmations(services.recovery, services.clock), events, studio, health)
        ),
        internal=_application(routes.internal(callbacks, Grace(settings.grace_seconds), live.hls_auth, health)),
        live=live,
        sessions=services.sessions,
        lists=services.lists,
        handover=handover,
        feed=feed,
        health=health,
    )


def _application(table: list[BaseRoute]) -> Starlette:
    app = Starlette(routes=table)
    app.router.redirect_slashes = False  # an unknown path is 404, also one that is nearly known
    return app
