"""What a control is made of once it runs, and what goes on in it in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette

from control.access.admission import Admission
from control.access.bans import Bans
from control.access.denials import DenialsOfUsers
from control.access.quotas import Quotas
from control.access.resealing import EVERY as RESEAL_EVERY
from control.access.resealing import Resealing
from control.access.rights import RightsOfRooms
from control.accounts.sessions import Sessions
from control.api.bodies import LOOK as LOOK_FOR_SLOW
from control.api.bodies import Bodies
from control.blackbox.box import EVERY as WRITE_BLACK_BOX
from control.blackbox.box import BlackBox
from control.blackbox.recorder import Recorder
from control.chat.chat import Chat
from control.chat.chat_writer import ChatWriter
from control.clock import Clock
from control.console.figures import EVERY as FIGURES_EVERY
from control.console.made import Console
from control.guessing.handover import HAND_OVER_EVERY, Handover
from control.live.audience import Audience
from control.live.broadcast_events import LOOK as LOOK_FOR_LOST
from control.live.broadcast_events import BroadcastEvents
from control.live.broadcast_store import BroadcastStore
from control.live.broadcasts import Broadcasts
from control.live.encoder_names import LOOK as LOOK_FOR_ENCODERS
from control.live.encoder_names import EncoderNames
from control.live.ingest_alerts import EVERY as LOOK_FOR_FAULTS
from control.live.ingest_alerts import IngestAlerts
from control.live.leases import Leases
from control.live.nodes import EVERY as BEAT_EVERY
from control.live.nodes import Nodes
from control.live.on_air_writer import OnAirWriter
from control.live.presence import Presence
from control.live.questions import Questions
from control.live.samples import EVERY as SAMPLE_EVERY
from control.live.samples import Samples
from control.live.viewer_events import EVERY as GATHER_VIEWERS
from control.live.viewer_events import ViewerEvents
from control.lobby.lists import LAST_WRITTEN, Lists
from control.lobby.live_rooms import LiveRooms
from control.nginx_rtmp.callbacks import Callbacks
from control.nginx_rtmp.clients import Clients
from control.nginx_rtmp.excess import EVERY as LOOK_FOR_EXCESS
from control.nginx_rtmp.excess import ExcessGuard
from control.nginx_rtmp.hls_auth import HlsAuth
from control.nginx_rtmp.kept_verdicts import KeptVerdicts
from control.nginx_rtmp.reconcile import Reconcilers
from control.notices.herald import Herald
from control.ops.floods import floods
from control.ops.lag import LoopLag
from control.ops.loops import once, repeat
from control.snapshots.snapshots import Snapshots
from control.storage.changes import Changes
from control.storage.database import Store
from control.storage.log import EVERY as FOLLOW_EVERY
from control.storage.log import Log
from control.storage.room_events import GATHERED, RoomEvents
from control.web.feed import EVERY, Feed
from control.web.health import EVERY as LOOK_EVERY
from control.web.health import Health
from control.web.room_streams import LOOK as LOOK_FOR_NEWS
from control.web.room_streams import RoomStreams
from control.webhooks.courier import Courier

PURGE_EVERY = 600.0  # seconds
SAVE_EVERY = 1.0  # seconds between two writes of when sessions were used, and of how far lists were read


@dataclass(frozen=True, kw_only=True)
class LiveParts:
    """What verdicts, presence and counts are made of."""

    rights: RightsOfRooms
    denials: DenialsOfUsers
    log: Log
    nodes: Nodes
    leases: Leases
    questions: Questions
    changes: Changes
    live_rooms: LiveRooms
    resealing: Resealing
    bans: Bans
    admission: Admission
    presence: Presence
    audience: Audience
    broadcasts: Broadcasts
    broadcast_store: BroadcastStore
    on_air_writer: OnAirWriter
    encoder_names: EncoderNames
    samples: Samples
    quotas: Quotas
    excess: ExcessGuard
    room_events: RoomEvents
    broadcast_events: BroadcastEvents
    viewer_events: ViewerEvents
    ingest_alerts: IngestAlerts
    chat: Chat
    chat_writer: ChatWriter
    clients: Clients
    kept_verdicts: KeptVerdicts
    recorder: Recorder
    black_box: BlackBox
    hls_auth: HlsAuth
    snapshots: Snapshots
    reconcilers: Reconcilers

    async def load(self) -> None:
        """Reads what the control before had on air, and its broadcasts; asks nginx to ask about everybody."""
        await self.log.begin()
        await self.nodes.beat()
        await self.leases.load()
        await asyncio.to_thread(self.kept_verdicts.clear)
        await self.encoder_names.load()
        await self.snapshots.load()
        await self.live_rooms.load()
        await self.on_air_writer.load()
        await self.broadcast_store.load()

    async def purge(self) -> None:
        """Deletes bans, mutes and void tickets that have no effect any more, samples and events that are old, and what
        no node still has to follow."""
        await self.log.trim()
        if self.nodes.shared:
            await self.nodes.purge()
        await self.denials.purge()
        await self.bans.purge()
        await self.chat.purge()
        await self.samples.purge()
        await self.room_events.purge()


@dataclass(frozen=True, kw_only=True)
class Running:
    """A control that runs."""

    store: Store
    public: Starlette
    internal: Starlette
    metrics: Starlette
    operators: Starlette
    callbacks: Callbacks
    live: LiveParts
    sessions: Sessions
    courier: Courier
    herald: Herald
    lists: Lists
    bodies: Bodies
    handover: Handover
    console: Console
    feed: Feed
    streams: RoomStreams
    health: Health

    def stop_waiting(self) -> None:
        """Ends what would hold a shutdown up: event streams, and publishers that wait for their room."""
        self.feed.close()
        self.streams.close()
        self.live.clients.close()


@asynccontextmanager
async def background(started: Running, clock: Clock) -> AsyncIterator[None]:
    """Begins once nginx has shown its clients, and writes what is left when the block ends."""
    await once("denials", started.live.purge)
    await once("resealing", started.live.resealing.step)
    writer, reconcilers = started.live.on_air_writer, started.live.reconcilers
    sessions, lists, lag = started.sessions, started.lists, LoopLag(clock)
    courier = started.courier
    kept_verdicts, chat_writer = started.live.kept_verdicts, started.live.chat_writer
    if await reconcilers.settle():
        await once("on air", writer.write)  # before any answer is made from what the last control wrote
    loops = {
        "feed": repeat("feed", partial(clock.sleep, EVERY), started.feed.refresh),
        "rooms' pages": repeat("rooms' pages", partial(clock.sleep, LOOK_FOR_NEWS), started.streams.deliver),
        "on air": repeat("on air", writer.next_change, writer.write),
        "samples": repeat("samples", partial(clock.sleep, SAMPLE_EVERY), started.live.samples.step),
        "limits": repeat("limits", partial(clock.sleep, LOOK_FOR_EXCESS), started.live.excess.step),
        "alerts": repeat("alerts", partial(clock.sleep, LOOK_FOR_FAULTS), started.live.ingest_alerts.step),
        "viewers": repeat("viewers", partial(clock.sleep, GATHER_VIEWERS), started.live.viewer_events.step),
        "events": repeat("events", partial(clock.sleep, GATHERED), started.live.room_events.flush),
        "webhooks": repeat("webhooks", courier.next_turn, courier.step),
        "notices": repeat("notices", started.herald.next_turn, started.herald.step),
        "old notices": repeat("old notices", partial(clock.sleep, PURGE_EVERY), started.herald.purge),
        "encoders": repeat("encoders", partial(clock.sleep, LOOK_FOR_ENCODERS), started.live.encoder_names.step),
        "chat": repeat("chat", chat_writer.next_turn, chat_writer.write),
        "verdicts": repeat("verdicts", kept_verdicts.next_turn, kept_verdicts.write),
        "sessions": repeat("sessions", partial(clock.sleep, SAVE_EVERY), sessions.save),
        "health": repeat("health", partial(clock.sleep, LOOK_EVERY), started.health.look),
        "refusals": repeat("refusals", partial(clock.sleep, SAVE_EVERY), floods.tell),
        "guesses": repeat("guesses", partial(clock.sleep, HAND_OVER_EVERY), started.handover.save),
        "denials": repeat("denials", partial(clock.sleep, PURGE_EVERY), started.live.purge),
        "resealing": repeat("resealing", partial(clock.sleep, RESEAL_EVERY), started.live.resealing.step),
        "snapshots": repeat("snapshots", started.live.snapshots.next_turn, started.live.snapshots.step),
        "bodies": repeat("bodies", partial(clock.sleep, LOOK_FOR_SLOW), started.bodies.look),
        "lag": repeat("lag", lag.measure, lag.show),
        "figures": repeat("figures", partial(clock.sleep, FIGURES_EVERY), started.console.figures.step),
        "old figures": repeat("old figures", partial(clock.sleep, PURGE_EVERY), started.console.purge),
        "black box": repeat("black box", partial(clock.sleep, WRITE_BLACK_BOX), started.live.black_box.write),
        "lists": repeat("lists", partial(clock.sleep, SAVE_EVERY), lists.save),
    }
    if started.live.nodes.shared:
        regularly = {
            "nodes": (BEAT_EVERY, started.live.nodes.beat),
            "log": (FOLLOW_EVERY, started.live.log.follow),
            "leases": (FOLLOW_EVERY, started.live.leases.release),
            "lost broadcasts": (LOOK_FOR_LOST, started.live.broadcast_events.end_lost),
        }
        for name, (every, work) in regularly.items():
            loops[name] = repeat(name, partial(clock.sleep, every), partial(started.store.while_reached, work))
    for each in reconcilers.each:
        loops[f"reconcile {each.nginx.node}"] = repeat("reconcile", each.next_turn, each.run)
    tasks = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await once("webhooks", courier.close)
        await started.live.snapshots.decoding.close()
        kept_verdicts.close()
        await once("sessions", sessions.save)
        await once("chat", chat_writer.write)
        await once("guesses", started.handover.save)
        await once("lists", partial(lists.save, LAST_WRITTEN))
        await once("viewers", started.live.viewer_events.step)
        await once("events", started.live.room_events.flush)
        await once("black box", started.live.black_box.write)
        await once("on air", partial(writer.write, again=0.0))  # all of it, for the next control
