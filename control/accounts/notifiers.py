"""How a message reaches the holder of a phone."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx

from control.refusals import BadParameter, NotSent
from control.settings import Settings

TIMEOUT = 10  # seconds


@dataclass(frozen=True, slots=True)
class Message:
    kind: str
    """`code`, `link`, or `live`: a room that they follow is."""
    phone: str
    email: str | None
    account: str
    secret: str
    """The code, or the link; of `live` that to the room."""
    about: str = ""
    """Of `live`: whose room, and its name."""

    @property
    def text(self) -> str:
        if self.kind == "code":
            return (
                f"【QPlus】{self.account}: {self.secret} 是您的验证码, 10分钟内有效。 Your code, good for 10 minutes."
            )
        if self.kind == "live":
            return f"【QPlus】{self.about} 正在直播 is live: {self.secret}"
        return (
            f"【QPlus】有人申请修改账号 {self.account} 的密码。若是您本人, 请在10分钟内打开链接确认。 "
            f"Somebody asked to change this account's password. If it was you, confirm within 10 minutes: {self.secret}"
        )


class Notifier(Protocol):
    async def send(self, message: Message) -> None:
        """Raises NotSent, or BadParameter for an account that this way does not reach."""
        ...


class Console:
    """Prints messages where the operator reads them: for trying things out, and for a single operator's box."""

    async def send(self, message: Message) -> None:
        print(f"message for {message.phone}: {message.text}", flush=True)


class Webhook:
    """Posts messages as JSON to a gateway that sends them on."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, message: Message) -> None:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT) as client:
                answer = await client.post(self._url, json=asdict(message) | {"text": message.text})
                answer.raise_for_status()
        except httpx.HTTPStatusError as failure:
            raise NotSent(f"the webhook answered {failure.response.status_code}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise NotSent(f"the webhook cannot be reached: {type(failure).__name__}") from None


class Smtp:
    """Sends messages to the account's e-mail address."""

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender

    async def send(self, message: Message) -> None:
        if not message.email:
            raise BadParameter("email")  # of the account, which has none
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self._sender, message.email, "QPlus"
        letter.set_content(message.text)
        try:
            await asyncio.to_thread(self._deliver, letter)
        except (OSError, smtplib.SMTPException) as failure:
            raise NotSent(f"the mail server failed: {type(failure).__name__}") from None

    def _deliver(self, letter: EmailMessage) -> None:
        url = self._url
        host, port = url.hostname or "localhost", url.port or 0
        with (
            smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
            if url.scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=TIMEOUT)
        ) as server:
            server.ehlo()  # it has told nothing of itself before
            if url.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(letter)


def notifier(settings: Settings) -> Notifier:
    if settings.notifier == "webhook":
        return Webhook(settings.webhook_url)
    if settings.notifier == "smtp":
        return Smtp(settings.smtp_url, settings.smtp_from)
    return Console()
