"""QR codes, as pictures that a page shows."""

from __future__ import annotations

import io

import segno
from starlette.responses import Response


def qr_code(text: str) -> Response:
    code = segno.make(text, error="m")
    picture = io.BytesIO()
    code.save(picture, kind="svg", scale=6, border=4, light="#ffffff", xmldecl=False)
    return Response(picture.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})
