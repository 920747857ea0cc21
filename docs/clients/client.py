"""A client of QPlus Live Server, with nothing but Python's own library.

    python client.py http://localhost:8080 ann 13500000001 change-it

registers, logs in, makes a room, and prints where to push and what to play.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.request import Request, urlopen

DONE, ACCOUNT_TAKEN = 10000, 10102
LIVE = 1  # GetLiveRoomList's type


class Refused(Exception):
    """An answer other than done: docs/api.md has the numbers."""

    def __init__(self, status: int, desc: str) -> None:
        super().__init__(f"{status} {desc}")
        self.status = status


class Client:
    def __init__(self, site: str) -> None:
        """`site`: `http://host:port`."""
        self._site = site.rstrip("/")
        self._session = ""

    def ask(self, api: str, **fields: Any) -> dict[str, Any]:
        """An API's answer. Raises Refused, and OSError where there is none."""
        body = fields | ({"sessionId": self._session} if self._session else {})
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(f"{self._site}/live/{api}", json.dumps(body).encode(), headers), timeout=30) as answer:
            reply: dict[str, Any] = json.load(answer)
        if reply["status"] != DONE:
            raise Refused(reply["status"], reply["desc"])
        return reply

    def register(self, account: str, phone: str, password: str) -> None:
        """Once is enough."""
        try:
            self.ask("Register", account=account, phone=phone, password=password)
        except Refused as refused:
            if refused.status != ACCOUNT_TAKEN:
                raise

    def log_in(self, account: str, password: str) -> None:
        self._session = self.ask("Login", account=account, password=password)["sessionId"]

    def room(self, name: str) -> dict[str, Any]:
        """The user's own, made where there is none."""
        self.ask("CreateLiveRoom", liveRoomName=name)
        return self.ask("GetMyLiveRoom")

    def live_rooms(self) -> list[dict[str, Any]]:
        """The newest first."""
        rooms: list[dict[str, Any]] = self.ask("GetLiveRoomList", type=LIVE, count=20)["list"]
        return rooms

    def play(self, room_id: int, password: str = "") -> tuple[str, str]:
        """RTMP and HLS addresses, good for this user. A private room needs its viewing password."""
        reply = self.ask("PlayLiveStream", liveroomId=room_id, status=1, liveRoomUserPwd=password)
        return reply["playRtmpUrl"], reply["playHlsUrl"]


def push_address(room: dict[str, Any]) -> str:
    """For an encoder. Of the own room alone: others see no anchor password."""
    where: str = room["playRtmpUrl"]
    return f"{where.partition('?')[0]}?pwd={room['liveRoomAnchorPwd']}"


def main(site: str, account: str, phone: str, password: str) -> None:
    client = Client(site)
    client.register(account, phone, password)
    client.log_in(account, password)
    room = client.room(f"{account}'s room")
    print("push:", push_address(room))
    for live in client.live_rooms():
        print("live:", live["liveRoomId"], live["liveRoomName"], f"({live['playerCount']} watching)")
        client.ask("FollowLiveRoom", liveRoomId=live["liveRoomId"], isFollow=1)
        for address in client.play(live["liveRoomId"]) if not live["needPassword"] else ():
            print("play:", address)


if __name__ == "__main__":
    main(*sys.argv[1:])
