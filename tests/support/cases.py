"""Contract cases kept as JSON: what is given, a request, and what its reply must have.

In requests and replies `"$name"` stands for a value that a given step made; a few more words stand for what only code
can say: `{"$times": ["a", 33]}`, `{"$text": "$room"}` (a number as its digits), and in replies `"$some text"`,
`"$some number"`, `{"$begins": "rtmp://"}`. A reply must have what is listed; `keys` lists all of its keys in order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from control.api.requests import PUSH_KEY
from control.api.statuses import Status
from tests.support import described, pictures
from tests.support.world import Box

FOLDER = Path(__file__).parents[1] / "contract" / "cases"
TEXTS = {status.number: status.text for status in Status}
HEAD = ["access", "status", "desc"]
PHONES = {"ann": "13500000001", "bob": "13500000002", "cid": "13500000003"}


@dataclass(frozen=True)
class Case:
    api: str
    told: dict[str, Any]

    @property
    def replies(self) -> list[tuple[str, int]]:
        """API and status of each reply told of."""
        steps = [{"api": self.api} | self.told, *self.told.get("then", [])]
        return [(step["api"], step["reply"]["status"]) for step in steps if "reply" in step]

    def statuses_of(self, api: str) -> set[int]:
        return {status for name, status in self.replies if name == api}


def all_cases() -> list[Case]:
    files = sorted(FOLDER.glob("*.json"))
    return [Case(file.stem, told) for file in files for told in orjson.loads(file.read_bytes())]


@dataclass
class Scene:
    """A box, and the values that given steps made in it."""

    box: Box
    values: dict[str, Any] = field(default_factory=dict)

    async def person(self, name: str) -> None:
        made = await self.box.api(
            "Register", account=name, phone=PHONES[name], email=f"{name}@example.com", password="secret-1"
        )
        assert made["status"] == 10000, made
        self.values[name] = (await self.box.api("Login", account=name, password="secret-1"))["sessionId"]

    async def room(self, owner: str, prefix: str, **fields: Any) -> None:
        session = self.values[owner]
        made = await self.box.api("CreateLiveRoom", sessionId=session, **fields)
        assert made["status"] == 10000, made
        mine = await self.box.api("GetMyLiveRoom", sessionId=session)
        names = {"room": "liveRoomId", "anchorPwd": "liveRoomAnchorPwd"}
        names |= {"assistPwd": "liveRoomAssistPwd", "userPwd": "liveRoomUserPwd"}
        self.values |= {prefix + name: mine[key] for name, key in names.items()}

    async def go_live(self) -> None:
        name, password = str(self.values["room"]), self.values["anchorPwd"]
        assert await self.box.callback("publish", 1, name, f"pwd={password}") == 204
        self.box.nginx.put(1, name, publishing=True, timestamp=40)
        await self.box.settle()

    async def watch(self) -> None:
        name, password = str(self.values["room"]), self.values["userPwd"]
        assert await self.box.callback("play", 2, name, f"pwd={password}") == 204
        self.box.nginx.put(2, name)
        await self.box.settle()

    async def ask(self, api: str, **fields: Any) -> None:
        reply = await self.box.api(api, **self.filled(fields))
        assert reply["status"] == 10000, reply

    async def webhook(self, url: str) -> None:
        made = await self.box.api("AddWebhook", sessionId=self.values["ann"], url=url)
        self.values["webhook"] = made["webhookId"]

    async def post(self) -> None:
        await self.box.running.courier.step()
        await self.box.running.courier.rest()

    async def code(self) -> None:
        await self.ask("AuthCode", phone=PHONES["ann"])
        code = self.box.postbox.messages[-1].secret
        self.values |= {"code": code, "wrongCode": f"{(int(code) + 1) % 10**6:06d}"}

    async def picture(self) -> None:
        reply = await self.box.api(
            "ModifyUserHeadPic", sessionId=self.values["ann"], headPic=pictures.sent(pictures.encoded("PNG"))
        )
        self.values["picture"] = reply["headPicId"]

    def filled(self, told: Any) -> Any:
        """`told` with values for its placeholders."""
        match told:
            case str() if told.startswith("$"):
                return self.values[told[1:]]
            case {"$times": [text, times]}:
                return text * times
            case {"$text": value}:
                return str(self.filled(value))
            case dict():
                return {key: self.filled(value) for key, value in told.items()}
            case list():
                return [self.filled(each) for each in told]
        return told

    def agrees(self, wanted: Any, found: Any) -> None:
        match wanted:
            case "$some text":
                assert isinstance(found, str) and found
            case "$some number":
                assert isinstance(found, int)
            case {"$begins": beginning}:
                assert found.startswith(self.filled(beginning))
            case {"$times": _} | {"$text": _}:
                assert found == self.filled(wanted)
            case dict():
                for key, value in wanted.items():
                    self.agrees(value, found[key])
            case list():
                assert len(found) == len(wanted)
                for each, other in zip(wanted, found, strict=True):
                    self.agrees(each, other)
            case _:
                assert found == self.filled(wanted)


GIVEN: dict[str, Callable[[Scene], Awaitable[Any]]] = {
    "ann": lambda scene: scene.person("ann"),
    "bob": lambda scene: scene.person("bob"),
    "cid": lambda scene: scene.person("cid"),
    "ann's room": lambda scene: scene.room(
        "ann", "", liveRoomName="Ann's garden", liveRoomTopic="Roses", liveRoomDesc="Green and quiet"
    ),
    "ann's private room": lambda scene: scene.room(
        "ann",
        "",
        liveRoomName="Ann's garden",
        liveRoomAnchorPwd="anchor-1",
        liveRoomAssistPwd="assist-1",
        liveRoomUserPwd="viewer-1",
    ),
    "bob's room": lambda scene: scene.room("bob", "bobs-", liveRoomName="Bob's den", liveRoomTopic="Chess"),
    "ann is live": Scene.go_live,
    "somebody watches": Scene.watch,
    "bob follows ann's room": lambda scene: scene.ask(
        "FollowLiveRoom", sessionId="$bob", liveRoomId="$room", isFollow=1
    ),
    "bob is banned": lambda scene: scene.ask("BanUser", sessionId="$ann", liveRoomId="$room", userId=2, status=1),
    "bob is muted": lambda scene: scene.ask("MuteUser", sessionId="$ann", liveRoomId="$room", userId=2, status=1),
    "ann's chat is slow": lambda scene: scene.ask("SetChat", sessionId="$ann", liveRoomId="$room", slowSeconds=10),
    "spam is muted": lambda scene: scene.ask("SetChat", sessionId="$ann", liveRoomId="$room", mutedWords=["spam"]),
    "a webhook": lambda scene: scene.webhook("https://app.example/hooks"),
    "a webhook that leads nowhere": lambda scene: scene.webhook("https://nowhere.example/"),
    "webhooks are posted": lambda scene: scene.post(),
    "ann is told in a browser": lambda scene: scene.ask(
        "AddPushSubscription",
        sessionId="$ann",
        endpoint="https://push.example/a",
        p256dh=PUSH_KEY,
        auth="BTBZMqHH6r4Tts7J_aSIgg",
    ),
    "bob says three things": lambda scene: says(scene, "one", "two", "three"),
    "ann has a picture": Scene.picture,
    "a code for ann": Scene.code,
    "an hour": lambda scene: passes(scene, 3600),
    "an hour and a second": lambda scene: passes(scene, 3601),
    "ten minutes and a second": lambda scene: passes(scene, 601),
    "ten minutes": lambda scene: passes(scene, 600),
}


async def passes(scene: Scene, seconds: float) -> None:
    scene.box.clock.advance(seconds)


async def says(scene: Scene, *texts: str) -> None:
    for text in texts:
        await scene.ask("SendRoomMessage", sessionId="$bob", liveRoomId="$room", text=text)


VALUES: dict[str, Any] = {
    "jpeg": pictures.sent(pictures.encoded("JPEG")),
    "png": pictures.sent(pictures.encoded("PNG", mode="RGBA")),
    "gif": pictures.sent(pictures.moving()),
    "webp": pictures.sent(pictures.encoded("WEBP")),
    "bmp": pictures.sent(pictures.encoded("BMP")),
    "half": pictures.sent(pictures.camera()[:200]),
}


async def play(case: Case, box: Box) -> None:
    """Raises AssertionError where a reply is not as the case tells."""
    scene = Scene(box, dict(VALUES))
    told = case.told
    for name in told.get("given", []):
        await GIVEN[name](scene)
    check(scene, case.api, told, await send(scene, case.api, told))
    for step in told.get("then", []):
        check(scene, step["api"], step, await send(scene, step["api"], step))


async def send(scene: Scene, api: str, told: dict[str, Any]) -> httpx.Response:
    path, headers = f"/live/{api}", told.get("headers", {})
    if api == "GetUserHeadPic":
        return await scene.box.http.get(path, params=scene.filled(told["request"]), headers=headers)
    body = told["raw"].encode() if "raw" in told else orjson.dumps(scene.filled(told["request"]))
    return await scene.box.http.post(path, content=body, headers=headers)


def check(scene: Scene, api: str, told: dict[str, Any], answer: httpx.Response) -> None:
    assert answer.status_code == 200
    if "picture" in told:
        assert answer.headers["content-type"] == told["picture"]
        return
    reply = answer.json()
    wanted = told["reply"]
    assert reply["status"] == wanted["status"], reply
    assert list(reply)[:3] == HEAD
    assert reply["access"] == f"/live/{api}"
    text = TEXTS[reply["status"]]
    assert reply["desc"] == text or reply["desc"].startswith(f"{text}: ")
    assert answer.headers["content-type"] == "application/json"
    assert described.faults(described.answers(api), reply) == []
    if "keys" in told:
        assert list(reply) == HEAD + told["keys"]
    scene.agrees(wanted, reply)
