"""What root hands over before it becomes another user."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from control.settings import Settings
from control.supervisor import folders, privileges
from control.supervisor.errors import StartError


def test_a_user_that_is_not_there_is_said_with_what_makes_it() -> None:
    with pytest.raises(StartError, match=r"useradd --system .* nobody-here"):
        privileges.drop(Settings(user="nobody-here"))


def test_root_is_no_plain_user() -> None:
    with pytest.raises(StartError, match="QPLUS_USER"):
        privileges.drop(Settings(user="root"))


def test_a_node_that_runs_is_left_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", user=pwd.getpwuid(65534).pw_name)
    with folders.locked(settings):
        folders.announce(settings)
        with pytest.raises(StartError, match="already running"):
            privileges.drop(settings)
    assert settings.data_dir.stat().st_uid == os.geteuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="to give something away needs root")
def test_what_is_roots_is_handed_over_but_nothing_that_is_elsewhere_too(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    (data / "keys").mkdir(parents=True)
    (data / "keys" / "tickets").touch()
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "deep" / "file").touch()
    (data / "link").symlink_to(elsewhere)
    (data / "hard").hardlink_to(elsewhere / "deep" / "file")
    (data / "theirs").touch()
    os.chown(data / "theirs", 12345, 12345)
    user = pwd.getpwuid(65534)
    privileges._give(data, user)
    for given in (data, data / "keys", data / "keys" / "tickets"):
        assert (given.stat().st_uid, given.stat().st_gid) == (user.pw_uid, user.pw_gid)
    for left in (elsewhere, elsewhere / "deep", elsewhere / "deep" / "file"):
        assert left.stat().st_uid == 0
    assert (data / "theirs").stat().st_uid == 12345


@pytest.mark.skipif(os.geteuid() != 0, reason="to give something away needs root")
@pytest.mark.parametrize("setting", ["data_dir", "hls_dir", "snapshot_dir", "socket_dir"])
def test_a_folder_of_something_else_is_not_given_away(
    tmp_path: Path, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privileges, "RUNTIME", tmp_path / "run")  # the machine's own is for its nodes
    folder = tmp_path / "site"
    (folder / "log").mkdir(parents=True)
    (folder / "index.html").touch()
    given = {"data_dir": tmp_path / "data", setting: folder if setting == "data_dir" else str(folder)}
    with pytest.raises(StartError, match="holds other things"):
        privileges.hand_over(Settings(**given), pwd.getpwuid(65534))  # type: ignore[arg-type]
    assert {each.stat().st_uid for each in (folder, *folder.iterdir())} == {0}


def test_a_pipe_in_place_of_the_lock_holds_nobody_up(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.run_dir.mkdir()
    os.mkfifo(settings.run_dir / "lock")
    assert folders.supervised(settings) is None
