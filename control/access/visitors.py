"""Users who may be in a room beside its picture: whoever may watch it, whether or not they do."""

from __future__ import annotations

from control.access.admission import Admission
from control.access.bans import Bans
from control.access.rights import Rights
from control.access.verdicts import Role
from control.accounts.users import User
from control.refusals import BadParameter, BadRoomPassword, Banned, Denied, NoSuchRoom

LONGEST_TICKET = 160  # characters


class Visitors:
    def __init__(self, admission: Admission, bans: Bans) -> None:
        self._admission = admission
        self._bans = bans

    async def admit(self, user: User, room_id: int, ticket: str, address: str) -> Rights:
        """The room. `ticket`: the user's own, which a private room asks for. Raises NoSuchRoom, Banned, BadParameter
        where a ticket is needed and none is shown, and BadRoomPassword where it does not hold."""
        room = await self._admission.room(room_id)
        if room is None:
            raise NoSuchRoom
        if room.owner_id == user.id:
            return room
        if await self._bans.seconds_left(room_id, user.id) or self._bans.keeps_out(room, user, address):
            raise Banned
        if not room.is_open:
            await self._check(user, room_id, ticket)
        return room

    async def _check(self, user: User, room_id: int, ticket: str) -> None:
        if not ticket:
            raise BadParameter("ticket")
        shown = self._admission.credentials("", ticket[: LONGEST_TICKET + 1])
        if shown.user_id != user.id:
            raise BadRoomPassword
        try:
            await self._admission.admit(Role.PLAYER, room_id, shown)
        except Denied:
            raise BadRoomPassword from None
