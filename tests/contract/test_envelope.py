from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from control.api.envelope import MAX_BODY
from control.storage.database import Store
from tests.support.people import person
from tests.support.world import Box

pytestmark = pytest.mark.anyio

LOGIN = b'{"account": "ann", "password": "secret1"}'
TYPES = ["", "application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"]


@pytest.mark.parametrize("content_type", TYPES)
async def test_the_body_is_json_whatever_the_header_says(box: Box, content_type: str) -> None:
    await person(box)
    headers = {"content-type": content_type} if content_type else {}
    answer = await box.http.post("/live/Login", content=LOGIN, headers=headers)
    assert answer.json()["status"] == 10000


async def test_a_body_may_come_in_pieces(box: Box) -> None:
    await person(box)

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(len(LOGIN)):
            yield LOGIN[at : at + 1]

    assert (await box.http.post("/live/Login", content=pieces())).json()["status"] == 10000


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf" + LOGIN, b"\xef\xbb\xbf\r\n" + LOGIN + b"\r\n\t "])
async def test_a_byte_order_mark_and_blanks_do_no_harm(box: Box, body: bytes) -> None:
    await person(box)
    assert (await box.http.post("/live/Login", content=body)).json()["status"] == 10000


@pytest.mark.parametrize("body", [LOGIN.decode().encode("utf-16"), b'{"account": "\xff\xfe"}', b"[" * 100_000, b"\0"])
async def test_bytes_that_are_no_utf8_json_are_a_wrong_parameter(box: Box, body: bytes) -> None:
    answer = await box.http.post("/live/Login", content=body)
    assert (answer.status_code, answer.json()["status"]) == (200, 10002)


async def test_a_body_of_8_mib_is_read(box: Box) -> None:
    await person(box)
    body = LOGIN + b" " * (MAX_BODY - len(LOGIN))
    assert (await box.http.post("/live/Login", content=body)).json()["status"] == 10000


async def test_a_body_over_8_mib_is_turned_away(box: Box) -> None:
    answer = await box.http.post("/live/Login", content=LOGIN + b" " * MAX_BODY)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/live/Nothing", 404),
        ("POST", "/live/login", 404),
        ("POST", "/Login", 404),
        ("POST", "/live/Login/", 404),
        ("GET", "/live/Login", 405),
        ("PUT", "/live/Login", 405),
        ("POST", "/live/GetUserHeadPic", 405),
    ],
)
async def test_an_unknown_path_or_method_is_none_of_ours(box: Box, method: str, path: str, status: int) -> None:
    assert (await box.http.request(method, path, content=LOGIN)).status_code == status


async def test_a_fault_of_ours_is_10001_and_tells_nothing(box: Box) -> None:
    ann = await person(box)
    box.postbox.failing = RuntimeError("the gateway burns")
    answer = await box.http.post("/live/AuthCode", json={"phone": ann.phone})
    assert answer.status_code == 200
    assert answer.json() == {"access": "/live/AuthCode", "status": 10001, "desc": "系统异常"}


async def test_a_fault_of_ours_is_logged_with_the_requests_id(box: Box) -> None:
    ann = await person(box)
    box.postbox.failing = RuntimeError("the gateway burns")
    with capture_logs() as lines:
        await box.http.post("/live/AuthCode", json={"phone": ann.phone}, headers={"x-request-id": "7f3a"})
    [line] = lines
    assert (line["event"], line["access"], line["request"]) == ("api failed", "/live/AuthCode", "7f3a")
    assert line["exc_info"]


async def test_a_fault_at_the_one_get_is_10001_too(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the disk burns")

    monkeypatch.setattr(Store, "fetch_one", fail)
    answer = await box.http.get("/live/GetUserHeadPic", params={"id": "1"})
    assert answer.json() == {"access": "/live/GetUserHeadPic", "status": 10001, "desc": "系统异常"}


async def test_after_a_fault_the_next_request_is_served(box: Box) -> None:
    ann = await person(box)
    box.postbox.failing = RuntimeError("the gateway burns")
    await ann.says("AuthCode", phone=ann.phone)
    box.postbox.failing = None
    await ann.does("AuthCode", phone=ann.phone)
