import subprocess
from pathlib import Path

import pytest

from control.settings import SettingError, Settings
from control.supervisor import folders, tls
from control.supervisor.errors import StartError


def make(folder: Path, name: str, *more: str) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=h", *more]
    files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
    subprocess.run([*command, *files], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    make(tmp_path, "one", "-noenc")
    (tmp_path / "sockets").mkdir()
    files = {"tls_cert": str(tmp_path / "one.pem"), "tls_key": str(tmp_path / "one.key")}
    return Settings(socket_dir=str(tmp_path / "sockets"), **files)  # type: ignore[arg-type]


def copies(settings: Settings) -> list[str]:
    return [(folders.tls(settings) / name).read_text() for name in (tls.CHAIN, tls.KEY)]


def test_copies_are_made_once_for_each_certificate(settings: Settings, tmp_path: Path) -> None:
    assert tls.install(settings) and not tls.install(settings)
    assert copies(settings) == [Path(settings.tls_cert).read_text(), Path(settings.tls_key).read_text()]
    assert (folders.tls(settings) / tls.KEY).stat().st_mode & 0o077 == 0
    assert folders.tls(settings).stat().st_mode & 0o077 == 0
    make(tmp_path, "one", "-noenc")
    assert tls.install(settings)


def test_without_a_certificate_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert not tls.install(Settings(socket_dir=str(tmp_path)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", ["missing", "binary", "another's key", "locked", "nothing"])
def test_files_that_are_no_good_are_said_and_the_copies_stay(settings: Settings, tmp_path: Path, bad: str) -> None:
    tls.install(settings)
    before = copies(settings)
    cert, key = Path(settings.tls_cert), Path(settings.tls_key)
    match bad:
        case "missing":
            key.unlink()
        case "binary":
            cert.write_bytes(b"\xff\xfe")
        case "another's key":
            make(tmp_path, "two", "-noenc")
            (tmp_path / "two.key").replace(key)
        case "locked":
            make(tmp_path, "one", "-passout", "pass:s3cret")
        case "nothing":
            cert.write_text("")
    with pytest.raises(StartError, match="QPLUS_TLS_") as told:
        tls.install(settings)
    assert "s3cret" not in str(told.value)
    assert copies(settings) == before


@pytest.mark.parametrize("given", [{"tls_cert": "c"}, {"tls_key": "k"}])
def test_a_certificate_needs_its_key(given: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="both or neither"):
        Settings(**given)  # type: ignore[arg-type]
