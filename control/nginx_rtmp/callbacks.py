"""nginx-rtmp's callbacks: reads one, has it judged, answers."""

from __future__ import annotations

import re
import sys
from functools import cache, lru_cache
from typing import NamedTuple

import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response

from control.live.inputs import Inputs, Unkept
from control.live.presence import SessionKey
from control.nginx_rtmp.clients import Clients
from control.nginx_rtmp.form import BadForm, Callback, parse
from control.nginx_rtmp.refused_pushes import RefusedPushes
from control.ops import metrics
from control.ops.causes import because
from control.refusals import Denied


class Answer(NamedTuple):
    """To a callback. 2xx admits, 3xx admits and sends the stream on, 403 denies or disconnects."""

    status: int
    location: str = ""


YES, NO, MALFORMED = Answer(204), Answer(403), Answer(400)

_NAMES = re.compile(r" (?:at node|from) .*")

BEGINNINGS = ("publish", "play")

log = structlog.get_logger()


class Callbacks:
    def __init__(self, clients: Clients, refused_pushes: RefusedPushes, inputs: Inputs | None = None) -> None:
        self._clients = clients
        self._inputs: Inputs = inputs or Unkept()
        self._refused_pushes = refused_pushes

    async def answer(self, call: str, request: Request) -> Response:
        """`POST /rtmp/{node}/{start}/` and the call."""
        where = request.path_params
        answer = await self.judge(call, where["node"], where["start"], await request.body())
        return Response(status_code=answer.status, headers={"Location": answer.location} if answer.location else None)

    async def judge(self, call: str, node: str, start: str, body: bytes) -> Answer:
        answer = self.judge_at_once(call, node, start, body)
        if answer is not None:
            return answer
        callback = parse(call, body)
        key = _key(node, start, callback)
        try:
            await self._wait(call, key, callback)
        except Denied as denied:
            return self._no(call, key, callback, denied)
        return self._yes(call, key)

    def judge_at_once(self, call: str, node: str, start: str, body: bytes) -> Answer | None:
        """Likewise. None, and nothing done, where something has to be waited for; never so for an end."""
        because.set(call)
        try:
            callback = parse(call, body)
        except BadForm as failure:
            log.warning("callback not understood", call=call, failure=str(failure))
            return MALFORMED
        key = _key(node, start, callback)
        try:
            if self._ask_at_once(call, key, callback):
                return self._yes(call, key)
        except Denied as denied:
            return self._no(call, key, callback, denied)
        if call != "update":
            self._clients.expect(key)
        return None

    def _yes(self, call: str, key: SessionKey) -> Answer:
        _counted(call, "yes").inc()
        relays = self._clients.relays
        location = relays.redirect(key) if relays.several and call in BEGINNINGS else ""
        return Answer(302, location) if location else YES

    def _no(self, call: str, key: SessionKey, callback: Callback, denied: Denied) -> Answer:
        _counted(call, "no").inc()
        _refused(call, denied.reason).inc()
        if call in BEGINNINGS:
            self._clients.turned_away(key)
        self._note(callback, denied.reason)
        return NO

    def _note(self, callback: Callback, reason: str) -> None:
        room = self._clients.known_room(callback.name)
        if room is not None:
            self._inputs.note_refusal(callback.call, room, callback.address, reason)
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
        """Raises Denied."""
        if not self._ask_at_once(call, key, callback):
            await self._wait(call, key, callback)

    def _ask_at_once(self, call: str, key: SessionKey, callback: Callback) -> bool:
        """False, and nothing done, where something has to be waited for. Raises Denied."""
        if key.node not in self._clients.nginxes:
            raise Denied("another node's callback")
        if callback.is_relay:
            return True  # nginx's own, for a session that has its verdict: neither a publisher nor a viewer
        if callback.relay and call in (*BEGINNINGS, "update"):
            self._clients.relays.enter(key, callback)
            return True
        match call:
            case "publish":
                return False
            case "play":
                return self._clients.play_at_once(key, callback)
            case "update":
                return self._clients.update_at_once(key, callback)
            case "connect" | "record_done":
                return True  # a connection counts for nothing until it publishes or plays
            case _:
                self._clients.end(key)
                return True

    async def _wait(self, call: str, key: SessionKey, callback: Callback) -> None:
        await (self._clients.update if call == "update" else self._clients.let_in)(key, callback)


def _key(node: str, start: str, callback: Callback) -> SessionKey:
    return SessionKey(sys.intern(node), sys.intern(start), callback.client)


@lru_cache(1000)
def _refused(call: str, reason: str) -> Counter:
    """Of few reasons, without the addresses and nodes that some name."""
    return metrics.refusals.labels(call, _NAMES.sub("", reason))


@cache
def _counted(call: str, answer: str) -> Counter:
    """Of few calls; to look it up by labels each time takes longer than to count."""
    return metrics.callbacks.labels(call, answer)
