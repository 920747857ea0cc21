"""QR codes, as pictures that a page shows."""

from __future__ import annotations

import io
from functools import lru_cache

import segno
from starlette.responses import Response

# Every reader takes any of the eight. To find the one that is read best takes several times as long as the rest, and
# anybody may ask for a code.
MASK = 2
KEPT = 200  # pictures


def qr_code(text: str) -> Response:
    return Response(_svg(text), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@lru_cache(KEPT)
def _svg(text: str) -> bytes:
    code = segno.make(text, error="m", mask=MASK)
    picture = io.BytesIO()
    code.save(picture, kind="svg", scale=6, border=4, light="#ffffff", xmldecl=False)
    return picture.getvalue()
