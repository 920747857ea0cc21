from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import structlog

from control.ops import logs, security_log
from control.ops.security_log import EVENTS, REFUSALS, SecurityLog
from control.settings import Settings
from tests.support import telemetry


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    kept = SecurityLog(tmp_path / "log")
    logs.configure(Settings(log_level="info"), [kept])
    yield tmp_path / "log"
    kept.close()
    structlog.reset_defaults()


def lines(folder: Path, name: str = "security.jsonl") -> list[str]:
    return [orjson.loads(line)["event"] for line in (folder / name).read_bytes().splitlines()]


def test_what_tells_who_came_in_is_kept_and_nothing_else(folder: Path) -> None:
    log = structlog.get_logger()
    log.info("publisher let in", room=1)
    log.info("login", user=1, address="192.0.2.7")
    log.warning("stat failed")
    log.info("user banned", room=1, user=2)
    assert lines(folder) == ["login", "user banned"]


def test_it_is_for_its_owner_alone(folder: Path) -> None:
    structlog.get_logger().info("login", user=1)
    structlog.get_logger().info("login refused", user=1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("security.jsonl", "refusals.jsonl"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_refusals_flush_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security_log, "SIZE", 500)
    monkeypatch.setattr(security_log, "FILES", 2)
    kept = SecurityLog(tmp_path)
    kept(None, "info", {"event": "user banned", "room": 1, "user": 2})
    for number in range(100):
        kept(None, "info", {"event": "login refused", "user": number})
        kept(None, "warning", {"event": "limit reached", "subject": number})
    kept.close()
    assert lines(tmp_path) == ["user banned"]
    assert set(lines(tmp_path, "refusals.jsonl")) == {"login refused", "limit reached"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["refusals.jsonl", "refusals.jsonl.1", "security.jsonl"]
    assert all(file.stat().st_size <= 500 for file in tmp_path.iterdir())


def test_what_a_client_sent_is_escaped(folder: Path) -> None:
    structlog.get_logger().info("publish refused", encoder="OBS\u202e\n\x9b")
    [line] = (folder / "refusals.jsonl").read_text().splitlines()
    assert line.isprintable() and orjson.loads(line)["encoder"] == "OBS\u202e\n\x9b"


def test_it_has_so_many_files_of_so_many_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security_log, "SIZE", 500)
    monkeypatch.setattr(security_log, "FILES", 3)
    for number in range(100):
        structlog.get_logger().info("login", user=number)
    assert sorted(file.name for file in folder.iterdir()) == [
        "security.jsonl",
        "security.jsonl.1",
        "security.jsonl.2",
    ]
    assert all(file.stat().st_size <= 500 for file in folder.iterdir())
    assert orjson.loads((folder / "security.jsonl").read_bytes().splitlines()[-1])["user"] == 99


def test_it_goes_on_where_the_last_process_ended(folder: Path) -> None:
    structlog.get_logger().info("login", user=1)
    logs.configure(Settings(), [later := SecurityLog(folder)])
    structlog.get_logger().info("logout", user=1)
    later.close()
    assert lines(folder) == ["login", "logout"]


def test_a_folder_that_cannot_be_written_refuses_nobody(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    assert SecurityLog(tmp_path / "log")(None, "info", {"event": "login"}) == {"event": "login"}


def test_every_event_of_it_is_one_that_is_logged() -> None:
    logged = set(telemetry.events())
    assert {
        name for name in EVENTS | REFUSALS if name not in logged and f"{telemetry.VARIES}{name[7:]}" not in logged
    } == set()
