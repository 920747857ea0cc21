"""What the APIs call on."""

from __future__ import annotations

from dataclasses import dataclass

from control.accounts.pictures import Pictures
from control.accounts.recovery import Recovery
from control.accounts.sessions import Sessions
from control.accounts.users import Users
from control.delivery.box_office import BoxOffice
from control.live.gate import Gate
from control.lobby.lists import Lists
from control.lobby.lobby import Lobby
from control.nodes.door import Door
from control.rooms.follows import Follows
from control.rooms.rooms import Rooms
from control.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    users: Users
    sessions: Sessions
    recovery: Recovery
    pictures: Pictures
    rooms: Rooms
    follows: Follows
    gate: Gate
    lobby: Lobby
    lists: Lists
    box_office: BoxOffice
    door: Door
