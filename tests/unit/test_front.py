"""What the web nginx takes from clients, and passes on of them."""

from __future__ import annotations

import http.client
import re
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from control.settings import Settings
from control.supervisor import folders
from tests.e2e.ports import free_ports
from tests.support.front import Front, front

BURST = 1000
"""API requests that an address may make at once, or HLS questions and some more."""


@contextmanager
def started(**more: Any) -> Iterator[Front]:
    # Not below tmp_path, whose name may be too long for a socket's.
    with tempfile.TemporaryDirectory(prefix="qplus-") as short:
        base = Path(short)
        made = Settings(data_dir=base / "data", socket_dir=str(base / "sockets"), http_port=free_ports(1)[0], **more)
        with folders.locked(made):
            folders.prepare_sockets(made)
            folders.prepare_hls(made)
            base.chmod(0o711)  # nginx's workers are another user
            with front(made) as nginx:
                yield nginx


@pytest.fixture(scope="module")
def web() -> Iterator[Front]:
    with started() as nginx:
        yield nginx


@pytest.fixture(scope="module")
def behind() -> Iterator[Front]:
    """Behind a proxy on this machine."""
    with started(trusted_proxies="127.0.0.1, 2001:db8::/32", address_requests=1) as nginx:
        yield nginx


@pytest.fixture(scope="module")
def told_by_protocol() -> Iterator[Front]:
    with started(trusted_proxies="127.0.0.1", proxy_protocol="on") as nginx:
        yield nginx


