"""One process that runs a node: control, the guard, the rtmp nginx and the web nginx are its children.

Startup settles what can be settled beforehand (lock, ports, folders, sockets), the main loop waits for readiness and
then for a signal, shutdown ends the children. TERM and INT stop; HUP restarts control alone, while streams go on.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog

from control.clock import StepDetector, SystemClock
from control.settings import Settings, to_env
from control.supervisor import banner, folders, nginx, ports, privileges, probe, sockets, tls
from control.supervisor.children import Child, spawn
from control.supervisor.errors import StartError
from control.supervisor.successor import Successor
from control.supervisor.watchdog import Watchdog

READY_SECONDS = 30.0  # seconds that a node may take to come up
LOOK_EVERY = 1.0  # seconds between two looks at the wall clock and at control
SET_BACK = -1.0  # seconds: less than this, and what nginx keeps is only kept a little longer
TRIES = 5  # a child that has ended this often before all was ready will not come up

log = structlog.get_logger()


def run(settings: Settings, control_command: Sequence[str] = ()) -> int:
    """Runs a node until it is told to stop. Returns the exit code. Raises StartError."""
    if os.geteuid() == 0:
        privileges.drop(settings)
    return Supervisor(settings, control_command).run()


class Supervisor:
    def __init__(self, settings: Settings, control_command: Sequence[str] = ()) -> None:
        """`control_command` gets `--internal-fd N --public-fd M` appended, and `--after-fd K` where it is to wait."""
        self._settings = folders.spelled_out(settings)
        self._control_command = control_command or (sys.executable, "-m", "control", "serve")
        self._listeners: list[socket.socket] = []
        self._on_terminal = os.isatty(0)

    def run(self) -> int:
        try:
            with folders.locked(self._settings), ports.opened(self._settings) as self._ports:
                asyncio.run(self._run())
        except StartError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        return 0

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        self._upgrades = asyncio.Lock()
        self._watch_signals()
        self._startup()
        keepers = [asyncio.create_task(child.keep()) for child in self._children]
        for keeper in keepers:
            keeper.add_done_callback(lambda _: self._stop.set())
        try:
            await self._main_loop()
        finally:
            await self._shutdown()
            await asyncio.gather(*keepers)

    def _startup(self) -> None:
        nginx.program()
        nginx.read_templates()
        folders.prepare_sockets(self._settings)
        tls.install(self._settings)
        folders.announce(self._settings)
        sockets.raise_limit()
        self._listeners = [sockets.listen(self._settings.internal_socket), sockets.listen(self._settings.public_socket)]
        self._control = self._child("control", self._start_control)
        folders.prepare_hls(self._settings)
        self._rtmp = [
            self._child(worker.name, partial(self._start_rtmp, number))
            for number, worker in enumerate(self._settings.workers)
        ]
        self._web = self._child("web", self._start_web)
        self._guard = self._child("guard", self._start_guard) if self._settings.has_guard else None
        self._fronts = (self._web, self._guard) if self._guard else (self._web,)
        self._children = (self._control, *self._rtmp, *self._fronts)

    async def _main_loop(self) -> None:
        wall_clock = StepDetector(SystemClock())
        deadline = time.monotonic() + READY_SECONDS
        while not self._stop.is_set() and (problem := await asyncio.to_thread(self._problem)):
            if self._control.hopeless:
                raise StartError("control cannot work; see what was printed above")
            if self._control.waiting:
                deadline = time.monotonic() + READY_SECONDS
            failed = [child.name for child in self._children if child.failures >= TRIES]
            if failed or time.monotonic() > deadline:
                what = f"{' and '.join(failed)} ended again and again" if failed else problem
                raise StartError(f"not ready: {what}; see what was printed above")
            await asyncio.sleep(0.05)
        if not self._stop.is_set():
            print(banner.text(self._settings, sockets.host()), flush=True)
        watchdog = Watchdog(self._settings.internal_socket, SystemClock())
        while not self._stop.is_set():
            if (step := wall_clock.step()) < SET_BACK:
                self._refresh_web(step)
            if await asyncio.to_thread(watchdog.hangs, self._control.pid):
                log.warning("control hangs", pid=self._control.pid)
                await self._control.restart()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK_EVERY)

    def _refresh_web(self, step: float) -> None:
        """Once the clock was set, by `step` seconds. nginx keeps verdicts and open files until a time of day, which is
        far off then: viewers over HLS would get one playlist again and again, and be counted no more."""
        log.warning("the clock was set back", seconds=round(-step))
        nginx.forget_verdicts(self._settings)
        self._web.hang_up()

    async def _shutdown(self) -> None:
        # control last: it writes down what the others leave.
        await asyncio.gather(*(child.stop() for child in (*self._fronts, *self._rtmp)))
        await self._control.stop()
        for listener in self._listeners:
            listener.close()
        folders.remove_sockets(self._settings)

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _hang_up(self) -> None:
        """HUP is also what a terminal sends that is being closed."""
        if self._on_terminal and not os.isatty(0):
            self._stop.set()
        else:
            self._upgrading = asyncio.create_task(self._upgrade())
            self._renew_certificate()

    async def _upgrade(self) -> None:
        """Has the code that is on disk now take over, if it loads."""
        async with self._upgrades:
            successor = Successor(self._start_control, SystemClock())
            if await successor.loaded():
                await self._control.restart(successor)
            else:
                log.error("new code does not load", code="the code before works on")

    def _renew_certificate(self) -> None:
        """Takes up one that was renewed; streams and viewers go on under the old one. One that is no good is left."""
        try:
            if tls.install(self._settings):
                log.info("certificate renewed")
                for child in self._fronts:
                    child.hang_up()
        except StartError as error:
            log.error("certificate not renewed", error=str(error))

    def _start_control(self, after: int | None = None) -> subprocess.Popen[bytes]:
        """`after`: the descriptor of a successor."""
        internal, public = (listener.fileno() for listener in self._listeners)
        command = [*self._control_command, "--internal-fd", str(internal), "--public-fd", str(public)]
        keep = [internal, public]
        if after is not None:
            command += ["--after-fd", str(after)]
            keep.append(after)
        return spawn(command, {**os.environ, **to_env(self._settings)}, keep)

    def _start_rtmp(self, number: int) -> subprocess.Popen[bytes]:
        worker = self._settings.workers[number]
        worker.socket.unlink(missing_ok=True)
        if len(self._rtmp) == 1:  # or another still writes there
            folders.prepare_hls(self._settings)
        file = nginx.write_rtmp(self._settings, worker, secrets.token_hex(8), self._ports.of_worker(number))
        memory = self._settings.rtmp_memory_mib * 2**20
        return self._start_nginx(file, self._ports.rtmp[number], stack=nginx.RTMP_STACK, memory=memory)

    def _start_guard(self) -> subprocess.Popen[bytes]:
        workers = [self._ports.of_worker(number).clients for number in range(len(self._rtmp))]
        return self._start_nginx(nginx.write_guard(self._settings, workers), self._ports.guard)

    def _start_web(self) -> subprocess.Popen[bytes]:
        return self._start_nginx(nginx.write_web(self._settings), self._ports.web)

    def _start_nginx(
        self, file: Path, listeners: Sequence[socket.socket], stack: int = 0, memory: int = 0
    ) -> subprocess.Popen[bytes]:
        keep = [listener.fileno() for listener in listeners]
        return spawn(nginx.command(file), nginx.environment(listeners), keep, stack, memory)

    def _child(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> Child:
        return Child(name=name, pid_file=self._settings.run_dir / f"{name}.pid", start=start, clock=SystemClock())

    def _problem(self) -> str:
        """What still keeps the node from being ready; empty when nothing does."""
        if not all(sockets.accepts(worker.socket) for worker in self._settings.workers):
            return "the rtmp nginx does not listen"
        if problem := probe.problem(self._settings.internal_socket):
            return problem
        return probe.web_problem(self._settings)
