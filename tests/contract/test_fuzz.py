"""Bodies that nobody would write, 20000 of them: none is a fault of ours, every answer is a number of the contract."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import hypothesis
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from control.api.requests import PUSH_KEY
from control.api.statuses import Status
from control.routes import APIS
from control.settings import Settings
from tests.support import pictures, world
from tests.support.people import Person, go_live, person
from tests.support.world import Box

TOGETHER = 10  # bodies drawn at once, which is quicker
NUMBERS = {status.number for status in Status} - {10001, 10106}

PASSWORDS = ["secret-1", "secret2", "12345"]
PHONES = ["13500000001", "13500000002", "+8613500000001", "13500000099", "+12345678"]
NOBODYS = "13500009999"
ROOM_PASSWORDS = ["", "viewer-1", "anchor-1", "~_~.", "abc"]
ROOM_IDS = [0, 1000001, 1000002, "1000001", 2**31 - 1]
NAMES = ["", "a room", "房间", "Ann", "👨‍👩‍👧"]
SWITCH = [0, 1, "1"]
ROOM = {
    "liveRoomName": NAMES,
    "liveRoomDesc": NAMES,
    "liveRoomTopic": NAMES,
    "liveRoomAnchorPwd": ROOM_PASSWORDS,
    "liveRoomAssistPwd": ROOM_PASSWORDS,
    "liveRoomUserPwd": ROOM_PASSWORDS,
}
URLS = ["https://app.example/hooks", "https://[::1]/", "http://app.example", "https://ann@app.example", "//x", "*"]
EVENTS = [None, [], ["room.live"], ["viewer.joined"], ["room"]]
SEARCH = {"keyword": ["room", "房", "ann", "1000001", 1000002]}
FIELDS: dict[str, dict[str, list[Any]]] = {
    "Login": {"account": ["ann", "bob", "cid", "ann@example.com", *PHONES], "password": PASSWORDS},
    "Register": {
        "account": ["ann", "cid", "dora", "张三丰"],
        "phone": PHONES,
        "email": ["", "ann@example.com"],
        "password": PASSWORDS,
    },
    "ModifyUserPwd": {"phone": PHONES, "password": PASSWORDS, "authCode": ["", "", "123456"], "oldPassword": PASSWORDS},
    "LogOut": {"everywhere": SWITCH},
    "DeleteMyAccount": {"password": PASSWORDS},
    "GetMySessions": {},
    "EndSession": {"loginId": ["0123456789abcdef", "x"]},
    "AuthCode": {"phone": [*PHONES, NOBODYS]},
    "ModifyUserInfo": {"nickName": NAMES, "sex": [0, 1, 2], "address": NAMES},
    "ModifyUserHeadPic": {"headPic": ["R0lGODlhAQABAAAAACw=", pictures.sent(pictures.encoded("GIF"))]},
    "GetMyLiveRoomId": {},
    "GetMyLiveRoom": {},
    "CreateLiveRoom": ROOM,
    "ModifyMyLiveRoom": {"liveRoomId": ROOM_IDS, "isOpen": SWITCH, **ROOM},
    "PushLiveStream": {"liveRoomId": ROOM_IDS, "status": SWITCH, "timeout": [5, 60, 3600]},
    "GetLiveRoomList": {"type": [1, 2], "refresh": SWITCH, "count": [0, 1, 5, 100]},
    "SearchLiveStream": SEARCH,
    "SearchLiveRoom": SEARCH,
    "FollowLiveRoom": {"liveRoomId": ROOM_IDS, "isFollow": SWITCH},
    "PlayLiveStream": {"liveroomId": ROOM_IDS, "status": SWITCH, "liveRoomUserPwd": ROOM_PASSWORDS},
    "GetLiveroomNumber": {"liveroomId": ROOM_IDS},
    "GetMyLiveSessions": {"count": [0, 1, 20, 100], "before": [0, 1_800_000_000]},
    "GetMyLiveSamples": {"startTime": [0, 1, 1_800_000_000]},
    "GetRoomPlayers": {"liveRoomId": ROOM_IDS, "liveRoomAssistPwd": ROOM_PASSWORDS, "count": [0, 1, 1000]},
    "KickPlayer": {"liveRoomId": ROOM_IDS, "liveRoomAssistPwd": ROOM_PASSWORDS, "playerId": ["hls.2", "local.s.1"]},
    "BanUser": {
        "liveRoomId": ROOM_IDS,
        "liveRoomAssistPwd": ROOM_PASSWORDS,
        "userId": [1, 2, "2", 2**31 - 1],
        "status": SWITCH,
        "timeout": [1, 3600],
    },
    "SendRoomMessage": {"liveRoomId": ROOM_IDS, "text": [*NAMES, "hello"], "ticket": ["", "1.2.3"]},
    "GetRoomMessages": {"liveRoomId": ROOM_IDS, "after": [None, 0, 5], "count": [0, 1, 100], "ticket": ["", "1.2.3"]},
    "DeleteRoomMessage": {"liveRoomId": ROOM_IDS, "liveRoomAssistPwd": ROOM_PASSWORDS, "number": [1, 2, "3"]},
    "MuteUser": {
        "liveRoomId": ROOM_IDS,
        "liveRoomAssistPwd": ROOM_PASSWORDS,
        "userId": [1, 2, "2", 2**31 - 1],
        "status": SWITCH,
        "timeout": [1, 3600],
    },
    "AddWebhook": {"url": URLS, "events": EVENTS},
    "GetMyWebhooks": {},
    "EditWebhook": {"webhookId": [1, 2, "3"], "url": URLS, "events": EVENTS, "isPaused": SWITCH},
    "RemoveWebhook": {"webhookId": [1, 2, "3"]},
    "TestWebhook": {"webhookId": [1, 2, "3"]},
    "ReplayWebhook": {"webhookId": [1, 2, "3"], "after": [0, 1, 10**9]},
    "GetWebhookDeliveries": {"webhookId": [1, 2, "3"], "count": [0, 1, 100]},
    "GetEvents": {"after": [0, 1, 10**9], "count": [0, 1, 1000]},
    "GetMyNotices": {},
    "SetMyNotices": {"byMessage": SWITCH},
    "AddPushSubscription": {"endpoint": URLS, "p256dh": [PUSH_KEY, "AAAA", "*"], "auth": ["BTBZMqHH6r4Tts7J_aSIgg"]},
    "RemovePushSubscription": {"endpoint": URLS},
    "SetChat": {
        "liveRoomId": ROOM_IDS,
        "liveRoomAssistPwd": ROOM_PASSWORDS,
        "slowSeconds": [0, 1, "120"],
        "mutedWords": [[], ["spam"], NAMES],
    },
}

SIGNS = [
    "\0",
    "%",
    "_",
    "'",
    '"',
    "\\",
    "😀",
    "\u202e",
    "\ufeff",
    "\uffff",
    "\u0301",
    "İ",
    "ﬃ",
    "ﷺ",
    "　",
    "٣",
    "\ud800",
]

odd_texts = st.text(max_size=40) | st.sampled_from(SIGNS) | st.sampled_from(SIGNS).map(lambda sign: sign * 1000)
odd_numbers = (
    st.integers()
    | st.integers(0, 70).map(lambda power: 2**power)
    | st.integers(0, 70).map(lambda power: 1 - 2**power)
    | st.integers().map(str)
    | st.floats()
)
anything = st.recursive(
    st.none() | st.booleans() | odd_numbers | odd_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
odd = odd_numbers | odd_texts | anything


def together(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=TOGETHER, max_size=TOGETHER)


def bodies_of(api: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Plausible but for a field or two."""
    plausible = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in FIELDS[api].items()})
    names = st.sampled_from(sorted(FIELDS[api]) or ["sessionID"])
    return st.tuples(st.just(api), st.builds(dict.__or__, plausible, st.dictionaries(names, odd, max_size=2)))


