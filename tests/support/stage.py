"""A room on the stage: its owner, its passwords, and an nginx that shows whoever is let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.world import Box


@dataclass
class Stage:
    """A room, and nginx in front of it: what is let in is put into /stat, as nginx would."""

    box: Box
    id: int
    session: str
    """The owner's."""
    anchor: str
    user: str

    async def publish(self, client: int, timestamp: int = 1000, pwd: str = "", **own: Any) -> int:
        verdict = await self.box.callback("publish", client, str(self.id), f"pwd={pwd or self.anchor}", **own)
        if verdict == 204:
            self.box.nginx.put(client, str(self.id), publishing=True, timestamp=timestamp)
        return verdict

    async def play(self, client: int, arguments: str = "") -> int:
        verdict = await self.box.callback("play", client, str(self.id), arguments or f"pwd={self.user}")
        if verdict == 204:
            self.box.nginx.put(client, str(self.id))
        return verdict

    async def update(self, client: int, kind: str = "publish", timestamp: int = 0, pwd: str = "") -> int:
        shown = pwd or {"publish": self.anchor, "play": self.user}[kind]
        return await self.box.callback("update", client, str(self.id), f"pwd={shown}", kind=kind, timestamp=timestamp)

    async def leave(self, client: int, call: str = "done") -> int:
        self.box.nginx.clients.pop(client, None)
        return await self.box.callback(call, client, str(self.id))

    async def own(self, api: str, **fields: Any) -> dict[str, Any]:
        reply = await self.box.api(api, sessionId=self.session, liveRoomId=self.id, **fields)
        assert reply["status"] == 10000, reply
        return reply

    async def status(self) -> tuple[bool, int]:
        """What lists say after a repair: is it live, and how many watch."""
        await self.box.settle()
        return await self.said()

    async def said(self) -> tuple[bool, int]:
        """What lists say, with nginx not asked first."""
        await self.box.running.live.on_air_writer.write()
        mine = await self.own("GetMyLiveRoom")
        return bool(mine["isPlay"]), mine["playerCount"]


async def staged(box: Box, number: int = 1) -> Stage:
    """A new user's room."""
    session = await box.session(f"owner{number}", f"1350000{number:04}")
    await box.api("CreateLiveRoom", sessionId=session, liveRoomName="a room")
    mine = await box.api("GetMyLiveRoom", sessionId=session)
    return Stage(box, mine["liveRoomId"], session, mine["liveRoomAnchorPwd"], mine["liveRoomUserPwd"])
