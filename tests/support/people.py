"""People with their phones, and rooms that go on and off air."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.world import Box


@dataclass
class Person:
    box: Box
    account: str
    phone: str
    session: str

    async def says(self, api: str, **fields: Any) -> dict[str, Any]:
        """An API's reply, whatever its status."""
        return await self.box.api(api, **{"sessionId": self.session} | fields)

    async def does(self, api: str, **fields: Any) -> dict[str, Any]:
        """An API's reply, which must be a success."""
        reply = await self.says(api, **fields)
        assert reply["status"] == 10000, reply
        return reply

    async def opens(self, name: str = "a room", **fields: Any) -> dict[str, Any]:
        """Their new room as they see it."""
        await self.does("CreateLiveRoom", liveRoomName=name, **fields)
        return await self.does("GetMyLiveRoom")

    async def finds(self, keyword: int | str) -> dict[str, Any]:
        return await self.does("SearchLiveStream", keyword=keyword)

    async def page(self, kind: int = 1, **fields: Any) -> list[int]:
        """Ids of the rooms on a page of a list, in order."""
        reply = await self.does("GetLiveRoomList", type=kind, **fields)
        rooms = reply["list"] if kind == 1 else reply["onlineList"] + reply["offlineList"]
        return [room["liveRoomId"] for room in rooms]

    async def logs_in(self, password: str = "secret-1") -> int:
        """The status."""
        return int((await self.box.api("Login", account=self.account, password=password))["status"])

    async def is_logged_in(self) -> bool:
        return bool((await self.says("GetMyLiveRoomId"))["status"] == 10000)


async def person(box: Box, account: str = "ann", number: int = 1) -> Person:
    phone = f"1350000{number:04}"
    return Person(box, account, phone, await box.session(account, phone))


async def crowd(box: Box, count: int) -> list[Person]:
    return [await person(box, f"user{number}", number) for number in range(100, 100 + count)]


async def go_live(box: Box, *rooms: dict[str, Any]) -> None:
    """One after the other, a second between. A room's publisher is the client of the room's number."""
    for room in rooms:
        client, name = room["liveRoomId"], str(room["liveRoomId"])
        assert await box.callback("publish", client, name, f"pwd={room['liveRoomAnchorPwd']}") == 204
        box.nginx.put(client, name, publishing=True, timestamp=40)
        await box.settle()
        box.clock.advance(1)


async def go_off(box: Box, *rooms: dict[str, Any]) -> None:
    for room in rooms:
        client = room["liveRoomId"]
        del box.nginx.clients[client]
        assert await box.callback("publish_done", client, str(client)) == 204
    await box.settle()


async def watch(box: Box, client: int, room_id: int, arguments: str) -> int:
    """The verdict on a play; who is let in stays."""
    verdict = await box.callback("play", client, str(room_id), arguments)
    if verdict == 204:
        box.nginx.put(client, str(room_id))
        await box.settle()
    return verdict


def argument(url: str) -> str:
    """What an RTMP player sends of a play URL behind the room's id."""
    return url.partition("?")[2]