def dumped(value: Any) -> bytes:
    """JSON with integers of any size, NaN, lone surrogates."""
    return json.dumps(value).encode()


apis = st.sampled_from(sorted(APIS))
objects = st.one_of(*(bodies_of(api) for api in sorted(FIELDS)))
raw = st.one_of(
    st.binary(max_size=80),
    anything.map(dumped),
    objects.map(lambda pair: dumped(pair[1])[:-3]),
    st.sampled_from(
        [b'{"sessionId": "\xed\xa0\x80"}', b"{" * 3000, b"[" * 3000, b'{"a":' * 3000, b"1" * 5000, b"1e999"]
    ),
    st.sampled_from(
        [b"-0", b"NaN", b"{}{}", b'{"a":1,}', b"\xef\xbb\xbf", b"\xff\xfe{\0}\0", b'{"a":"\0"}', b" " * 99]
    ),
)


@dataclass
class Target:
    """One control for many bodies. Who is logged in changes whenever a body ends their session."""

    portal: BlockingPortal
    box: Box
    numbers: Iterator[int] = field(default_factory=lambda: count(100))
    who: Person | None = None
    seen: Counter[int] = field(default_factory=Counter)

    def ask(self, api: str, body: bytes) -> None:
        self.portal.call(self._ask, api, body)

    def ask_logged_in(self, api: str, fields: dict[str, Any]) -> None:
        self.portal.call(self._ask_logged_in, api, fields)

    async def _ask(self, api: str, body: bytes) -> int:
        answer = await self.box.http.post(f"/live/{api}", content=body)
        assert answer.status_code == 200
        status = int(answer.json()["status"])
        assert status in NUMBERS
        self.seen[status] += 1
        return status

    async def _ask_logged_in(self, api: str, fields: dict[str, Any]) -> None:
        if self.who is None:
            number = next(self.numbers)
            self.who = await person(self.box, f"user{number}", number)
        own = {"sessionId": self.who.session, "phone": self.who.phone}
        status = await self._ask(api, dumped(own | fields))
        assert status != 10003
        if api in ("ModifyUserPwd", "DeleteMyAccount") and status == 10000:
            self.who = None
        elif api == "LogOut" and status == 10000:
            login = await self.box.api("Login", account=self.who.account, password="secret-1")
            self.who.session = login["sessionId"]


