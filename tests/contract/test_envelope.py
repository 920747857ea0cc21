from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from control.api import uploads
from control.api.bodies import ARRIVAL, BODY, PIECES
from control.api.envelope import UPLOAD
from control.storage.database import Store
from tests.support.people import person
from tests.support.world import Box

pytestmark = pytest.mark.anyio

LOGIN = b'{"account": "ann", "password": "secret-1"}'
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


@pytest.mark.parametrize("path", ["/live/Login", "/web/Login", "/confirm", "/confirm/ask"])
async def test_a_body_that_drips_is_given_up(box: Box, path: str) -> None:
    async def drops() -> AsyncIterator[bytes]:
        yield b"{"
        for _ in range(3):
            await box.clock.sleep(ARRIVAL / 2)
            yield b" "

    asked = box.http.post(path, content=drops(), headers={"x-qplus-page": "1"})
    assert (await box.clock.steps(ARRIVAL / 4, asked)).status_code == 408


@pytest.mark.parametrize("path", ["/live/Login", "/web/Login", "/confirm", "/confirm/ask"])
async def test_a_body_comes_in_so_many_pieces(box: Box, path: str) -> None:
    async def pieces(number: int) -> AsyncIterator[bytes]:
        yield b"{}"
        for _ in range(number - 1):
            yield b" "

    for number, status in ((PIECES - 1, 200), (PIECES + 1, 408)):
        answer = await box.http.post(path, content=pieces(number), headers={"x-qplus-page": "1"})
        assert answer.status_code == status


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf" + LOGIN, b"\xef\xbb\xbf\r\n" + LOGIN + b"\r\n\t "])
async def test_a_byte_order_mark_and_blanks_do_no_harm(box: Box, body: bytes) -> None:
    await person(box)
    assert (await box.http.post("/live/Login", content=body)).json()["status"] == 10000


@pytest.mark.parametrize("body", [LOGIN.decode().encode("utf-16"), b'{"account": "\xff\xfe"}', b"[" * 60_000, b"\0"])
async def test_bytes_that_are_no_utf8_json_are_a_wrong_parameter(box: Box, body: bytes) -> None:
    answer = await box.http.post("/live/Login", content=body)
    assert (answer.status_code, answer.json()["status"]) == (200, 10002)


@pytest.mark.parametrize(("api", "most"), [("Login", BODY), (UPLOAD, uploads.BODY)])
async def test_a_body_has_a_limit_by_api(box: Box, api: str, most: int) -> None:
    await person(box)
    fits = await box.http.post(f"/live/{api}", content=LOGIN + b" " * (most - len(LOGIN)))
    assert (fits.status_code, fits.json()["status"]) == (200, 10000 if api == "Login" else 10003)
    assert (await box.http.post(f"/live/{api}", content=LOGIN + b" " * most)).status_code == 413


@pytest.mark.parametrize("values", [b"[]," * 1_000_000, b"0," * 2_000_000, b"[" * 8_000_000, b'{"a":' * 1_000_000])
async def test_a_large_body_is_no_way_to_send_many_values(box: Box, values: bytes) -> None:
    answer = await box.http.post("/live/ModifyUserHeadPic", content=b'{"headPic":[' + values + b"0]}")
    assert answer.json()["status"] == 10002


@pytest.mark.parametrize("values", [b"[]," * 20_000, b"0," * 5_001, b"[" * 60_000, b'{"a":' * 12_000])
async def test_a_body_is_no_way_to_send_many_values(box: Box, values: bytes) -> None:
    answer = await box.http.post("/live/Login", content=b'{"account":[' + values + b"0]}")
    assert (answer.status_code, answer.json()["status"]) == (200, 10002)


async def test_texts_may_hold_as_many_commas_as_letters(box: Box) -> None:
    ann = await person(box)
    await ann.opens(name="," * 64, liveRoomTopic="[" * 256, liveRoomDesc="{" * 2000)


@pytest.mark.parametrize("number", ["1" + "0" * 18, "9" * 60_000, "1e400", "-1" + "0" * 18, "18446744073709551615"])
async def test_a_number_that_is_far_off_does_no_harm(box: Box, number: str) -> None:
    ann = await person(box)
    for form in (number, f'"{number}"'):
        content = f'{{"sessionId": "{ann.session}", "type": 1, "count": {form}}}'
        assert (await box.http.post("/live/GetLiveRoomList", content=content)).json()["status"] in (10000, 10002)


async def test_no_cache_keeps_an_answer(box: Box) -> None:
    for path in ("/live/Login", "/live/GetMyLiveRoom", "/web/WhoAmI"):
        answer = await box.http.post(path, content=LOGIN, headers={"x-qplus-page": "1"})
        assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


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
