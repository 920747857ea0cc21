from __future__ import annotations

import httpx
import pytest

from control.nginx_rtmp.control import ControlError, RtmpControl

pytestmark = pytest.mark.anyio


class Nginx:
    """Has but one /control, under `path`."""

    def __init__(
        self, status: int = 200, text: str = "1", failure: Exception | None = None, path: str = "/s1/control"
    ) -> None:
        self.asked: list[httpx.URL] = []
        self._answer = status, text, failure
        self._path = path

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        status, text, failure = self._answer
        if failure:
            raise failure
        if request.url.path != f"{self._path}/drop/client":
            return httpx.Response(404)
        return httpx.Response(status, text=text)


async def drop(nginx: Nginx, client: int = 7) -> bool:
    async with httpx.AsyncClient(transport=httpx.MockTransport(nginx), base_url="http://nginx") as http:
        return await RtmpControl(http).drop("s1", client)


@pytest.mark.parametrize(("said", "dropped"), [("0", False), ("1", True), ("2", True), ("1\n", True)])
async def test_the_count_tells_whether_there_was_such_a_client(said: str, dropped: bool) -> None:
    assert await drop(Nginx(text=said)) is dropped


@pytest.mark.parametrize("client", [0, 7, 2**63])
async def test_one_client_is_named(client: int) -> None:
    nginx = Nginx()
    await drop(nginx, client)
    (url,) = nginx.asked
    assert url.path == "/s1/control/drop/client"
    assert dict(url.params) == {"app": "live", "clientid": str(client)}


async def test_a_client_of_an_nginx_that_is_no_more_is_not_there() -> None:
    assert not await drop(Nginx(path="/s2/control"))


async def test_an_nginx_that_an_earlier_release_started_is_asked_as_it_was() -> None:
    assert await drop(Nginx(path="/control"))


@pytest.mark.parametrize("client", ["", "x", None])
async def test_without_a_client_nobody_is_dropped(client: object) -> None:
    nginx = Nginx()
    with pytest.raises((ValueError, TypeError, ControlError)):
        await drop(nginx, client)  # type: ignore[arg-type]
    assert nginx.asked == []


@pytest.mark.parametrize(
    "nginx",
    [
        pytest.param(Nginx(500), id="500"),
        pytest.param(Nginx(302), id="302"),
        pytest.param(Nginx(text=""), id="no count"),
        pytest.param(Nginx(text="<html>"), id="no number"),
        pytest.param(Nginx(failure=httpx.ConnectError("refused")), id="refused"),
        pytest.param(Nginx(failure=httpx.ReadTimeout("slow")), id="slow"),
    ],
)
async def test_an_nginx_that_does_not_answer_is_an_error(nginx: Nginx) -> None:
    with pytest.raises(ControlError):
        await drop(nginx)
