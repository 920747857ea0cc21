"""One POST to a webhook. The name is looked up here, and what is connected to is the address that was looked at, so
that no answer of a name server's leads anywhere else; no redirect is followed, and an answer's body is not read."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from control.clock import Clock
from control.webhooks.destinations import allowed

TIMEOUT = 10.0  # seconds that all of one POST may take
LOOKUPS = 8  # names that are looked up at a time: some are slow on purpose
BODY = 65536  # bytes of an answer that are passed over, to use the connection again; one with more is closed


@dataclass(frozen=True, slots=True)
class Result:
    status: int
    """HTTP; 0: there was no answer."""
    failure: str
    """"" where it was taken: any 2xx."""
    seconds: float


class Internet(Protocol):
    """What lies outside; tests put another in its place."""

    async def addresses(self, host: str, port: int) -> list[str]:
        """Raises OSError for a name that leads nowhere."""
        ...

    def transport(self) -> httpx.AsyncBaseTransport: ...


@dataclass
class RealInternet:
    _lookups: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(LOOKUPS, "lookup"))
    # Once: to read the authorities' certificates takes longer than all else.
    _tls: ssl.SSLContext = field(default_factory=httpx.create_ssl_context)

    async def addresses(self, host: str, port: int) -> list[str]:
        def found() -> list[str]:
            return [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

        return await asyncio.get_running_loop().run_in_executor(self._lookups, found)

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False)


class Line:
    """To one webhook, over one connection as long as that lasts."""

    def __init__(self, *, url: httpx.URL, internet: Internet, private: bool, clock: Clock) -> None:
        self._url = url
        self._host = url.raw_host.decode("ascii")
        self._internet = internet
        self._private = private
        self._clock = clock
        self._stack = AsyncExitStack()
        self._client: httpx.AsyncClient | None = None
        self._address = ""

    async def post(self, headers: Mapping[str, str], body: bytes, url: httpx.URL | None = None) -> Result:
        """`url`: another one of the same host and port."""
        began = self._clock.ticks()
        status, failure = 0, ""
        try:
            async with self._clock.within(TIMEOUT):
                status = await self._post(url or self._url, headers, body)
        except TimeoutError:
            failure = "no answer in time"
        except httpx.HTTPError as problem:
            failure = _in_words(problem)
        except (OSError, UnicodeError):
            failure = "no such host"
        except _Private:
            failure = "a private address"
        if status and not 200 <= status < 300:
            failure = f"HTTP {status}"
        return Result(status, failure, self._clock.ticks() - began)

    async def _post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> int:
        if self._client is None:
            found = await self._internet.addresses(self._host, self._url.port or _port(self._url))
            self._address = allowed(found, self._private)
            if not self._address:
                raise _Private
            transport = self._internet.transport()
            self._client = await self._stack.enter_async_context(
                httpx.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False)
            )
        request = self._client.build_request(
            "POST",
            url.copy_with(host=self._address),
            headers={**headers, "Host": self._url.netloc.decode("ascii")},
            content=body,
            extensions={"sni_hostname": self._host},
        )
        response = await self._client.send(request, stream=True)
        try:
            passed = 0
            async for part in response.aiter_raw():
                passed += len(part)
                if passed > BODY:
                    break
        finally:
            await response.aclose()
        return response.status_code

    async def close(self) -> None:
        await self._stack.aclose()


class _Private(Exception):
    """No address of the host may be connected to."""


@dataclass(frozen=True)
class Poster:
    internet: Internet
    private: bool
    """Whether private addresses may be posted to."""
    clock: Clock

    @asynccontextmanager
    async def line(self, url: httpx.URL) -> AsyncIterator[Line]:
        line = Line(url=url, internet=self.internet, private=self.private, clock=self.clock)
        try:
            yield line
        finally:
            await line.close()


def _port(url: httpx.URL) -> int:
    return 443 if url.scheme == "https" else 80


def _in_words(problem: httpx.HTTPError) -> str:
    """Without the URL, which may hold a secret of the receiver's."""
    match problem:
        case httpx.TimeoutException():
            return "no answer in time"
        case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(problem):
            return "its certificate is not valid"
        case httpx.ConnectError():
            return "not reached"
    return "the connection broke"
