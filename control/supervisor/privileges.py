"""A node that root starts runs as a plain user. Root opens its ports, hands it its folders, and becomes that user."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import structlog

from control.settings import PREFIX, RUNTIME, Settings
from control.supervisor import folders, ports, sockets
from control.supervisor.children import KEEP_RIGHTS
from control.supervisor.errors import StartError

PR_GET_PDEATHSIG = 2  # prctl(2)
READ_ANY = "dac_read_search"  # capabilities(7)

# Whether a folder of root's is a node's, by what is in it.
OURS: dict[str, Callable[[list[str]], bool]] = {
    "DATA_DIR": lambda names: not names or "qplus.db" in names or "keys" in names,
    "SOCKET_DIR": lambda names: all(name.endswith(".sock") for name in names),
    "HLS_DIR": lambda names: all(name.isdigit() for name in names),
    "SNAPSHOT_DIR": lambda names: set(names) <= {"clear", "blurred", "public"},
    "": lambda names: all(name.startswith("qplus-") for name in names),
}

log = structlog.get_logger()


def drop(settings: Settings) -> NoReturn:
    """Begins this program anew as the user of the settings. Raises StartError."""
    user = _user(settings)
    if run := folders.supervised(settings):
        raise StartError(f"already running in {settings.data_dir} (pid {run.pid})")
    hand_over(settings, user)
    closed = [str(path) for path in _needed(settings) if not _reaches(user, path)]
    keys = [path for path in (settings.tls_cert, settings.tls_key) if path and not _reaches(user, Path(path))]
    if closed:
        log.warning("the node may read any file", user=user.pw_name, closed=closed)
    elif keys:
        log.info("the supervisor may read any file", user=user.pw_name, closed=keys)
    sockets.raise_limit()
    with ports.opened(settings) as opened:
        environ = {**os.environ, ports.HANDED_ON: opened.handed_on(), "HOME": user.pw_dir}
        environ["XDG_RUNTIME_DIR"] = str(RUNTIME)
        if closed:
            environ[KEEP_RIGHTS] = "1"
        command = [*becoming(user, read_any=bool(closed or keys)), sys.executable, *sys.orig_argv[1:]]
        try:
            os.execvpe(command[0], command, environ)
        except OSError as error:
            raise StartError(f"{command[0]}: {error.strerror}") from None


def _user(settings: Settings) -> pwd.struct_passwd:
    try:
        user = pwd.getpwnam(settings.user)
    except KeyError:
        add = "useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin"
        raise StartError(f"there is no user {settings.user} to run as: {add} {settings.user}") from None
    if user.pw_uid == 0:
        raise StartError(f"{PREFIX}USER: a plain user, not root")
    return user


def becoming(user: pwd.struct_passwd, *, read_any: bool = False) -> list[str]:
    """What goes before a command to run it as this user, for good, with no rights but perhaps to read what is closed to
    it."""
    rights = f"-all,+{READ_ANY}" if read_any else "-all"
    identity = ["--reuid", user.pw_name, "--regid", str(user.pw_gid), "--init-groups", "--no-new-privs"]
    capabilities = ["--inh-caps", rights, "--ambient-caps", rights, "--bounding-set", rights]
    return ["setpriv", *identity, *capabilities, *_death_signal()]


def _death_signal() -> Sequence[str]:
    """The one that our parent's end sends us, if any: another user's process has it no more."""
    number = ctypes.c_int()
    ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(number))
    return ["--pdeathsig", signal.Signals(number.value).name.removeprefix("SIG")] if number.value else []


def hand_over(settings: Settings, user: pwd.struct_passwd) -> None:
    """Makes the folders where they are absent, and gives the user what is root's in them. Raises StartError where one
    is not a node's: it would be given away."""
    chosen = {
        Path(folder): name
        for name, folder in (
            ("SOCKET_DIR", settings.socket_dir),
            ("HLS_DIR", settings.hls_dir),
            ("SNAPSHOT_DIR", settings.snapshot_dir),
        )
        if folder
    }
    for folder, name in {settings.data_dir: "DATA_DIR", RUNTIME: "", **chosen}.items():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid == 0 and not OURS[name](os.listdir(folder)):
                raise StartError(f"{PREFIX}{name} {folder}: holds other things than a node's; give a folder of its own")
            _give(folder, user)
        except OSError as error:
            raise StartError(f"{folder}: {error.strerror}") from None


def _give(folder: Path, user: pwd.struct_passwd) -> None:
    """Follows no link, and leaves alone what has another name elsewhere: both could lead to what is not ours."""
    for _, names, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        if os.fstat(descriptor).st_uid == 0:
            os.fchown(descriptor, user.pw_uid, user.pw_gid)
        for name in (*names, *files):
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if found.st_uid == 0 and (found.st_nlink == 1 or name in names):
                os.chown(name, user.pw_uid, user.pw_gid, dir_fd=descriptor, follow_symlinks=False)


def _needed(settings: Settings) -> Iterator[Path]:
    """What the user must be able to read: our program, its libraries, its data."""
    yield Path(__file__).parents[1] / "__init__.py"
    yield Path(structlog.__file__)
    yield Path(sys.executable)
    yield settings.data_dir.absolute()


def _reaches(user: pwd.struct_passwd, path: Path) -> bool:
    return subprocess.run([*becoming(user), "test", "-r", str(path)], check=False).returncode == 0
