"""Pictures as clients send them."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image


def encoded(form: str, size: tuple[int, int] = (8, 8), mode: str = "RGB", **options: Any) -> bytes:
    """A picture file in a form that Pillow knows."""
    out = io.BytesIO()
    colour = {"RGB": (200, 30, 30), "RGBA": (200, 30, 30, 90)}.get(mode, 1)
    Image.new(mode, size, colour).save(out, form, **options)
    return out.getvalue()


def sent(content: bytes) -> str:
    return base64.b64encode(content).decode()


def camera() -> bytes:
    """A photograph on its side, with what a camera writes into it."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it to the right
    exif[0x010F] = "Secret Cameras Ltd"
    return encoded("JPEG", (40, 20), exif=exif, comment=b"taken at home")


def moving() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("P", (8, 8), number) for number in range(3)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()