@pytest.fixture
def target(settings: Settings) -> Iterator[Target]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(world.box(replace(settings, guess_limit=0))) as box,
    ):
        portal.call(furnish, box)
        yield Target(portal, box)


async def furnish(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    await go_live(box, await ann.opens(), await bob.opens(liveRoomUserPwd="viewer-1"))


def many(bodies: int) -> hypothesis.settings:
    """The same ones at every run, so that a failure can be seen again."""
    return hypothesis.settings(
        max_examples=bodies // TOGETHER,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def test_every_api_is_asked() -> None:
    assert FIELDS.keys() == APIS.keys()


def test_odd_fields_of_somebody_logged_in_are_no_fault_of_ours(target: Target) -> None:
    @many(8_000)
    @given(asked=together(objects))
    def ask(asked: list[tuple[str, dict[str, Any]]]) -> None:
        for api, fields in asked:
            target.ask_logged_in(api, fields)

    ask()
    assert {10000, 10002, 10200, 10203, 10204, 10300} <= target.seen.keys()


def test_odd_fields_of_anybody_are_no_fault_of_ours(target: Target) -> None:
    @many(8_000)
    @given(asked=together(objects))
    def ask(asked: list[tuple[str, dict[str, Any]]]) -> None:
        for api, fields in asked:
            target.ask(api, dumped(fields))

    ask()
    assert {10000, 10002, 10003, 10100, 10101, 10102, 10103, 10104} <= target.seen.keys()


def test_odd_bytes_are_no_fault_of_ours(target: Target) -> None:
    @many(8_000)
    @given(asked=together(st.tuples(apis, raw)))
    def ask(asked: list[tuple[str, bytes]]) -> None:
        for api, body in asked:
            target.ask(api, body)

    ask()
    assert target.seen.keys() <= {10002, 10003}
