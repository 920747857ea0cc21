"""Where a request comes from, as far as accounts have to know it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from control.refusals import HungUp


async def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Origin:
    address: str
    """The client's."""
    client: str = ""
    """What it calls itself: its User-Agent."""
    hung_up: Callable[[], Awaitable[bool]] = _never

    async def stays(self) -> None:
        """Raises HungUp where nobody waits for the answer any more."""
        if await self.hung_up():
            raise HungUp
