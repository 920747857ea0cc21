from __future__ import annotations

import errno
import io
import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog

from control.ops import logs
from control.settings import Settings


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = []
    yield
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def fail(password: str) -> None:
    raise RuntimeError("it failed")


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"))
    structlog.get_logger().info("room made", room=1000001, name="直播\n室")
    line = capsys.readouterr().err
    said = orjson.loads(line)
    assert line.count("\n") == 1
    assert (said["event"], said["level"], said["room"], said["name"]) == ("room made", "info", 1000001, "直播\n室")
    assert said["timestamp"].endswith("Z")


def test_the_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="console"))
    structlog.get_logger().info("room made", room=1000001)
    line = capsys.readouterr().err
    assert "room made" in line and "room=1000001" in line
    assert "\x1b" not in line  # no terminal, no colours


@pytest.mark.parametrize("shape", ["json", "console"])
def test_a_line_of_a_client_stays_one_line(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format=shape))
    structlog.get_logger().info("publish refused", encoder="OBS\r\n2026 [info] forged \x1b[2J")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not {"\r", "\x1b"} & set(said)


ACTING = "\x1b]0;pwned\x07 \x9b2J \x7f \u202e\u2066\u200b\u2028\ufeff\U000e0041\ud800"


@pytest.mark.parametrize("shape", ["json", "console"])
@pytest.mark.parametrize("text", [ACTING, *ACTING])
def test_no_terminal_acts_on_what_a_client_sent(shape: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format=shape))
    structlog.get_logger().info("publish let in", encoder=f"OBS{text}30")
    logging.getLogger("uvicorn.error").warning(f"odd: {text}")
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert "OBS" in said and not set(ACTING.replace(" ", "")) - set("]0;pwned2JA") & set(said)
    if shape == "json":
        assert orjson.loads(said.encode("utf-8", "surrogatepass").splitlines()[0])["encoder"].startswith("OBS")


@pytest.mark.parametrize(("level", "heard"), [("debug", 2), ("info", 2), ("warning", 1), ("error", 0)])
def test_what_is_below_the_level_is_not_said(level: str, heard: int, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_level=level))
    log = structlog.get_logger()
    log.info("quiet")
    log.warning("loud")
    assert len(capsys.readouterr().err.splitlines()) == heard


@pytest.mark.parametrize("shape", ["json", "console"])
def test_a_traceback_shows_no_values(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format=shape))
    shown = "-".join(["s3cret", "word"])
    try:
        fail(shown)
    except RuntimeError:
        structlog.get_logger().exception("api failed")
    said = capsys.readouterr().err
    assert "it failed" in said and "in fail" in said
    assert shown not in said


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_on_a_full_disk_fails_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", FullDisk())
    logs.configure(Settings())
    structlog.get_logger().info("a line")


def test_warnings_of_libraries_are_heard_and_their_chatter_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_level="debug"))
    logging.getLogger("httpx").info("GET /live/?ticket=t0ken")
    logging.getLogger("uvicorn.error").warning("it is full")
    said = capsys.readouterr().err
    assert "it is full" in said and "t0ken" not in said


def test_lines_of_libraries_have_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"))
    try:
        fail("a password")
    except RuntimeError:
        logging.getLogger("asyncio").exception("it is %s", "full")
    line = capsys.readouterr().err
    said = orjson.loads(line)
    assert line.count("\n") == 1
    assert (said["event"], said["level"], said["timestamp"][-1]) == ("it is full", "error", "Z")
    assert "in fail" in said["exception"]
