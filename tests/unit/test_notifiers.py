"""Messages go out, and a failure to send says why without their text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
import pytest

from control.accounts.notifiers import Console, Message, Smtp, Webhook, notifier
from control.refusals import BadParameter, NotSent
from control.settings import Settings

pytestmark = pytest.mark.anyio

CODE = Message("code", "+8613500000000", "ann@example.org", "ann", "482913")
LINK = Message("link", "+8613500000000", None, "ann", "http://site/confirm#token")


@dataclass
class Server:
    """Says its lines, one for each it hears, and keeps what it heard."""

    lines: list[bytes]
    greeting: bytes = b""
    heard: bytes = b""
    port: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Server]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting)
        for line in self.lines:
            self.heard += (
                await reader.readuntil(b"\r\n.\r\n") if line.startswith(b"250 taken") else await reader.readline()
            )
            writer.write(line)
        await writer.drain()
        writer.close()
        self.done.set()


@asynccontextmanager
async def webhook(status: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    bodies: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        bodies.append(await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0])))
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/sms", bodies


async def test_the_console_prints_for_the_operator(capsys: pytest.CaptureFixture[str]) -> None:
    await Console().send(CODE)
    assert "482913" in capsys.readouterr().out


async def test_a_webhook_gets_all_of_the_message() -> None:
    async with webhook(b"204 No Content") as (url, bodies):
        await Webhook(url).send(LINK)
    sent = orjson.loads(bodies[0])
    assert (sent["kind"], sent["phone"], sent["secret"]) == ("link", "+8613500000000", "http://site/confirm#token")
    assert "http://site/confirm#token" in sent["text"]


async def test_a_webhook_that_fails_is_named_and_the_secret_is_not() -> None:
    async with webhook(b"500 Oops") as (url, _):
        with pytest.raises(NotSent, match="answered 500") as failure:
            await Webhook(url).send(CODE)
    assert "482913" not in str(failure.value)


async def test_a_webhook_that_is_not_there_is_said() -> None:
    with pytest.raises(NotSent, match="cannot be reached: ConnectError"):
        await Webhook("http://127.0.0.1:1/").send(CODE)


async def test_a_mail_server_gets_the_letter() -> None:
    talk = [b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250 taken\r\n", b"221 bye\r\n"]
    async with Server(talk, b"220 here\r\n").listening() as server:
        await Smtp(f"smtp://127.0.0.1:{server.port}", "live@example.org").send(CODE)
        await server.done.wait()
    assert b"FROM:<live@example.org>" in server.heard.replace(b"from", b"FROM")
    assert b"To: ann@example.org" in server.heard


async def test_a_mail_server_that_wants_a_login_gets_one() -> None:
    talk = [b"250-hello\r\n250 AUTH PLAIN\r\n", b"235 yes\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"]
    talk += [b"250 taken\r\n", b"221 bye\r\n"]
    async with Server(talk, b"220 here\r\n").listening() as server:
        await Smtp(f"smtp://me:p%40ss@127.0.0.1:{server.port}", "live@example.org").send(CODE)
    assert b"AUTH PLAIN" in server.heard


async def test_a_mail_server_that_can_encrypt_is_told_nothing_in_clear() -> None:
    talk = [b"250-hello\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", b"454 not today\r\n", b"221 bye\r\n"]
    async with Server(talk, b"220 here\r\n").listening() as server:
        with pytest.raises(NotSent, match="SMTPResponseException"):
            await Smtp(f"smtp://me:secret@127.0.0.1:{server.port}", "live@example.org").send(CODE)
    assert b"STARTTLS" in server.heard
    assert b"AUTH" not in server.heard and b"482913" not in server.heard


async def test_without_an_address_there_is_no_mail() -> None:
    with pytest.raises(BadParameter, match="email"):
        await Smtp("smtp://127.0.0.1:1", "live@example.org").send(LINK)


async def test_a_mail_server_that_is_not_there_is_said() -> None:
    with pytest.raises(NotSent, match="ConnectionRefusedError") as failure:
        await Smtp("smtp://127.0.0.1:1", "live@example.org").send(CODE)
    assert "482913" not in str(failure.value)


@pytest.mark.parametrize("name", ["console", "webhook", "smtp"])
def test_the_setting_chooses(name: str) -> None:
    settings = Settings(data_dir=Path("x"), webhook_url="http://x", smtp_url="smtp://x", smtp_from="a@b.c")
    assert type(notifier(replace(settings, notifier=name))).__name__.lower() == name
