"""People and a room that many tests begin with; some make others of the same name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.people import Person, go_live, person
from tests.support.world import Box


@pytest.fixture
async def ann(box: Box) -> Person:
    return await person(box)


@pytest.fixture
async def bob(box: Box) -> Person:
    return await person(box, "bob", 2)


@pytest.fixture
async def room(box: Box, ann: Person) -> dict[str, Any]:
    room = await ann.opens()
    await go_live(box, room)
    return room
