"""The addresses a player is given."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

RTMP_DEFAULT_PORT = 1935


@dataclass(frozen=True, slots=True)
class Place:
    """Where a caller reaches us."""

    rtmp: str
    """With the application, without a closing slash: `rtmp://host/live`."""

    def play_rtmp(self, room_id: int, ticket: str) -> str:
        return f"{self.rtmp}/{room_id}?ticket={ticket}"


def place(host: str, rtmp_port: int, rtmp_url: str) -> Place:
    """`host` is a request's Host header; `rtmp_url` overrides what is made of it."""
    if rtmp_url:
        return Place(rtmp_url.rstrip("/"))
    name = _host_name(host)
    return Place(f"rtmp://{name}/live" if rtmp_port == RTMP_DEFAULT_PORT else f"rtmp://{name}:{rtmp_port}/live")


def _host_name(host: str) -> str:
    try:
        name = urlsplit(f"//{host}").hostname or "localhost"
    except ValueError:
        return "localhost"
    return f"[{name}]" if ":" in name else name
