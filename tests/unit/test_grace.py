from __future__ import annotations

import pytest

from control.settings import Settings
from tests.support.world import Box

pytestmark = pytest.mark.anyio


async def test_nginx_is_told_how_long_silence_counts_as_yes(box: Box, settings: Settings) -> None:
    answer = await box.hooks.get("/grace")
    assert answer.status_code == 204
    assert f"stale-if-error={settings.grace_seconds}" in answer.headers["Cache-Control"]


async def test_nobody_else_is_told(box: Box) -> None:
    assert (await box.http.get("/grace")).status_code == 404
