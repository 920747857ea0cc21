"""By which ways a user wants to be told, and to which browsers of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from control.clock import Clock
from control.notices.push_encryption import Subscription
from control.refusals import BadParameter
from control.storage.database import Store, insert, numbered, numbered_texts
from control.storage.tables import notice_choices, push_subscriptions
from control.webhooks.destinations import checked

MOST = 10  # browsers of one user; one more takes the place of the oldest


@dataclass(frozen=True, slots=True)
class Preference:
    by_message: bool
    """By the way that codes go: to an e-mail address, or to a phone."""
    browsers: int


class Preferences:
    """`private`: whether push services may be at private addresses."""

    def __init__(self, store: Store, clock: Clock, private: bool) -> None:
        self._store = store
        self._clock = clock
        self._private = private

    async def of(self, user_id: int) -> Preference:
        chosen = sa.select(notice_choices.c.by_message).where(notice_choices.c.user_id == user_id).scalar_subquery()
        count = sa.select(sa.func.count()).where(push_subscriptions.c.user_id == user_id).scalar_subquery()
        row = await self._store.fetch_one(sa.select(chosen.label("by_message"), count.label("browsers")))
        return Preference(bool(row and row["by_message"]), row["browsers"] if row else 0)

    async def choose(self, user_id: int, by_message: bool) -> None:
        row = insert(notice_choices).values(user_id=user_id, by_message=by_message)
        await self._store.write(row.on_conflict_do_update(index_elements=["user_id"], set_={"by_message": by_message}))

    async def subscribe(self, user_id: int, browser: Subscription) -> None:
        """A browser is its last user's. Raises BadParameter."""
        try:
            checked(browser.endpoint, self._private)
        except BadParameter as refusal:
            raise BadParameter("endpoint", refusal.hint) from None
        if not browser.is_usable:
            raise BadParameter("p256dh")
        values = {
            "user_id": user_id,
            "public_key": browser.public_key,
            "auth": browser.auth,
            "created_at": self._clock.now(),
        }
        row = insert(push_subscriptions).values({"endpoint": browser.endpoint} | values)
        mine = push_subscriptions.c.user_id == user_id
        newest = sa.select(push_subscriptions.c.endpoint).where(mine)
        newest = newest.order_by(push_subscriptions.c.created_at.desc(), push_subscriptions.c.endpoint).limit(MOST)
        await self._store.write(
            row.on_conflict_do_update(index_elements=["endpoint"], set_=values),
            push_subscriptions.delete().where(mine, push_subscriptions.c.endpoint.not_in(newest)),
        )

    async def unsubscribe(self, user_id: int, endpoint: str) -> None:
        """Nothing changes for one that is not the user's."""
        these = push_subscriptions.c.user_id == user_id, push_subscriptions.c.endpoint == endpoint
        await self._store.write(push_subscriptions.delete().where(*these))

    async def browsers(self, user_ids: Sequence[int]) -> list[Subscription]:
        these = push_subscriptions.c.user_id.in_(sa.select(numbered(user_ids).c.value))
        rows = await self._store.fetch_all(sa.select(push_subscriptions).where(these))
        return [Subscription(row["endpoint"], row["public_key"], row["auth"]) for row in rows]

    async def forget(self, endpoints: Iterable[str]) -> None:
        """Of browsers that a push service knows no more."""
        these = sa.select(numbered_texts([*endpoints]).c.value)
        await self._store.write(push_subscriptions.delete().where(push_subscriptions.c.endpoint.in_(these)))
