"""What verdicts, presence and counts are made of: the parts, each made once and given what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx

from control.access.admission import Admission
from control.access.bans import Bans
from control.access.denials import DenialsOfUsers
from control.access.quotas import Quotas, usual
from control.access.resealing import Resealing
from control.access.revocations import Revocations
from control.access.rights import RightsOfRooms
from control.access.tickets import Keys
from control.access.vault import Vault
from control.blackbox.box import BlackBox
from control.blackbox.recorder import Recorder
from control.blackbox.ring import BLACK_BOX, Ring
from control.chat.chat import Chat
from control.chat.chat_pace import Pace
from control.chat.chat_store import Chats
from control.chat.chat_writer import ChatWriter
from control.clock import Clock
from control.entropy import Entropy
from control.guessing.guesses import Guesses
from control.live.audience import Audience
from control.live.broadcast_events import BroadcastEvents
from control.live.broadcast_store import BroadcastStore
from control.live.broadcasts import Broadcasts
from control.live.capacity import Capacity, of_node
from control.live.encoder_names import EncoderNames
from control.live.heartbeats import Heartbeats
from control.live.ingest_alerts import IngestAlerts
from control.live.leases import Leases
from control.live.nodes import Nodes, Peer
from control.live.on_air_writer import AGAIN, OnAirWriter
from control.live.presence import Presence
from control.live.questions import Questions
from control.live.samples import Samples
from control.live.viewer_events import ViewerEvents
from control.lobby.live_rooms import LiveRooms
from control.nginx_rtmp.clients import Clients
from control.nginx_rtmp.control import RtmpControl
from control.nginx_rtmp.drops import Drops
from control.nginx_rtmp.excess import ExcessGuard
from control.nginx_rtmp.hls_auth import HlsAuth
from control.nginx_rtmp.kept_verdicts import KeptVerdicts
from control.nginx_rtmp.pipelined import PipelinedStreams
from control.nginx_rtmp.reconcile import Reconciler, Reconcilers
from control.nginx_rtmp.relays import Relays, RtmpNginx, StreamNames
from control.nginx_rtmp.stat import Looks, Stat
from control.nginx_rtmp.takeover import Takeover
from control.nginx_rtmp.unseen import UnseenUpdates
from control.running import LiveParts
from control.setting_values import limits
from control.settings import Settings
from control.snapshots.album import Album
from control.snapshots.decoding import Decoding
from control.snapshots.snapshots import Snapshots
from control.storage.changes import Changes
from control.storage.database import Store
from control.storage.log import Log
from control.storage.room_events import RoomEvents


def live_parts(
    settings: Settings,
    *,
    store: Store,
    vault: Vault,
    nginx: Mapping[str, httpx.AsyncClient],
    keys: Keys,
    guesses: Guesses,
    clock: Clock,
    entropy: Entropy,
) -> LiveParts:
    log = Log(store, settings.node, clock)
    changes = Changes(store, log)
    given = limits(settings.limits)
    quotas = Quotas(store, changes, usual(given))
    rights = RightsOfRooms(
        store=store,
        vault=vault,
        changes=changes,
        clock=clock,
        most=settings.cached_rooms,
        usual=quotas.usual,
    )
    denials = DenialsOfUsers(store=store, changes=changes, most=settings.cached_users, clock=clock)
    admission = Admission(
        keys=keys,
        rights=rights,
        denials=denials,
        revocations=Revocations(changes),
        guesses=guesses,
        clock=clock,
        lifetime=settings.ticket_seconds,
    )

    room_events = RoomEvents(
        store=store, clock=clock, log=log, shared=bool(settings.shared_by), most=settings.cached_rooms
    )
    recorder = Recorder(clock)
    presence = Presence(clock, recorder)
    me = Peer(settings.node, settings.node_address, settings.rtmp_port_for_nodes, settings.http_port)
    nodes = Nodes(store=store, log=log, me=me, keys=keys.digest, clock=clock)
    presence.changed.set()  # nothing is written yet, not even that all rooms are empty
    heartbeats = Heartbeats(clock, presence.changed, recorder)
    ring = Ring(settings.data_dir / BLACK_BOX, settings.black_box_mib * 2**20) if settings.black_box_mib else None
    black_box = BlackBox(
        recorder=recorder, presence=presence, heartbeats=heartbeats, ring=ring, clock=clock, node=settings.node
    )
    live_rooms = LiveRooms(store=store, nodes=nodes, log=log, clock=clock)
    viewer_events = ViewerEvents(room_events, live_rooms.players)
    audience = Audience(presence, heartbeats, viewer_events)
    broadcasts = Broadcasts(clock, settings.gap_seconds)
    broadcast_events = BroadcastEvents(store, room_events, clock)
    chats = Chats(store=store, broadcasts=broadcasts, clock=clock, most=settings.cached_rooms)
    shared_log = log if settings.shared_by else None
    chat_writer = ChatWriter(store=store, chats=chats, log=shared_log, clock=clock)
    pace = Pace(clock, settings.chat_messages, settings.chat_room_messages)
    chat = Chat(store=store, chats=chats, writer=chat_writer, pace=pace, log=log, clock=clock)
    leases = Leases(store=store, log=log, nodes=nodes, presence=presence, clock=clock)
    questions = Questions(store=store, log=log, nodes=nodes, clock=clock, entropy=entropy)
    broadcast_store = BroadcastStore(store=store, broadcasts=broadcasts, written_every=AGAIN, is_here=leases.is_here)
    leases.taken_over.append(broadcast_store.take_over)
    leases.lost.append(broadcasts.give_up)
    capacity = Capacity(
        presence=presence,
        players=live_rooms.players,
        node=of_node(given),
        events=room_events,
        clock=clock,
    )
    on_air_writer = OnAirWriter(
        store=store,
        node=settings.node,
        presence=presence,
        audience=audience,
        broadcasts=broadcasts,
        clock=clock,
        is_here=leases.is_here,
        log=shared_log,
        observers=[live_rooms.observe, chat.observe, capacity.observe],
        events=broadcast_events,
    )

    names = StreamNames(clock)
    nginxes = {
        node: RtmpNginx(node, Stat(http, clock, names.room_of), RtmpControl(http), Looks())
        for node, http in nginx.items()
    }
    relays = Relays(nginxes=nginxes, names=names, presence=presence, leases=leases, keys=keys, clock=clock)
    drops = Drops(presence=presence, controls={node: each.control for node, each in nginxes.items()})
    excess = ExcessGuard(
        store=store, presence=presence, rights=rights, capacity=capacity, drops=drops, events=room_events, clock=clock
    )
    takeover = Takeover(
        presence=presence,
        nginxes=nginxes,
        drops=drops,
        clock=clock,
        silent=settings.silent_seconds,
        lease=settings.lease_seconds,
    )
    clients = Clients(
        presence=presence,
        admission=admission,
        takeover=takeover,
        leases=leases,
        drops=drops,
        nginxes=nginxes,
        relays=relays,
        pipelined=PipelinedStreams(clock),
        unseen=UnseenUpdates(clock),
        excess=excess,
        clock=clock,
    )
    leases.make_way = takeover.make_way
    nodes.when_forgotten(on_air_writer.tell_again)
    kept_verdicts = KeptVerdicts(settings.verdict_dir, clock)
    hls = HlsAuth(
        presence=presence,
        leases=leases,
        live_rooms=live_rooms,
        keys=keys,
        heartbeats=heartbeats,
        broadcasts=broadcasts,
        admission=admission,
        capacity=capacity,
        kept=kept_verdicts,
        clock=clock,
    )
    reconcilers = [
        Reconciler(
            nginx=each,
            presence=presence,
            heartbeats=heartbeats,
            clients=clients,
            drops=drops,
            relays=relays,
            rights=rights,
            clock=clock,
            first_media=settings.first_media_seconds,
            lease=settings.lease_seconds,
        )
        for each in nginxes.values()
    ]
    snapshots = Snapshots(
        presence=presence,
        rights=rights,
        album=Album(Path(settings.snapshot_dir)),
        decoding=Decoding(clock),
        segments=Path(settings.hls_dir),
        every=settings.snapshot_seconds,
        clock=clock,
    )
    samples = Samples(store=store, presence=presence, broadcasts=broadcasts, players=live_rooms.players, clock=clock)
    for listener in (snapshots.reconsider, hls.reconsider, clients.reconsider, chat.reconsider):
        changes.listen(listener)
    changes.present(presence.rooms)
    changes.present(heartbeats.rooms)
    return LiveParts(
        rights=rights,
        denials=denials,
        log=log,
        nodes=nodes,
        leases=leases,
        questions=questions,
        changes=changes,
        bans=Bans(store=store, denials=denials, changes=changes, clock=clock, events=room_events),
        live_rooms=live_rooms,
        resealing=Resealing(store, vault),
        admission=admission,
        presence=presence,
        audience=audience,
        broadcasts=broadcasts,
        broadcast_store=broadcast_store,
        on_air_writer=on_air_writer,
        encoder_names=EncoderNames(settings.encoder_dir, presence, broadcasts),
        samples=samples,
        quotas=quotas,
        excess=excess,
        room_events=room_events,
        broadcast_events=broadcast_events,
        viewer_events=viewer_events,
        ingest_alerts=IngestAlerts(
            events=room_events, presence=presence, samples=samples, segments=Path(settings.hls_dir), clock=clock
        ),
        chat=chat,
        chat_writer=chat_writer,
        clients=clients,
        kept_verdicts=kept_verdicts,
        recorder=recorder,
        black_box=black_box,
        hls_auth=hls,
        snapshots=snapshots,
        reconcilers=Reconcilers(reconcilers),
    )
