"""What the APIs call on."""

from __future__ import annotations

from dataclasses import dataclass

from control.accounts.pictures import Pictures
from control.accounts.recovery import Recovery
from control.accounts.sessions import Sessions
from control.accounts.users import Users
from control.clock import Clock
from control.delivery.box_office import BoxOffice
from control.live.audience import Audience
from control.live.gate import Gate
from control.live.ledger import Ledger
from control.lobby.lists import Lists
from control.lobby.lobby import Lobby
from control.nodes.door import Door
from control.rooms.bans import Bans
from control.rooms.follows import Follows
from control.rooms.rooms import Rooms
from control.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    clock: Clock
    users: Users
    sessions: Sessions
    recovery: Recovery
    pictures: Pictures
    rooms: Rooms
    follows: Follows
    bans: Bans
    gate: Gate
    audience: Audience
    ledger: Ledger
    lobby: Lobby
    lists: Lists
    box_office: BoxOffice
    door: Door
