"""New keys before old ones."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from control import cli
from control.access import key_files
from control.access.rights import Rights
from control.access.tickets import stored_keys
from control.access.verdicts import TicketClaims
from control.entropy import SystemEntropy
from control.settings import Settings
from tests.support.stage import Stage, staged
from tests.support.world import box

CLAIMS = TicketClaims(1000001, 1, 1, 2_000_000_000_000)


@pytest.fixture
def folder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QPLUS_DATA_DIR", str(settings.data_dir))
    if settings.database_url:
        monkeypatch.setenv("QPLUS_DATABASE_URL", settings.database_url)
    assert cli.main(["make-keys"]) == 0
    return settings.data_dir / "keys"


def test_a_new_key_signs_and_the_old_one_still_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = stored_keys(folder / "tickets", SystemEntropy()).sign(CLAIMS)
    secret = (folder / "tickets").read_text().split()[1]
    assert cli.main(["rotate-key", "tickets"]) == 0
    new = stored_keys(folder / "tickets", SystemEntropy())
    assert new.read(old) == CLAIMS
    assert ".k2." in new.sign(CLAIMS)
    assert (folder / "tickets").stat().st_mode & 0o777 == 0o600
    assert secret not in "".join(capsys.readouterr())


def test_an_old_key_is_kept_while_its_tickets_are_good(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["rotate-key", "tickets"])
    assert cli.main(["rotate-key", "tickets", "--drop-old"]) == 1
    assert "are good for 12.0 hours more" in capsys.readouterr().err
    long_ago = (folder / "tickets").stat().st_mtime - 50_000
    os.utime(folder / "tickets", (long_ago, long_ago))
    assert cli.main(["rotate-key", "tickets", "--drop-old"]) == 0
    assert key_files.names(folder / "tickets") == ["k2"]
    cli.main(["rotate-key", "tickets"])
    assert key_files.names(folder / "tickets") == ["k3", "k2"]  # a name is never used again


def test_a_rooms_key_is_kept_until_all_are_sealed_anew(
    folder: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async def stage() -> Stage:
        async with box(settings) as opened:
            return await staged(opened)

    async def sealed_anew(room_id: int) -> Rights | None:
        async with box(settings) as opened:
            return await opened.running.live.admission.room(room_id)

    made = asyncio.run(stage())
    assert cli.main(["rotate-key", "rooms"]) == 0
    assert cli.main(["rotate-key", "rooms", "--drop-old"]) == 1
    assert "1 rooms' passwords are sealed with an old key" in capsys.readouterr().err
    asyncio.run(sealed_anew(made.id))
    capsys.readouterr()
    assert cli.main(["rotate-key", "rooms", "--drop-old", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"key": "rooms", "keys": ["k2"], "restarted": False}
    room = asyncio.run(sealed_anew(made.id))
    assert room is not None and room.anchor_password == made.anchor


def test_without_keys_there_is_nothing_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QPLUS_DATA_DIR", str(tmp_path))
    assert cli.main(["rotate-key", "rooms"]) == 1
    assert capsys.readouterr().err.startswith(f"error: there is no {tmp_path / 'keys' / 'rooms'}")


def test_a_file_that_holds_no_keys_is_left_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tickets").write_text("")
    assert cli.main(["rotate-key", "tickets"]) == 1
    assert "holds no keys" in capsys.readouterr().err
    assert (folder / "tickets").read_text() == ""
