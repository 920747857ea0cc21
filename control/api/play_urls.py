"""The addresses a player is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

RTMP_DEFAULT_PORT = 1935


@dataclass(frozen=True, slots=True)
class Place:
    """Where a caller reaches us."""

    rtmp: str
    """With the application, without a closing slash: `rtmp://host/live`."""
    http: str
    """Without a closing slash: `https://host`."""

    def play_rtmp(self, room_id: int, ticket: str) -> str:
        return f"{self.rtmp}/{room_id}?ticket={ticket}"

    def snapshot(self, room_id: int, taken_at: int, ticket: str = "") -> str:
        """Another one for each picture. `ticket`: of who sees more of it than everybody may."""
        return f"{self.http}/snapshot/{ticket}{'/' if ticket else ''}{room_id}.jpg?at={taken_at}"

    def play_hls(self, room_id: int, ticket: str) -> str:
        return f"{self.http}/hls/{ticket}/{room_id}/index.m3u8"


@lru_cache(1000)  # hosts are few, and whoever sends others spoils it for nobody but them
def place(site: str, rtmp_port: int, rtmp_url: str = "", public_url: str = "") -> Place:
    """`site` is how the request reached us, `scheme://host[:port]`; the two URLs override what is made of it."""
    port = "" if rtmp_port == RTMP_DEFAULT_PORT else f":{rtmp_port}"
    rtmp = rtmp_url.rstrip("/") or f"rtmp://{_host_name(site)}{port}/live"
    return Place(rtmp, public_url.rstrip("/") or site)


def _host_name(site: str) -> str:
    try:
        name = urlsplit(site).hostname or "localhost"
    except ValueError:
        return "localhost"
    return f"[{name}]" if ":" in name else name
