"""nginx-rtmp's /control: ends a client's connection at once."""

from __future__ import annotations

import httpx

TIMEOUT = 2.0  # seconds
NOT_FOUND = 404


class ControlError(Exception):
    """/control could not be asked, or refused."""


class RtmpControl:
    def __init__(self, http: httpx.AsyncClient, application: str = "live") -> None:
        self._http = http
        self._application = application

    async def drop(self, start: str, client: int) -> bool:
        """Whether there was such a client in a stream; one outside of any is not reached. Raises ControlError.

        `start` is the life of nginx that the client belongs to. In another one the number is another client's, so the
        path names it, and an nginx that was started anew knows no such path.
        """
        # Never without a client: a drop that names none drops everybody.
        drop = f"control/drop/client?app={self._application}&clientid={int(client)}"
        try:
            answer = await self._http.get(f"/{start}/{drop}", timeout=TIMEOUT)
            if answer.status_code == NOT_FOUND:  # or an nginx that was started by release 0.1
                answer = await self._http.get(f"/{drop}", timeout=TIMEOUT)
            if answer.status_code == NOT_FOUND:
                return False
            answer.raise_for_status()
            return int(answer.text) > 0
        except (httpx.HTTPError, ValueError) as failure:
            raise ControlError(_told(failure)) from None


def _told(failure: Exception) -> str:
    """Without the path, whose start id is secret."""
    return str(failure.response.status_code) if isinstance(failure, httpx.HTTPStatusError) else type(failure).__name__
