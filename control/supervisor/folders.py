"""The folders of a node, their permissions, and the lock that keeps a second run out."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from control.settings import Settings
from control.supervisor.errors import StartError

LONGEST_SOCKET = 107  # bytes: sun_path less its closing zero
STREAM = re.compile(r"[0-9]+|[0-9a-f]{32}")  # a room's, or one that is on its way to its room's nginx
PLAIN_PATH = re.compile(r"/[A-Za-z0-9._/+-]*")  # what nginx reads as one word, unquoted


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Makes the data folder and holds it. Raises StartError when another run does, or it cannot be written."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.run_dir.mkdir(mode=0o700, exist_ok=True)
        lock = (settings.run_dir / "lock").open("a+")
    except OSError as error:
        raise StartError(f"DATA_DIR {settings.data_dir}: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StartError(f"already running in {settings.data_dir} (pid {lock.read().strip()})") from None
        lock.truncate(0)
        print(os.getpid(), file=lock, flush=True)
        yield


@dataclass(frozen=True, slots=True)
class Run:
    """A supervisor at work."""

    pid: int
    sockets: Path


def announce(settings: Settings) -> None:
    """To be called by a supervisor that holds the data folder: a later command may be given other settings."""
    replace(settings.run_dir / "supervisor", f"{os.getpid()}\n{settings.sockets.absolute()}\n")


def supervised(settings: Settings) -> Run | None:
    """The supervisor of the node in the data folder; None where there is none, as beside a control that runs alone."""
    try:
        # Root opens it too: it waits for no pipe that was put there.
        descriptor = os.open(settings.run_dir / "lock", os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with open(descriptor) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None  # what is announced is by one that was killed
            except BlockingIOError:
                holder = lock.read().strip()
        pid, sockets = (settings.run_dir / "supervisor").read_text().splitlines()
        ours = Path("/proc", pid).stat().st_uid == settings.run_dir.stat().st_uid
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StartError(f"DATA_DIR {settings.data_dir}: {error.strerror}") from None
    # Root signals what is named here, so it must not be led to another user's process.
    return Run(int(pid), Path(sockets)) if pid == holder and ours else None


def prepare_sockets(settings: Settings) -> None:
    """Makes the folder of the unix sockets, for us alone. Raises StartError."""
    folder = settings.sockets
    if not PLAIN_PATH.fullmatch(str(folder)) or len(os.fsencode(settings.internal_socket)) > LONGEST_SOCKET:
        raise StartError(f"QPLUS_SOCKET_DIR {folder}: give a short absolute path of letters, digits and ./+-_")
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700, parents=True)
        if not _is_private(folder):
            _require_unused(folder)
            folder.chmod(0o700)
    except OSError as error:
        raise StartError(f"QPLUS_SOCKET_DIR {folder}: {error.strerror}") from None


def temp(settings: Settings, name: str) -> Path:
    """The folder of one nginx's temporary files: on a disk, where clients can make it hold some, and not beside the
    sockets, which are in memory."""
    inside = settings.run_dir.absolute() / "temp"
    return (inside if PLAIN_PATH.fullmatch(str(inside)) else settings.sockets) / name


def prepare_temp(settings: Settings, name: str) -> Path:
    """Empties it. Raises StartError."""
    folder = temp(settings, name)
    try:
        folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StartError(f"{folder}: {error.strerror}") from None
    return folder


def tls(settings: Settings) -> Path:
    """The folder of our copies of certificate and key."""
    return settings.sockets / "tls"


def prepare_private(folder: Path) -> Path:
    """A folder for this user alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def hls(settings: Settings) -> Path:
    """The folder of HLS segments."""
    if settings.hls_dir:
        return Path(settings.hls_dir)
    inside = (settings.data_dir / "hls").absolute()
    return inside if PLAIN_PATH.fullmatch(str(inside)) else settings.sockets / "hls"


def snapshots(settings: Settings) -> Path:
    """The folder of rooms' snapshots."""
    if settings.snapshot_dir:
        return Path(settings.snapshot_dir)
    inside = (settings.data_dir / "snapshots").absolute()
    return inside if PLAIN_PATH.fullmatch(str(inside)) else settings.sockets / "snapshots"


def spelled_out(settings: Settings) -> Settings:
    """The same settings with what depends on who reads them, or when: the folders of HLS segments and snapshots, since
    a child process may run as another user, and the number of rtmp nginx."""
    return dataclasses.replace(
        settings,
        hls_dir=str(hls(settings)),
        snapshot_dir=str(snapshots(settings)),
        rtmp_workers=len(settings.workers),
    )


def prepare_hls(settings: Settings) -> None:
    """Makes and empties it: what stands there is of streams that ended with the nginx that wrote them. Raises
    StartError, also where something else stands there, which is not ours to remove."""
    folder = hls(settings)
    if not PLAIN_PATH.fullmatch(str(folder)):
        raise StartError(f"QPLUS_HLS_DIR {folder}: give an absolute path of letters, digits and ./+-_")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        streams = list(folder.iterdir())
        if not all(STREAM.fullmatch(each.name) and each.is_dir() and not each.is_symlink() for each in streams):
            raise StartError(f"QPLUS_HLS_DIR {folder}: holds other things than HLS; give a folder of its own")
        for stream in streams:  # not the folder itself: it may be a mount
            shutil.rmtree(stream)
    except OSError as error:
        raise StartError(f"QPLUS_HLS_DIR {folder}: {error.strerror}") from None


def remove_sockets(settings: Settings) -> None:
    """Leaves nothing behind, but for a folder that the operator chose."""
    parts = [temp(settings, name) for name in ("web", "guard", *(worker.name for worker in settings.workers))]
    for folder in (*parts, tls(settings), settings.sockets / "hls", settings.verdict_dir):
        shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        temp(settings, "web").parent.rmdir()
    for file in settings.sockets.glob("*.sock"):
        file.unlink(missing_ok=True)
    if not settings.socket_dir:
        with suppress(OSError):
            settings.sockets.rmdir()


def replace(file: Path, text: str, mode: int = 0o644) -> None:
    """Writes `file` so that a reader sees the old text or the new, never half of it."""
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as out:
        out.write(text)
    new.replace(file)


def _is_private(folder: Path) -> bool:
    found = folder.lstat()
    rights = found.st_mode & 0o777  # a set-group-id bit, inherited from a folder above, opens nothing
    return stat.S_ISDIR(found.st_mode) and (found.st_uid, rights) == (os.geteuid(), 0o700)


def _require_unused(folder: Path) -> None:
    """What others own or use is not ours to close, nor to trust: /tmp is open to all, and names can be guessed."""
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not ours or any(folder.iterdir()):
        raise StartError(f"QPLUS_SOCKET_DIR {folder}: somebody else's, or open to others and in use")
