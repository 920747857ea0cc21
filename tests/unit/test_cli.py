from __future__ import annotations

import pytest

from control import __version__, cli
from control.supervisor import supervisor


def test_a_bad_setting_is_named_and_its_value_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QPLUS_HTTP_PORT", "hunter2")
    assert cli.main(["run"]) == 2
    assert capsys.readouterr().err == "qplus: QPLUS_HTTP_PORT: not a whole number\n"


def test_an_unknown_setting_is_an_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("QPLUS_HTP_PORT", "8080")
    assert cli.main(["run"]) == 2
    assert "QPLUS_HTP_PORT" in capsys.readouterr().err


def test_run_runs_a_node_and_returns_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "run", lambda settings: settings.http_port)
    monkeypatch.setenv("QPLUS_HTTP_PORT", "77")
    assert cli.main(["run"]) == 77


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 2
    assert "usage: qplus" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"qplus {__version__}\n"
