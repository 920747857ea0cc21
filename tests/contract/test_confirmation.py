"""The seed's ModifyUserPwd, {phone, password}: nothing changes until the phone's holder has confirmed it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.people import Person, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio
DONE, GONE, WRONG = [
    {"confirmed": confirmed, "wrong": wrong} for confirmed, wrong in ((True, False), (False, False), (False, True))
]


async def link_for(ann: Person, password: str = "changed1") -> str:
    """The token of the link that goes out."""
    reply = await ann.box.api("ModifyUserPwd", phone=ann.phone, password=password)
    assert reply["status"] == 10000
    return ann.box.postbox.messages[-1].secret.partition("#")[2]


async def posted(box: Box, path: str, **fields: Any) -> dict[str, Any]:
    """The answer. Where it waits for the clock, that moves."""
    answer = await box.clock.steps(0.5, box.http.post(path, json=fields))
    assert answer.status_code == 200
    reply: dict[str, Any] = answer.json()
    return reply


async def test_the_link_goes_to_the_phones_holder(box: Box) -> None:
    ann = await person(box)
    token = await link_for(ann)
    [message] = box.postbox.messages
    assert (message.kind, message.phone, message.account) == ("link", "+86" + ann.phone, "ann")
    assert message.secret == f"http://localhost:8080/confirm#{token}"
    assert len(token) == 32


async def test_the_password_waits_until_it_is_confirmed(box: Box) -> None:
    ann = await person(box)
    token = await link_for(ann)
    assert (await ann.logs_in("secret-1"), await ann.logs_in("changed1")) == (10000, 10101)
    assert await posted(box, "/confirm", token=token, password="changed1") == DONE
    assert (await ann.logs_in("secret-1"), await ann.logs_in("changed1")) == (10101, 10000)


async def test_every_session_ends_when_it_is_confirmed(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    token = await link_for(ann)
    assert await ann.is_logged_in()
    await posted(box, "/confirm", token=token, password="changed1")
    assert (await ann.is_logged_in(), await bob.is_logged_in()) == (False, True)


async def test_opening_the_link_changes_nothing(box: Box) -> None:
    ann = await person(box)
    token = await link_for(ann)
    page = await box.http.get("/confirm")
    assert (page.status_code, page.headers["referrer-policy"]) == (200, "no-referrer")
    assert await posted(box, "/confirm/ask", token=token) == {"account": "ann"}
    assert await ann.logs_in("changed1") == 10101


async def test_a_strangers_password_is_not_confirmed_by_a_click(box: Box) -> None:
    ann = await person(box)
    token = await link_for(ann, "a stranger's")
    for password in ("", "secret-1", "what ann would like", "x" * 10_000):
        assert await posted(box, "/confirm", token=token, password=password) == WRONG
    assert (await ann.logs_in("secret-1"), await ann.logs_in("a stranger's")) == (10000, 10101)


async def test_the_pending_password_cannot_be_guessed_by_who_has_the_link(box: Box) -> None:
    ann = await person(box)
    token = await link_for(ann)
    tried = [await posted(box, "/confirm", token=token, password=f"guess-{number}") for number in range(10)]
    assert tried == [WRONG] * 10
    answer = await box.http.post("/confirm", json={"token": token, "password": "changed1"})
    assert (answer.status_code, answer.json()) == (429, GONE)
    assert await ann.logs_in("changed1") == 10101


async def test_a_link_is_good_once(box: Box) -> None:
    ann = await person(box)
    token = await link_for(ann)
    await posted(box, "/confirm", token=token, password="changed1")
    assert await posted(box, "/confirm/ask", token=token) == {"account": None}
    assert await posted(box, "/confirm", token=token, password="changed1") == GONE


async def test_a_link_holds_for_ten_minutes(box: Box) -> None:
    ann = await person(box)
    token = await link_for(ann)
    box.clock.advance(599)
    assert await posted(box, "/confirm/ask", token=token) == {"account": "ann"}
    box.clock.advance(1)
    assert await posted(box, "/confirm/ask", token=token) == {"account": None}
    assert await posted(box, "/confirm", token=token, password="changed1") == GONE
    assert await ann.logs_in("secret-1") == 10000


async def test_of_two_links_the_one_that_is_confirmed_voids_the_other(box: Box) -> None:
    ann = await person(box)
    first, second = await link_for(ann, "changed1"), await link_for(ann, "changed2")
    assert await posted(box, "/confirm", token=first, password="changed1") == DONE
    assert await posted(box, "/confirm", token=second, password="changed2") == GONE
    assert await ann.logs_in("changed1") == 10000


async def test_a_change_by_session_voids_a_link(box: Box) -> None:
    ann = await person(box)
    token = await link_for(ann)
    await ann.does("ModifyUserPwd", phone=ann.phone, password="changed2")
    assert await posted(box, "/confirm", token=token, password="changed1") == GONE


@pytest.mark.parametrize("token", ["", "x" * 32, None, 7, ["a"], {"a": 1}, "\0", "%", "x" * 10_000])
async def test_what_is_no_token_confirms_nothing(box: Box, token: Any) -> None:
    ann = await person(box)
    await link_for(ann)
    assert await posted(box, "/confirm/ask", token=token) == {"account": None}
    assert await posted(box, "/confirm", token=token, password="changed1") == GONE


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"token=x", b'{"token": "\\ud800"}', b"\xff"])
async def test_what_is_no_json_object_confirms_nothing(box: Box, body: bytes) -> None:
    for path, answer in {"/confirm/ask": {"account": None}, "/confirm": GONE}.items():
        assert (await box.http.post(path, content=body)).json() == answer
