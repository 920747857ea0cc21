"""What the node has of its machine: disk, memory, files."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from control.doctor.findings import Finding, fault, good, odd
from control.settings import Settings
from control.storage import integrity
from control.supervisor import folders
from control.supervisor.nginx import RTMP_STACK

MIB = 2**20
LITTLE, LEAST = 2048 * MIB, 256 * MIB  # bytes that are left of a disk
LEAST_NODES = 1000  # files that can still be made
FEW_FILES, FEWEST_FILES = 16384, 2048  # a process may have open: a connection is one or two
CONTROL_MIB = 300  # of memory that control and the fronts take, besides what is below
CGROUP = Path("/sys/fs/cgroup/memory.max")


def check_disk(settings: Settings) -> Iterator[Finding]:
    places = {
        "data": settings.data_dir,
        "HLS": folders.hls(settings),
        "snapshots": folders.snapshots(settings),
    }
    for name, folder in places.items():
        yield _disk(name, folder)
    if settings.data_dir.exists() and settings.data_dir.stat().st_mode & 0o077:
        yield odd(f"{settings.data_dir} is open to others", f"chmod 700 {settings.data_dir}")


def _disk(name: str, folder: Path) -> Finding:
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return fault(f"{name}: this user cannot write {there}", "chown it to the node's user, or choose another")
    if there == folder.absolute() and (lack := integrity.lack_of_space(there)):
        return fault(f"{name}: {lack} ({there})", "make room, or mount it for writing")
    found = os.statvfs(there)
    left = found.f_bavail * found.f_frsize
    said = f"{name}: {left / 2**30:.1f} GiB left at {there}"
    if left < LEAST or (found.f_files and found.f_favail < LEAST_NODES):
        return fault(f"{said}, {found.f_favail} files", "make room before the database takes no more writes")
    return odd(said, "make room soon") if left < LITTLE and name == "data" else good(said)


def check_limits(settings: Settings) -> Iterator[Finding]:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    said = f"{files} files may be open at a time" if files != resource.RLIM_INFINITY else "any number of files"
    mend = "ulimit -n 65536, LimitNOFILE=65536 of systemd, or ulimits of the container"
    if files != resource.RLIM_INFINITY and files < FEWEST_FILES:
        yield fault(f"only {said}: clients are refused", mend)
    elif files != resource.RLIM_INFINITY and files < FEW_FILES:
        yield odd(f"{said}: enough for some {files // 2} clients", mend)
    else:
        yield good(said)
    stack = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if stack != resource.RLIM_INFINITY and stack < RTMP_STACK:
        yield odd(
            f"{stack // MIB} MiB of stack: one who was let in can end the rtmp nginx by a message that nests deeply",
            "ulimit -s unlimited, LimitSTACK=infinity of systemd, or ulimits of the container",
        )


def check_memory(settings: Settings) -> Iterator[Finding]:
    there, wanted = _memory(), _wanted(settings)
    said = f"{there // MIB} MiB; the node may take {wanted} MiB"
    if wanted * MIB > there:
        yield odd(
            f"{said} when all is used at once, and then the kernel ends a process",
            "lower QPLUS_RTMP_MEMORY_MIB, QPLUS_RTMP_WORKERS or QPLUS_ARGON2_AT_ONCE",
        )
    else:
        yield good(said)


def _wanted(settings: Settings) -> int:
    """MiB."""
    hashes = (settings.argon2_at_once or len(os.sched_getaffinity(0))) * settings.argon2_memory_kib // 1024
    return CONTROL_MIB + hashes + len(settings.workers) * settings.rtmp_memory_mib


def _memory() -> int:
    """Bytes that this machine has, or its container."""
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = CGROUP.read_text().strip()
    except OSError:
        return there
    return min(there, int(limit)) if limit.isdigit() else there
