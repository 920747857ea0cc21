from __future__ import annotations

import pytest

from control.storage.changes import Change, Changed, Changes

pytestmark = pytest.mark.anyio
CHANGE = Change(Changed.ROOM, 7)


async def test_what_lies_in_memory_is_forgotten_first() -> None:
    changes, heard = Changes(), list[str]()

    async def act(_: Change) -> None:
        heard.append("acted")

    changes.listen(act)
    changes.forget(lambda _: heard.append("forgot"))
    await changes.announce(CHANGE)
    assert heard == ["forgot", "acted"]


async def test_each_acts_also_where_another_cannot() -> None:
    changes, heard = Changes(), list[Change]()

    async def fail(_: Change) -> None:
        raise OSError("the disk is full")

    async def act(change: Change) -> None:
        heard.append(change)

    changes.listen(fail)
    changes.listen(act)
    with pytest.raises(OSError, match="disk"):
        await changes.announce(CHANGE)
    assert heard == [CHANGE]
