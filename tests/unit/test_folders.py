import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.settings import Settings
from control.supervisor import banner, folders, sockets
from control.supervisor.errors import StartError


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="qplus-") as folder:
        yield Path(folder)


def at(folder: Path) -> Settings:
    return Settings(data_dir=folder / "data", socket_dir=str(folder / "sockets"))


def test_strangers_stay_out_of_the_folders(short: Path) -> None:
    settings = at(short)
    with folders.locked(settings):
        folders.prepare_sockets(settings)
        folders.prepare_sockets(settings)
    for folder in (settings.data_dir, settings.run_dir, settings.sockets):
        assert stat.S_IMODE(folder.stat().st_mode) & 0o027 == 0


def test_a_stranger_cannot_open_a_socket(short: Path) -> None:
    settings = at(short)
    folders.prepare_sockets(settings)
    with sockets.listen(settings.internal_socket):
        assert stat.S_IMODE(settings.internal_socket.stat().st_mode) & 0o007 == 0
        assert sockets.accepts(settings.internal_socket)
    assert not sockets.accepts(settings.internal_socket)


def test_an_open_folder_in_use_is_left_as_it_is(short: Path) -> None:
    settings = at(short)
    settings.sockets.mkdir(mode=0o755)
    (settings.sockets / "theirs").touch()
    with pytest.raises(StartError, match="QPLUS_SOCKET_DIR"):
        folders.prepare_sockets(settings)
    assert stat.S_IMODE(settings.sockets.stat().st_mode) == 0o755


def test_a_link_is_not_followed(short: Path) -> None:
    settings = at(short)
    (short / "elsewhere").mkdir(mode=0o700)
    settings.sockets.symlink_to(short / "elsewhere")
    with pytest.raises(StartError, match="QPLUS_SOCKET_DIR"):
        folders.prepare_sockets(settings)


@pytest.mark.parametrize("folder", ["relative", "/tmp/a b", "/tmp/a;b", "/tmp/" + 90 * "x", "/dev/null/x"])
def test_a_folder_that_cannot_hold_sockets_is_refused(folder: str) -> None:
    with pytest.raises(StartError, match="QPLUS_SOCKET_DIR"):
        folders.prepare_sockets(Settings(socket_dir=folder))


def test_a_private_folder_in_use_is_taken_also_with_an_inherited_group(short: Path) -> None:
    settings = at(short)
    folders.prepare_sockets(settings)
    settings.sockets.chmod(settings.sockets.stat().st_mode | stat.S_ISGID)
    sockets.listen(settings.workers[0].socket).close()
    folders.prepare_sockets(settings)
    assert settings.workers[0].socket.exists()


def test_a_data_folder_that_cannot_be_made_is_said() -> None:
    with (
        pytest.raises(StartError, match="DATA_DIR /dev/null/x"),
        folders.locked(Settings(data_dir=Path("/dev/null/x"))),
    ):
        pass


def test_the_lock_is_held_once_and_given_back(short: Path) -> None:
    settings = at(short)
    with folders.locked(settings), pytest.raises(StartError, match="already running"), folders.locked(settings):
        pass
    with folders.locked(settings):
        pass


def test_nothing_is_left_of_a_folder_of_our_own(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "sockets", short / "sockets")
    settings = Settings(data_dir=short / "data")
    folders.prepare_sockets(settings)
    folders.prepare_temp(settings, "web")
    sockets.listen(settings.public_socket).close()
    folders.remove_sockets(settings)
    assert not settings.sockets.exists()


def test_a_machine_without_a_network_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreachable(socket.socket):
        def connect(self, address: object) -> None:
            raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "socket", Unreachable)
    assert sockets.host() == "127.0.0.1"


@pytest.mark.parametrize(
    ("settings", "server"),
    [
        (Settings(), "rtmp://10.0.0.7/live\n"),
        (Settings(rtmp_port=1936), "rtmp://10.0.0.7:1936/live\n"),
        (Settings(rtmp_url="rtmp://live.example/live"), "rtmp://live.example/live\n"),
    ],
)
def test_the_banner_says_what_to_paste_into_obs(settings: Settings, server: str) -> None:
    assert server in banner.text(settings, "10.0.0.7")


def test_the_banner_leaves_out_a_port_that_is_usual() -> None:
    assert "http://10.0.0.7/live/" in banner.text(Settings(http_port=80), "10.0.0.7")
    assert "https://live.example/live/" in banner.text(Settings(public_url="https://live.example"), "10.0.0.7")
    secure = banner.text(Settings(tls_cert="c", tls_key="k", https_port=443), "10.0.0.7")
    assert " https://10.0.0.7/live/" in secure and " rtmps://10.0.0.7:1936/live\n" in secure


def test_segments_are_with_the_data_where_nginx_can_read_its_name(short: Path) -> None:
    settings = at(short)
    assert folders.hls(settings) == settings.data_dir / "hls"
    assert folders.hls(Settings(data_dir=short / "a b", socket_dir=str(short))) == short / "hls"
    assert folders.hls(Settings(hls_dir="/srv/hls")) == Path("/srv/hls")
    assert folders.spelled_out(settings).hls_dir == str(settings.data_dir / "hls")


def test_segments_of_an_nginx_that_ended_are_cleared_away(short: Path) -> None:
    settings = Settings(data_dir=short, hls_dir=str(short / "hls"))
    (short / "hls" / "1000001").mkdir(parents=True)
    (short / "hls" / "1000001" / "1.ts").touch()
    (short / "hls" / ("0a" * 16)).mkdir()  # of a publisher that was not at its room's nginx
    folders.prepare_hls(settings)
    assert list((short / "hls").iterdir()) == []


@pytest.mark.parametrize("folder", ["relative", "/tmp/a b", "/tmp/a;b", "/dev/null/x"])
def test_a_folder_that_cannot_hold_segments_is_refused(folder: str) -> None:
    with pytest.raises(StartError, match="QPLUS_HLS_DIR"):
        folders.prepare_hls(Settings(hls_dir=folder))


def test_this_machine_has_an_address() -> None:
    assert sockets.host().count(".") == 3


def test_a_folder_of_ours_that_stands_open_is_closed(short: Path) -> None:
    settings = at(short)
    settings.sockets.mkdir(mode=0o755)
    folders.prepare_sockets(settings)
    assert stat.S_IMODE(settings.sockets.stat().st_mode) & 0o007 == 0


def test_a_folder_with_other_things_than_hls_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "1000001").mkdir()
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(StartError, match="other things than HLS"):
        folders.prepare_hls(Settings(data_dir=tmp_path / "data", hls_dir=str(tmp_path)))
    assert (tmp_path / "letters").read_text() == "dear"
    assert (tmp_path / "1000001").exists()


def test_a_process_of_another_user_is_no_supervisor(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root would signal it."""
    settings = at(short)
    with folders.locked(settings):
        folders.announce(settings)
        assert folders.supervised(settings)
        for pid in ("../proc", "1/.."):
            (settings.run_dir / "supervisor").write_text(f"{pid}\n{settings.sockets}\n")
            assert folders.supervised(settings) is None
        folders.announce(settings)
        real = Path.stat

        def of_another(path: Path, **options: bool) -> os.stat_result:
            found = list(real(path, **options))
            found[stat.ST_UID] += path.parts[:2] == ("/", "proc")
            return os.stat_result(found)

        monkeypatch.setattr(Path, "stat", of_another)
        assert folders.supervised(settings) is None
