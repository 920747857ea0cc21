"""A real push and play through all of a node: API, guard, rtmp nginx, callbacks, HLS. Its account and its room are
deleted at the end."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import av
import httpx

from control.api.statuses import Status
from control.doctor.findings import Finding, fault, good, left_out
from control.doctor.life import Life, life
from control.settings import Settings

WAITED = 10.0  # seconds for each step
TIMEOUT = 5.0  # seconds that one answer may take
LOOK = 0.1  # seconds between two looks
QUICKLY = {"analyzeduration": "200000", "probesize": "65536"}  # microseconds and bytes that FFmpeg may wait for sound
LOG = "look at the node's log for a refusal"


def check(settings: Settings) -> Iterator[Finding]:
    now = life(settings)
    if now is Life.NONE:
        yield left_out(f"no node runs in {settings.data_dir}: make run")
        return
    if now is Life.ALONE and not (settings.public_url and settings.rtmp_url):
        yield left_out("control runs alone here, and QPLUS_PUBLIC_URL and QPLUS_RTMP_URL do not say where nginx is")
        return
    if settings.proxy_protocol == "on" and not settings.public_url:
        yield left_out("the HTTP port wants PROXY protocol, and QPLUS_PUBLIC_URL does not say what speaks it")
        return
    if settings.rtmp_proxy_protocol == "on" and not settings.rtmp_url:
        yield left_out("the RTMP port wants PROXY protocol, and QPLUS_RTMP_URL does not say what speaks it")
        return
    av.logging.set_level(None)  # it would print passwords
    with httpx.Client(base_url=site(settings), timeout=TIMEOUT, verify=False, follow_redirects=True) as http:
        trial = Trial(http, settings.rtmp_url.rstrip("/") or f"rtmp://127.0.0.1:{settings.rtmp_port}/live")
        try:
            yield from trial.run()
        except (httpx.HTTPError, Wrong) as failure:
            yield fault(f"{trial.step}: {failure or type(failure).__name__}", LOG)
        finally:
            trial.clear()


def site(settings: Settings) -> str:
    """Where the API is asked: at the node itself, unless only what is before it may."""
    if settings.proxy_protocol == "on" or life(settings) is Life.ALONE:
        return settings.public_url
    return f"https://127.0.0.1:{settings.https_port}" if settings.has_tls else f"http://127.0.0.1:{settings.http_port}"


class Wrong(Exception):
    """A step came out otherwise than it should."""


@dataclass
class Trial:
    http: httpx.Client
    rtmp: str
    step: str = ""
    _session: str = ""
    _account: str = field(default_factory=lambda: f"doctor{secrets.token_hex(6)}")
    _password: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _push: Push | None = None

    def run(self) -> Iterator[Finding]:
        began = time.monotonic()
        self.step = "an account and a room"
        room, anchor, viewing = self._room()
        yield good(f"{self.step}: made in {time.monotonic() - began:.1f} s")
        self.step = "a push"
        began = time.monotonic()
        push = self._push = Push(f"{self.rtmp}/{room}?pwd={anchor}")
        self._until(lambda: bool(self._mine()["isPlay"]), "the room is not live")
        yield good(f"{self.step}: live after {time.monotonic() - began:.1f} s")
        self.step = "play over RTMP"
        began = time.monotonic()
        first_packet(f"{self.rtmp}/{room}?pwd={viewing}")
        yield good(f"{self.step}: a picture after {time.monotonic() - began:.1f} s")
        self.step = "play over HLS"
        began = time.monotonic()
        size = self._segment(room)
        yield good(f"{self.step}: a segment of {size} bytes after {time.monotonic() - began:.1f} s")
        self.step = "the end of the push"
        began = time.monotonic()
        push.end()
        self._push = None
        self._until(lambda: not self._mine()["isPlay"], "the room is still live")
        yield good(f"{self.step}: off air after {time.monotonic() - began:.1f} s")

    def clear(self) -> None:
        """Leaves nothing behind."""
        if self._push is not None:
            self._push.end()
        if self._session:
            with suppress(httpx.HTTPError, Wrong):  # the node does not answer, which was said
                self._ask("DeleteMyAccount", sessionId=self._session, password=self._password)

    def _room(self) -> tuple[int, str, str]:
        """Its id, and the passwords for its publisher and its viewers."""
        phone = f"+999{secrets.randbelow(10**9):09}"  # a country that there is not
        self._ask("Register", account=self._account, phone=phone, password=self._password)
        self._session = self._ask("Login", account=self._account, password=self._password)["sessionId"]
        private = {"liveRoomName": "qplus doctor", "liveRoomUserPwd": secrets.token_urlsafe(9)}
        self._ask("CreateLiveRoom", sessionId=self._session, **private)
        mine = self._mine()
        return mine["liveRoomId"], mine["liveRoomAnchorPwd"], mine["liveRoomUserPwd"]

    def _mine(self) -> dict[str, Any]:
        return self._ask("GetMyLiveRoom", sessionId=self._session)

    def _segment(self, room: int) -> int:
        """Bytes of the first HLS segment."""
        told = self._ask("PlayLiveStream", sessionId=self._session, liveroomId=room, status=1)
        playlist = httpx.URL(urljoin(str(self.http.base_url), httpx.URL(told["playHlsUrl"]).path))

        def segments() -> list[str]:
            answer = self.http.get(playlist)
            lines = answer.text.splitlines() if answer.is_success else []
            return [line for line in lines if line and not line.startswith("#")]

        self._until(lambda: bool(segments()), "the playlist has no segment")
        return len(self.http.get(playlist.join(segments()[-1])).raise_for_status().content)

    def _until(self, condition: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + WAITED
        while not condition():
            if self._push is not None and self._push.failure:
                raise Wrong(f"{problem}: {self._push.failure}")
            if time.monotonic() > deadline:
                raise Wrong(f"{problem} after {WAITED:.0f} s")
            time.sleep(LOOK)

    def _ask(self, api: str, **fields: Any) -> dict[str, Any]:
        answer = self.http.post(f"/live/{api}", json=fields).raise_for_status()
        reply: dict[str, Any] = answer.json()
        if reply["status"] != Status.SUCCESS.number:
            raise Wrong(f"{api} answers {reply['status']}")
        return reply


class Push:
    """Until its end."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "control.doctor.pusher"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{url}\n")
        self._process.stdin.flush()

    @property
    def failure(self) -> str:
        """Why it has ended; "" while it goes on."""
        if self._process.poll() is None:
            return ""
        assert self._process.stdout is not None
        return self._process.stdout.read().strip() or f"exit code {self._process.returncode}"

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def first_packet(url: str) -> None:
    """Returns once a picture has come. Raises Wrong."""
    try:
        with closing(av.open(url, timeout=TIMEOUT, options=QUICKLY)) as played:
            for packet in played.demux(video=0):
                if packet.size:
                    return
    except (av.error.FFmpegError, OSError) as failure:
        raise Wrong(failure.strerror or type(failure).__name__) from None
    raise Wrong("it ends without a picture")