def flood(web: Front, path: str, count: int, **headers: str) -> list[int]:
    """The statuses of so many requests, as fast as they go."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def some(share: int) -> list[int]:
        connection = web.connection()
        statuses = []
        for number in range(share):
            connection.request("GET", path.format(number=f"{share}x{number}"), headers=named)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(4) as pool:
        return [status for part in pool.map(some, [count // 4 + each for each in range(4)]) for status in part]


# --- who asks


def test_what_a_client_says_of_its_address_is_not_believed(web: Front) -> None:
    seen = web.seen(X_Forwarded_For="198.51.100.7", X_Forwarded_Proto="https")
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "http")


def test_a_trusted_proxy_is_believed(behind: Front) -> None:
    seen = behind.seen(X_Forwarded_For="198.51.100.7", X_Forwarded_Proto="https")
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("198.51.100.7", "https")


@pytest.mark.parametrize("claim", ["203.0.113.1, 198.51.100.7", "198.51.100.7, 2001:db8::9", "junk, 198.51.100.7"])
def test_of_a_row_of_addresses_the_last_that_is_no_proxys_counts(behind: Front, claim: str) -> None:
    assert behind.seen(X_Forwarded_For=claim)["x-forwarded-for"] == "198.51.100.7"


@pytest.mark.parametrize("claim", ["gopher", "https, http", ""])
def test_a_proxys_scheme_is_http_or_https(behind: Front, claim: str) -> None:
    assert behind.seen(X_Forwarded_For="198.51.100.7", X_Forwarded_Proto=claim)["x-forwarded-proto"] == "http"


def test_who_is_no_proxy_is_not_believed_where_there_is_one(behind: Front) -> None:
    status, text, _ = behind.ask("/live/Login", source="127.0.0.9", X_Forwarded_For="198.51.100.7")
    assert status == 200 and '"x-forwarded-for": "127.0.0.9"' in text


@pytest.mark.parametrize(("source", "believed"), [("127.0.0.1", "198.51.100.7"), ("127.0.0.9", "127.0.0.9")])
def test_proxy_protocol_is_believed_from_a_trusted_proxy(told_by_protocol: Front, source: str, believed: str) -> None:
    line = b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 80\r\n"
    with told_by_protocol.raw(line + b"GET /live/Login HTTP/1.0\r\n\r\n", source) as opened:
        answer = http.client.HTTPResponse(opened)
        answer.begin()
        assert f'"x-forwarded-for": "{believed}"' in answer.read().decode()


# --- what they may ask for


def test_an_address_has_so_many_requests_and_another_has_its_own(behind: Front) -> None:
    statuses = flood(behind, "/live/Login", BURST + 400, X_Forwarded_For="198.51.100.1")
    assert statuses.count(200) < BURST + 100
    assert set(statuses) == {200, 429}
    assert behind.ask("/live/Login", X_Forwarded_For="198.51.100.2")[0] == 200
    assert behind.ask("/", "GET", X_Forwarded_For="198.51.100.1")[0] == 200  # a page is no API
    refused = (behind.ask("/live/Login", X_Forwarded_For="198.51.100.1") for _ in range(20))
    _, _, headers = next(answer for answer in refused if answer[0] == 429)
    assert (headers["Retry-After"], headers["Cache-Control"]) == ("1", "no-store")


def test_the_addresses_of_one_ipv6_network_count_as_one(behind: Front) -> None:
    flood(behind, "/live/Login", BURST + 400, X_Forwarded_For="2001:db9:1:2:a::1")
    assert 429 in flood(behind, "/live/Login", 20, X_Forwarded_For="2001:db9:1:2:ffff::9")
    assert behind.ask("/live/Login", X_Forwarded_For="2001:db9:1:3::1")[0] == 200


def test_the_addresses_of_one_ipv6_line_have_so_many_open(behind: Front) -> None:
    with ExitStack() as stack:
        for number in range(1100):  # of which 1000 are waited for, and of none of the /64s over 220
            head = f"POST /live/Login HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 2001:db9:5:{number % 5}::1\r\n"
            stack.enter_context(behind.raw(head.encode() + b"Content-Length: 60000\r\n\r\n{"))

        def status(address: str) -> int:
            return behind.ask("/live/Login", X_Forwarded_For=address)[0]

        assert 429 in (status("2001:db9:5:ffff::1") for _ in range(500))
        assert {status(each) for each in ("2001:db9:6::1", "198.51.100.20", "::ffff:198.51.100.21")} == {200}


def test_chunks_without_content_are_not_waited_for(web: Front) -> None:
    for path, status in {"/hls/t/1/index.m3u8": b"411", "/hls/t/1/1.ts": b"403", "/": b"200"}.items():
        with web.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a".encode()) as opened:
            assert opened.recv(4096).split()[1] == status


def test_bodies_that_do_not_come_shut_out_nobody_else(web: Front) -> None:
    head = b"POST /live/Login HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{"
    with ExitStack() as stack:
        for _ in range(300):  # of which 250 are waited for
            stack.enter_context(web.raw(head, "127.0.0.3"))
        assert 429 in (web.ask("/live/Login", source="127.0.0.3")[0] for _ in range(500))
        assert web.ask("/live/Login", source="127.0.0.4")[0] == 200
        assert list((folders.temp(web.settings, "web") / "body").rglob("*.*")) == []


def test_pictures_that_do_not_come_hold_no_file(web: Front) -> None:
    head = b"POST /live/ModifyUserHeadPic HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n" + b"x" * 60_000
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(web.raw(head, "127.0.0.5"))
        assert web.ask("/live/ModifyUserHeadPic", source="127.0.0.6")[0] == 200
        kept = folders.temp(web.settings, "web")
        assert sum(file.stat().st_size for file in kept.rglob("*") if file.is_file()) < 100_000


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/live/Login", 64 * 2**10, 200),
        ("/live/Login", 64 * 2**10 + 1, 413),
        ("/web/Login", 64 * 2**10 + 1, 413),
        ("/live/ModifyUserHeadPic", 8 * 2**20, 200),
        ("/web/ModifyUserHeadPic", 8 * 2**20, 200),
        ("/live/ModifyUserHeadPic", 8 * 2**20 + 1, 413),
        ("/live/ModifyUserHeadPic/", 64 * 2**10 + 1, 413),
        ("/confirm", 64 * 2**10, 200),
        ("/confirm/ask", 64 * 2**10 + 1, 413),
        ("/", 2, 413),
        ("/static/common.js", 2, 413),
        ("/events", 2, 413),
        ("/alive", 2, 413),
        ("/hls/t/1/index.m3u8", 2, 413),
        ("/hls/t/1/1.ts", 2, 413),
    ],
)
def test_a_body_has_a_limit_by_path(web: Front, path: str, size: int, status: int) -> None:
    try:
        assert web.ask(path, body=b" " * size)[0] == status
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413  # nginx did not wait for the rest


# --- HLS


def test_tickets_that_are_made_up_leave_no_file(web: Front) -> None:
    statuses = flood(web, "/hls/made-up-{number}/1000001/index.m3u8", 500)
    assert set(statuses) == {403}
    assert [file for file in (folders.temp(web.settings, "web") / "verdicts").rglob("*") if file.is_file()] == []


def test_tickets_that_are_made_up_cost_others_nothing(behind: Front) -> None:
    folder = folders.hls(behind.settings) / "1000002"
    folder.mkdir()
    (folder / "1.ts").write_bytes(b"G")
    behind.verdicts.of_tickets["real"] = {}
    asked = len(behind.verdicts.networks)
    statuses = flood(behind, "/hls/made-up-{number}/1000001/index.m3u8", 3000, X_Forwarded_For="198.51.100.3")
    assert set(statuses) == {403, 503}
    assert len(behind.verdicts.networks) - asked < 2900
    # Also who watches from the same address, once let in, however long that was ago.
    for source in ("198.51.100.4", "198.51.100.3"):
        assert behind.ask("/hls/real/1000002/1.ts", "GET", X_Forwarded_For=source)[0] == 200


def test_who_may_watch_no_more_is_out_also_beside_a_flood_from_their_address(behind: Front) -> None:
    folder = folders.hls(behind.settings) / "1000003"
    folder.mkdir()
    (folder / "1.ts").write_bytes(b"G")
    behind.verdicts.of_tickets["revoked"] = {}

    def status() -> int:
        return behind.ask("/hls/revoked/1000003/1.ts", "GET", X_Forwarded_For="198.51.100.5")[0]

    assert status() == 200
    del behind.verdicts.of_tickets["revoked"]
    deadline = time.monotonic() + 5
    while status() != 403:
        assert time.monotonic() < deadline
        flood(behind, "/hls/made-up-{number}/1000001/index.m3u8", 700, X_Forwarded_For="198.51.100.5")


def test_questions_name_the_network(behind: Front) -> None:
    for number, (address, counts_as) in enumerate(
        {
            "198.51.100.9": "198.51.100.9",
            "2001:db9:1:2:3:4:5:6": "20010db900010002",
            "::ffff:198.51.100.9": "c6336409",
        }.items()
    ):
        behind.ask(f"/hls/whose-{number}/1/index.m3u8", "GET", X_Forwarded_For=address)
        assert behind.verdicts.networks[-1] == counts_as


# --- what answers say


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/live/Login", "POST"),
        ("/", "GET"),
        ("/static/common.js", "GET"),
        ("/alive", "GET"),
        ("/events", "GET"),
        ("/hls/t/1/index.m3u8", "GET"),
        ("/hls/t/1/1.ts", "GET"),
        ("/hls-verdict", "GET"),
        ("/%00", "GET"),
        ("/", "TRACE"),
    ],
)
def test_no_browser_guesses_what_an_answer_is(web: Front, path: str, method: str) -> None:
    _, _, headers = web.ask(path, method, b"")
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]


def test_errors_of_nginx_say_so_too(web: Front) -> None:
    for content in (b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n"):
        with web.raw(content) as opened:
            text = opened.recv(4096).decode()
        assert re.match(r"HTTP/1\.1 4\d\d ", text)
        assert "X-Content-Type-Options: nosniff" in text
