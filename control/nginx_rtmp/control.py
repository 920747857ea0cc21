"""nginx-rtmp's /control: ends a session at once."""

from __future__ import annotations

import httpx

TIMEOUT = 2.0  # seconds


class ControlError(Exception):
    """/control could not be asked, or refused."""


class RtmpControl:
    def __init__(self, http: httpx.AsyncClient, application: str = "live") -> None:
        self._http = http
        self._application = application

    async def drop(self, client: int) -> bool:
        """Whether there was such a client in a stream; one outside of any is not reached. Raises ControlError."""
        # Never without a client: a drop that names none drops everybody.
        where = f"/control/drop/client?app={self._application}&clientid={int(client)}"
        try:
            answer = await self._http.get(where, timeout=TIMEOUT)
            answer.raise_for_status()
            return int(answer.text) > 0
        except (httpx.HTTPError, ValueError) as failure:
            raise ControlError(f"{type(failure).__name__}: {failure}") from failure
