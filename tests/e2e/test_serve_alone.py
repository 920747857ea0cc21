"""Control without a supervisor, as in a container: it opens its sockets itself."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from control.settings import Settings
from control.supervisor import folders, sockets
from tests.e2e.stand_in import until
from tests.e2e.test_serve import Stat, qplus


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="qplus-") as short:
        made = Settings(data_dir=tmp_path, socket_dir=short, argon2_time_cost=1, argon2_memory_kib=8)
        folders.prepare_sockets(made)
        with Stat(made.workers[0].socket):
            yield made


@contextmanager
def control(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Ready, and ended whatever happens."""
    child = qplus(settings, "serve")
    try:
        until(lambda: child.poll() is not None or ready(settings)[0] == 0)
        assert child.poll() is None
        yield child
    finally:
        child.kill()
        print(child.communicate()[1].decode())


def ready(settings: Settings) -> tuple[int, str]:
    return ended(qplus(settings, "ready"))


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    said = process.communicate(timeout=20)[1].decode()
    return process.returncode, said


def test_it_opens_both_doors_for_its_own_user_alone(settings: Settings) -> None:
    with control(settings):
        for path in (settings.internal_socket, settings.public_socket):
            assert sockets.accepts(path)
            assert path.stat().st_mode & 0o007 == 0


def test_it_takes_the_place_of_one_that_was_killed(settings: Settings) -> None:
    with control(settings) as first:
        first.send_signal(signal.SIGKILL)
        first.wait(10)
    assert settings.internal_socket.exists() and not sockets.accepts(settings.internal_socket)
    with control(settings):
        assert sockets.accepts(settings.public_socket)


def test_a_second_one_is_refused_and_the_first_goes_on(settings: Settings) -> None:
    with control(settings) as first:
        code, said = ended(qplus(settings, "serve"))
        assert (code, said) == (1, f"error: already running in {settings.data_dir} (pid {first.pid})\n")
        assert ready(settings) == (0, "")


def test_it_may_have_as_many_connections_as_the_system_allows(settings: Settings) -> None:
    with control(settings) as process:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        found = re.search(r"Max open files +(\w+) +(\w+)", limits)
        assert found and found[1] == found[2]


def test_one_that_is_not_there_is_not_ready(settings: Settings) -> None:
    code, said = ready(settings)
    assert code == 1
    assert said.startswith(f"not ready: {settings.internal_socket}: ")


def test_one_that_only_listens_is_not_ready(settings: Settings) -> None:
    with sockets.listen(settings.internal_socket):
        assert ready(settings) == (1, f"not ready: {settings.internal_socket}: timed out\n")


@pytest.mark.parametrize("option", ["--internal-fd", "--public-fd"])
def test_one_inherited_door_is_no_pair(settings: Settings, option: str) -> None:
    code, said = ended(qplus(settings, "serve", option, "0"))
    assert code == 2
    assert "given together or not at all" in said
