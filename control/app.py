"""Joins the parts; opens each once and closes it once."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from control import __version__, routes
from control.access.tickets import stored_keys
from control.access.vault import Vault, stored_vault
from control.accounts.blocking import Blocking
from control.accounts.notifiers import Notifier, notifier
from control.accounts.passwords import Passwords
from control.api.services import Services
from control.clock import Clock, SystemClock
from control.console.made import made as console_of
from control.console.operators import Operators
from control.entropy import Entropy, SystemEntropy
from control.guessing.handover import Handover, taken_over
from control.nginx_rtmp.callbacks import Callbacks
from control.nginx_rtmp.grace import Grace
from control.nginx_rtmp.refused_pushes import RefusedPushes
from control.notices.herald import Herald
from control.notices.push_keys import PushKey, stored
from control.operators.limit_orders import LimitOrders
from control.operators.orders import Orders
from control.operators.room_orders import RoomOrders
from control.operators.user_orders import UserOrders
from control.ops import metrics
from control.parts import live_parts
from control.public_parts import public_parts
from control.running import LiveParts, Running, background
from control.settings import Settings
from control.storage import integrity, migrate
from control.storage.database import Store, opened
from control.web.confirm import Confirmations
from control.web.events import Events
from control.web.feed import Feed
from control.web.health import Health
from control.web.metrics_page import MetricsPage
from control.web.room_streams import RoomStreams
from control.web.studio import Studio
from control.webhooks.courier import Courier
from control.webhooks.posting import Internet, Poster, RealInternet


@dataclass(frozen=True, slots=True)
class World:
    """What is not ours and can be swapped."""

    clock: Clock
    entropy: Entropy
    notifier: Notifier
    nginx: Mapping[str, httpx.AsyncBaseTransport]
    """/stat and /control of each rtmp nginx, by the node that it is in callback paths."""
    internet: Internet


def real_world(settings: Settings) -> World:
    nginx = {worker.node: httpx.AsyncHTTPTransport(uds=str(worker.socket)) for worker in settings.workers}
    return World(SystemClock(), SystemEntropy(), notifier(settings), nginx, RealInternet())


@asynccontextmanager
async def running(settings: Settings, world: World) -> AsyncIterator[Running]:
    """Control, with its background work going on. What it holds is written when the block is left. Raises Unusable for
    a database, or keys, that no control can work with."""
    vault = await asyncio.to_thread(prepared, settings, world.entropy)
    keys = stored_keys(settings.data_dir / "keys" / "tickets", world.entropy)
    async with AsyncExitStack() as stack:
        # What waits for a disk waits in real time, whatever clock the rest is handed.
        store = await stack.enter_async_context(opened(settings.database, SystemClock(), settings.shared_by))
        nginx = {
            node: await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://nginx"))
            for node, transport in world.nginx.items()
        }
        passwords = Passwords(settings)
        stack.callback(passwords.close)
        guesses, handover = taken_over(settings, world.clock, world.entropy)
        live = live_parts(
            settings,
            store=store,
            vault=vault,
            nginx=nginx,
            keys=keys,
            guesses=guesses,
            clock=world.clock,
            entropy=world.entropy,
        )
        await live.load()
        poster = Poster(world.internet, settings.webhook_private == "on", world.clock)
        contact = settings.site if settings.site.startswith("https:") else "mailto:postmaster@localhost"
        push_key = PushKey(await stored(store, vault, world.entropy), contact, world.clock)
        services = public_parts(
            settings,
            store=store,
            vault=vault,
            passwords=passwords,
            guesses=guesses,
            live=live,
            clock=world.clock,
            entropy=world.entropy,
            notifier=world.notifier,
            poster=poster,
            push_key=push_key,
        )
        await services.webhooks.load()
        courier = Courier(
            store=store,
            events=live.room_events,
            vault=vault,
            poster=poster,
            clock=world.clock,
            wait=settings.webhook_retry_seconds,
        )
        herald = Herald(
            store=store,
            preferences=services.preferences,
            key=push_key,
            poster=poster,
            notifier=world.notifier,
            is_live=live.live_rooms.is_live,
            site=settings.site,
            clock=world.clock,
            entropy=world.entropy,
        )
        operators = Operators(store=store, vault=vault, guesses=guesses, clock=world.clock, entropy=world.entropy)
        await operators.load()
        started = applications(services, live, courier, herald, operators, store, handover)
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


def applications(
    services: Services,
    live: LiveParts,
    courier: Courier,
    herald: Herald,
    operators: Operators,
    store: Store,
    handover: Handover,
) -> Running:
    """The public and the internal application, and what they run on."""
    refused_pushes = RefusedPushes(services.clock, live.room_events)
    settings, feed = services.settings, Feed(services.lobby)
    segments = Path(settings.hls_dir)
    studio = Studio(
        services=services,
        broadcasts=live.broadcasts,
        refused_pushes=refused_pushes,
        excess=live.excess,
        segments=segments,
    )
    health = Health(store=store, nodes=live.nodes, database=settings.database, clock=services.clock)
    callbacks = Callbacks(live.clients, refused_pushes, live.recorder)
    events, streams = Events(services, feed, studio), RoomStreams(services)
    live.chat_writer.listeners.append(streams.tell)
    live.changes.listen(streams.reconsider)
    blocking = Blocking(store=store, tickets=live.admission, changes=live.changes, clock=services.clock)
    user_orders = UserOrders(services, store, blocking)
    room_orders = RoomOrders(services, store, live.changes)
    table = user_orders.table | room_orders.table | LimitOrders(user_orders, live.quotas).table
    console = console_of(
        services,
        store=store,
        operators=operators,
        nodes=live.nodes,
        heartbeats=live.hls_auth.heartbeats,
        players=lambda: live.on_air_writer.players,
        users=user_orders,
        orders=table,
    )
    orders = Orders(table | console.operator_orders.table)
    metrics_page = MetricsPage(
        store=store,
        node=settings.node,
        most=settings.metrics_rooms,
        presence=live.presence,
        heartbeats=live.hls_auth.heartbeats,
        live_rooms=live.live_rooms,
    )
    database = sa.make_url(settings.database).get_backend_name()
    metrics.build.labels(__version__, platform.python_version(), database).set(1)
    grace = Grace(settings.grace_seconds)
    return Running(
        store=store,
        public=_application(
            [
                *routes.public(
                    services, Confirmations(services.recovery, services.bodies), events, streams, studio, health
                ),
                *console.entrance.routes,
            ]
        ),
        internal=_application(routes.internal(callbacks, grace, live.hls_auth, health, metrics_page)),
        metrics=_application(routes.metrics(metrics_page)),
        operators=_application(routes.operators(orders)),
        callbacks=callbacks,
        live=live,
        sessions=services.sessions,
        courier=courier,
        herald=herald,
        lists=services.lists,
        bodies=services.bodies,
        handover=handover,
        console=console,
        feed=feed,
        streams=streams,
        health=health,
    )


def _application(table: list[BaseRoute]) -> Starlette:
    app = Starlette(routes=table)
    app.router.redirect_slashes = False  # an unknown path is 404, also one that is nearly known
    return app
