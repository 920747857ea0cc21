"""Has nginx drop sessions that are to go. One that it cannot drop now is dropped at the next look, or denied
at its next update."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from control.live.presence import Presence, Session
from control.live.states import Ending
from control.nginx_rtmp.control import ControlError, RtmpControl

AT_ONCE = 16  # sessions that nginx is asked to drop at a time

log = structlog.get_logger()


@dataclass(kw_only=True)
class Drops:
    presence: Presence
    controls: Mapping[str, RtmpControl]
    """Of each nginx, by its node."""

    async def drop(self, session: Session, reason: str, why: Ending = Ending.LEFT) -> bool:
        """Whether it is gone. Raises nothing."""
        self.presence.condemn(session.key, why)
        log_dropped(session, reason)
        try:
            return await self._drop(session)
        except ControlError as failure:
            log.warning("drop failed", client=session.key.client, failure=str(failure))
            return False

    async def drop_condemned(self, sessions: Sequence[Session]) -> None:
        """Ends them as fast as nginx can; the first that it cannot be asked for leaves the rest to the next look."""
        for start in range(0, len(sessions), AT_ONCE):
            try:
                await asyncio.gather(*map(self._drop, sessions[start : start + AT_ONCE]))
            except ControlError as failure:
                log.warning("drop failed", room=sessions[start].room_id, failure=str(failure))
                return

    async def _drop(self, session: Session) -> bool:
        """Whether it was in a stream. Raises ControlError."""
        dropped = await self.controls[session.key.node].drop(session.key.start, session.key.client)
        if dropped:
            self.presence.end(session.key)
        return dropped


def log_dropped(session: Session, reason: str) -> None:
    log.info(f"{session.role.value} put out", room=session.room_id, client=session.key.client, reason=reason)
