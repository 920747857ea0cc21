"""The end of an account, by its user: what was theirs is deleted with it, in one transaction.

The database deletes with a user what belongs to them: sessions, codes, pictures, follows, and the room with its
broadcasts, chat, bans and followers. The names may be taken again at once: nothing refers to a user by name, ids are
never given out again, and who comes back with their phone is not to be told for ever that it is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from control.accounts.origin import Origin
from control.accounts.recovery import Tickets
from control.accounts.sessions import Caller
from control.accounts.users import Users
from control.guessing.guesses import Guesses, Secret, Target
from control.refusals import SessionExpired
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Connection
from control.storage.tables import chat_messages, follows, rooms, sessions, users

OF_ROOMS = (Secret.ANCHOR, Secret.VIEWING, Secret.ASSISTANT)

log = structlog.get_logger()


@dataclass(kw_only=True)
class Deletion:
    users: Users
    guesses: Guesses
    tickets: Tickets
    changes: Changes

    async def delete(self, caller: Caller, password: str, origin: Origin) -> None:
        """Returns when the user is out everywhere, and nobody is in their room. Raises WrongPassword, TooManyGuesses,
        and SessionExpired, also where the session has ended while the password was looked at."""
        user_id = caller.user.id
        await self.users.check_password(caller.user, password, origin)
        async with self.changes.writing() as (connection, note):
            claim = sessions.delete().where(sessions.c.digest == caller.session).returning(sessions.c.user_id)
            if await connection.fetch_one(claim) is None:
                raise SessionExpired
            room_id = await _room_of(connection, user_id)
            followed = await _unfollow_all(connection, user_id)
            voiding = await self.tickets.voiding(user_id)
            for statement in (voiding, silenced(user_id), users.delete().where(users.c.id == user_id)):
                await connection.execute(statement)
            note(Change(Changed.ACCOUNT, room_id, user_id))
            for each in followed:
                note(Change(Changed.FOLLOWS, each, user_id))
            self.guesses.forget(Target(Secret.ACCOUNT, user_id))
            for secret in OF_ROOMS if room_id else ():
                self.guesses.forget(Target(secret, room_id))
        log.info("account deleted", user=user_id, room=room_id, address=origin.address)


async def _room_of(connection: Connection, user_id: int) -> int:
    """0 for none. It may have been made since the caller was looked up."""
    row = await connection.fetch_one(sa.select(rooms.c.id).where(rooms.c.owner_id == user_id))
    return int(row["id"]) if row else 0


async def _unfollow_all(connection: Connection, user_id: int) -> list[int]:
    """The rooms that the user followed."""
    theirs = sa.select(follows.c.room_id).where(follows.c.user_id == user_id)
    one_less = rooms.update().where(rooms.c.id.in_(theirs)).values(follow_count=rooms.c.follow_count - 1)
    return [row["id"] for row in await connection.fetch_all(one_less.returning(rooms.c.id))]


def silenced(user_id: int) -> sa.Update:
    """What they wrote in chats of others: the texts go, and the numbers stay, since there are no gaps in them."""
    theirs = chat_messages.update().where(chat_messages.c.user_id == user_id)
    return theirs.values(text="", nick_name="", deleted=True)
