"""The control process: two applications, each on a socket that listens already."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial
from typing import Any

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from control.app import real_world, running
from control.clock import Clock, SystemClock
from control.nginx_rtmp.listener import CallbackProtocol
from control.operators.order_socket import listening
from control.ops.pace import Pace, PacedProtocol
from control.running import Running
from control.settings import Settings

HEAR = 1.0  # seconds to wait for the first request on an accepted connection
KEEP = 75  # seconds that a connection may lie idle: longer than nginx keeps one, which must not find it just closed
ACCEPTED = 4  # callbacks' connections in one turn of the event loop: of each descriptor libuv takes one
AT_ONCE = 3  # requests of the APIs and the pages that begin in one
YOUNG = 20_000  # objects made, less those gone, until the collector looks for cycles among them
DRAIN = 1  # seconds that answers under way are given: newcomers wait meanwhile, for the next control to come up

log = structlog.get_logger()


class Server(uvicorn.Server):
    """One of several in a process, which handles signals for all of them."""

    clock: Clock = SystemClock()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers first what is on connections that are accepted. uvicorn closes those without a request yet, which to
        nginx is a refusal; connections from now on are for the next control, which has the same socket."""
        for server in self.servers:
            server.close()
        with suppress(TimeoutError):
            async with self.clock.within(HEAR):
                await self._first_requests()
        await super().shutdown(sockets)

    async def _first_requests(self) -> None:
        """Returns once each connection has had a request: until then uvicorn's protocol has no request cycle."""
        while True:
            await asyncio.sleep(0.02)  # before the first look: the loop may have accepted one and not told yet
            if all(getattr(protocol, "cycle", protocol) is not None for protocol in self.server_state.connections):
                return


def serve(settings: Settings, internal: socket.socket, public: socket.socket) -> None:
    """Until TERM or INT. Both sockets listen already, and are their opener's to close."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, internal, public))


async def _serve(settings: Settings, internal: socket.socket, public: socket.socket) -> None:
    async with running(settings, real_world(settings)) as started, AsyncExitStack() as stack:
        orders = stack.enter_context(listening(settings.run_dir))
        callbacks = server_of(started.internal, partial(CallbackProtocol, started.callbacks))
        servers = {
            callbacks: [internal, *(internal.dup() for _ in range(ACCEPTED - 1))],
            server_of(started.public, partial(PacedProtocol, Pace(AT_ONCE))): [public],
            server_of(started.operators): [orders],
        }
        if port := _metrics_listener(settings):
            servers[server_of(started.metrics)] = [stack.enter_context(port)]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _stop, servers, started)
        # What is there now stays, so it is not looked through again; and a young generation of a thousand objects is a
        # few requests here, nearly all of which are gone with them.
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG)
        log.info("control serves", node=settings.node)
        async with asyncio.TaskGroup() as group:
            for server, listeners in servers.items():
                group.create_task(server.serve(sockets=listeners))
    log.info("control ended")


def _metrics_listener(settings: Settings) -> socket.socket | None:
    """None where none is wanted, or it cannot be had: no stream ends for that."""
    if not settings.metrics_port:
        return None
    address = settings.metrics_address, settings.metrics_port
    try:
        return socket.create_server(address, family=socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    except OSError as failure:
        log.error("metrics port not opened", port=settings.metrics_port, failure=failure.strerror)
        return None


def server_of(app: ASGIApp, protocol: Any = "httptools") -> Server:
    """`protocol`: a name that uvicorn knows, or what makes one for each connection."""
    return Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips="*",  # only the web nginx reaches the socket, and it writes the header itself
            timeout_keep_alive=KEEP,
            timeout_graceful_shutdown=DRAIN,
            backlog=2048,
        )
    )


def _stop(servers: Iterable[Server], started: Running) -> None:
    started.stop_waiting()
    for server in servers:
        server.should_exit = True
