"""How long nginx may take control's silence for a yes: clients that were let in stay while control is down."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

FRESH = 1  # seconds that nginx does not ask again


class Grace:
    """`seconds`: from control's last sign of life until nginx ends the sessions it would have asked about."""

    def __init__(self, seconds: int) -> None:
        # While one update asks us in vain, thousands of others are not to wait for their own failure.
        how_long = f"max-age={FRESH}, stale-while-revalidate={seconds}, stale-if-error={seconds}"
        self._headers = {"Cache-Control": how_long}

    async def answer(self, request: Request) -> Response:
        """`GET /grace`, which nginx keeps."""
        return Response(status_code=204, headers=self._headers)
