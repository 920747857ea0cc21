"""What the APIs call on."""

from __future__ import annotations

from dataclasses import dataclass

from control.access.admission import Admission
from control.access.bans import Bans
from control.access.guests import Guests
from control.access.visitors import Visitors
from control.accounts.deletion import Deletion
from control.accounts.pictures import Pictures
from control.accounts.recovery import Recovery
from control.accounts.sessions import Sessions
from control.accounts.users import Users
from control.api.bodies import Bodies
from control.api.turns import Turns
from control.api.uploads import Uploads
from control.chat.chat import Chat
from control.clock import Clock
from control.live.audience import Audience
from control.live.broadcast_store import BroadcastStore
from control.live.past_broadcasts import PastBroadcasts
from control.live.presence import Presence
from control.live.samples import Samples
from control.lobby.lists import Lists
from control.lobby.lobby import Lobby
from control.nginx_rtmp.clients import Clients
from control.nginx_rtmp.putting_out import Moderation
from control.notices.preferences import Preferences
from control.notices.push_keys import PushKey
from control.rooms.follows import Follows
from control.rooms.gate import Gate
from control.rooms.rooms import Rooms
from control.settings import Settings
from control.storage.room_events import RoomEvents
from control.webhooks.endpoints import Webhooks
from control.webhooks.trials import Trials


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    clock: Clock
    users: Users
    sessions: Sessions
    recovery: Recovery
    deletion: Deletion
    pictures: Pictures
    uploads: Uploads
    bodies: Bodies
    turns: Turns
    rooms: Rooms
    follows: Follows
    bans: Bans
    gate: Gate
    presence: Presence
    audience: Audience
    broadcast_store: BroadcastStore
    samples: Samples
    past_broadcasts: PastBroadcasts
    lobby: Lobby
    lists: Lists
    admission: Admission
    visitors: Visitors
    guests: Guests
    moderation: Moderation
    chat: Chat
    clients: Clients
    room_events: RoomEvents
    webhooks: Webhooks
    trials: Trials
    preferences: Preferences
    push_key: PushKey
