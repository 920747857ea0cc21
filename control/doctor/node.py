"""Whether the node runs as it should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from control.doctor.findings import Finding, fault, good, left_out
from control.doctor.life import Life, life
from control.settings import Settings
from control.supervisor import folders, probe, sockets
from control.supervisor.errors import StartError

LOG = "look at the node's log"
STOPPED = ("T", "t")


def check(settings: Settings) -> Iterator[Finding]:
    try:
        run = folders.supervised(settings)
    except StartError as failure:
        yield fault(str(failure), "be the node's user, or root")
        return
    if run is None and life(settings) is Life.NONE:
        yield left_out(f"no node runs in {settings.data_dir}: make run")
        return
    if run is None:
        problem = probe.problem(settings.internal_socket)
        yield fault(f"control is not ready: {problem}", LOG) if problem else good("control is ready")
        yield left_out("control runs alone here: look at the nginx where they run, as by docker compose ps")
        return
    if problem := probe.problem(run.sockets / "internal.sock"):
        yield fault(f"control is not ready: {problem}", LOG)
    else:
        yield good("control is ready")
    fronts = ["web", "guard"] if settings.has_guard else ["web"]
    for name in [*fronts, *(worker.name for worker in settings.workers)]:
        yield _child(settings, name)
    for worker in settings.workers:
        if not sockets.accepts(run.sockets / worker.socket.name):
            yield fault(f"{worker.name} does not listen", LOG)


def _child(settings: Settings, name: str) -> Finding:
    with suppress(OSError, ValueError, IndexError):
        pid = int((settings.run_dir / f"{name}.pid").read_text())
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (str(pid), *workers):
            if _state(each) in STOPPED:
                return fault(f"{name} is stopped (pid {each})", f"kill -CONT {each}")
        return good(f"{name} runs (pid {pid})")
    return fault(f"{name} does not run", LOG)


def _state(pid: str) -> str:
    """As proc(5) has it."""
    return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
