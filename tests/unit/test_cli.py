from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import typer.main

from control import __version__, cli, serve
from control.cli.program import COMMANDS, program
from control.ops import logs
from control.storage.integrity import Unusable
from control.supervisor import listeners, supervisor

GROUPS = {"operator", "user", "room"}
"""Commands that have others below them."""


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
    assert cli.main([]) == 2
    assert "Usage: qplus" in "".join(capsys.readouterr())


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"qplus {__version__}\n"


@pytest.mark.parametrize("grouped", [False, True])
def test_what_no_new_try_helps_is_one_line_also_out_of_a_group(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, grouped: bool
) -> None:
    def fail(*given: object) -> None:
        failure = Unusable("put the keys back")
        raise ExceptionGroup("a", [ExceptionGroup("b", [failure])]) if grouped else failure

    monkeypatch.setattr(logs, "configure", lambda *given: None)  # it stays, and captured streams do not
    monkeypatch.setattr(serve, "serve", fail)
    monkeypatch.setenv("QPLUS_DATA_DIR", str(tmp_path))
    with socket.socket() as internal, socket.socket() as public:
        monkeypatch.setattr(listeners, "own", lambda settings: nullcontext((internal, public)))
        assert cli.main(["serve"]) == os.EX_CONFIG
    assert capsys.readouterr().err == "error: put the keys back\n"


def test_keys_are_made_for_nodes_to_share_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(logs, "configure", lambda *given: None)
    monkeypatch.setenv("QPLUS_DATA_DIR", str(tmp_path))
    assert cli.main(["make-keys"]) == 0
    made = {file.name: file.read_text() for file in (tmp_path / "keys").iterdir()}
    assert made.keys() == {"tickets", "rooms"}
    assert cli.main(["make-keys"]) == 0
    assert made == {file.name: file.read_text() for file in (tmp_path / "keys").iterdir()}


def test_a_command_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["frobnicate"]) == 2
    assert "frobnicate" in capsys.readouterr().err


@pytest.mark.parametrize("command", sorted({*COMMANDS} - GROUPS))
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command, "--help"]) == 0
    assert f"qplus {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", sorted({*COMMANDS} - {"run", "serve"} - GROUPS))
def test_every_command_can_answer_programs(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main([command, "--help"])
    assert "--json" in capsys.readouterr().out


PROGRAM: Any = typer.main.get_command(program([]))
GROUPED = [(group, name) for group in sorted(GROUPS) for name in PROGRAM.commands[group].commands]


@pytest.mark.parametrize("group, command", GROUPED)
def test_every_command_of_a_group_can_answer_programs(
    group: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([group, command, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def loaded_after(code: str) -> set[str]:
    """The modules of a Python that has run this code."""
    look = f"import sys; {code}; print(); print(*sys.modules)"
    return {
        *subprocess.run([sys.executable, "-c", look], capture_output=True, text=True).stdout.split("\n")[-2].split()
    }


def test_only_the_module_of_the_command_is_imported() -> None:
    loaded = loaded_after("from control.cli.program import program; program(['drain'])")
    assert "control.cli.sharing" in loaded
    assert not {"control.cli.moving", "rich", "sqlalchemy", "starlette"} & loaded


def test_control_starts_without_the_library_that_reads_words() -> None:
    """Newcomers wait while it does."""
    loaded = loaded_after(
        "from control.cli import direct, main; direct.serve = lambda **given: 0; main(['serve', '--internal-fd', '3'])"
    )
    assert "control.cli.direct" in loaded
    assert not {"typer", "pydantic"} & loaded


def test_what_keys_are_made_is_told_to_programs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logs, "configure", lambda *given: None)
    monkeypatch.setenv("QPLUS_DATA_DIR", str(tmp_path))
    assert cli.main(["make-keys", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"made": ["tickets", "rooms"]}
