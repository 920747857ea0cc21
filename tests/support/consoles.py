"""An operator at a browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp

from control.console.operators import STEP
from tests.support.world import Box

PAGE = {"X-QPlus-Page": "1"}


class Operator:
    """Logged in at a browser of their own; once `added`, an operator."""

    def __init__(self, box: Box, http: httpx.AsyncClient, account: str) -> None:
        self.box, self.http, self.account = box, http, account

    async def added(self) -> Operator:
        told = await self.told("add-operator", user=self.account)
        self.secret = parse_qs(urlsplit(told["uri"]).query)["secret"][0]
        return self

    async def told(self, order: str, **given: Any) -> dict[str, Any]:
        """By the command line."""
        transport = httpx.ASGITransport(app=self.box.running.operators)
        async with httpx.AsyncClient(transport=transport, base_url="http://control") as http:
            answer: dict[str, Any] = (await http.post(f"/order/{order}", json=given)).json()
        return answer

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret, interval=STEP).at(int(self.box.clock.now()) + steps * STEP)

    async def enter(self, code: str = "") -> int:
        content = {"code": code or self.code()}
        answer = await self.box.clock.steps(0.1, self.http.post("/console/enter", json=content, headers=PAGE))
        return answer.status_code

    async def ask(self, order: str, **given: Any) -> httpx.Response:
        return await self.http.post(f"/console/order/{order}", json=given, headers=PAGE)

    async def log_in(self) -> Operator:
        await self.http.post("/web/Login", json={"account": self.account, "password": "secret-1"}, headers=PAGE)
        return self
