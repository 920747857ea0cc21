"""nginx-rtmp's callbacks: reads one, has it judged, answers. 2xx admits, 403 denies or disconnects."""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import Response

from control.live.presence import SessionKey
from control.nginx_rtmp.clients import Clients
from control.nginx_rtmp.form import BadForm, Callback, parse
from control.nginx_rtmp.refused_pushes import RefusedPushes
from control.ops import metrics
from control.refusals import Denied

YES, NO, MALFORMED = 204, 403, 400

log = structlog.get_logger()


class Callbacks:
    def __init__(self, node: str, clients: Clients, refused_pushes: RefusedPushes) -> None:
        self._node = node
        self._clients = clients
        self._refused_pushes = refused_pushes

    async def answer(self, call: str, request: Request) -> Response:
        """`POST /rtmp/{node}/{start}/` and the call."""
        try:
            callback = parse(call, await request.body())
        except BadForm as failure:
            log.warning("callback not understood", call=call, failure=str(failure))
            return Response(status_code=MALFORMED)
        key = SessionKey(request.path_params["node"], request.path_params["start"], callback.client)
        try:
            await self._ask(call, key, callback)
        except Denied as denied:
            metrics.callbacks.labels(call, "no").inc()
            self._note(callback, denied.reason)
            return Response(status_code=NO)
        metrics.callbacks.labels(call, "yes").inc()
        return Response(status_code=YES)

    def _note(self, callback: Callback, reason: str) -> None:
        room = self._clients.known_room(callback.name)
        if room is not None and callback.call == "publish":
            self._refused_pushes.note(room, reason, callback.address, callback.encoder)
        log.info(
            f"{callback.call} refused",
            reason=reason,
            room=room,
            client=callback.client,
            address=callback.address,
            encoder=callback.encoder,
        )

    async def _ask(self, call: str, key: SessionKey, callback: Callback) -> None:
        if key.node != self._node:
            raise Denied("another node's callback")
        if callback.is_relay:
            return  # nginx's own, for a session that has its verdict: neither a publisher nor a viewer
        match call:
            case "publish":
                await self._clients.publish(key, callback)
            case "play":
                await self._clients.play(key, callback)
            case "update":
                await self._clients.update(key, callback)
            case "publish_done" | "play_done" | "done" | "disconnect":
                self._clients.end(key)
            case "connect" | "record_done":
                pass  # a connection counts for nothing until it publishes or plays
