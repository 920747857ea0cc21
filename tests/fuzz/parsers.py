"""Random input to what reads strangers' bytes: each either understands it or refuses it in its own words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import httpx
import hypothesis
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from control.api.fields import Fields
from control.nginx_rtmp.form import CALLS, BadForm, parse
from control.nginx_rtmp.stat import Stat, StatError
from control.refusals import BadParameter
from tests.fuzz.rtmp import Harm
from tests.support.world import HandClock
from tests.unit.test_form import CAPTURED, arguments
from tests.unit.test_stat import CLIENT, SAMPLE, document
from tests.unit.test_tickets import KEYS, TICKET

EXAMPLES = 500  # of each, between two looks at the clock

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)
cut = st.integers(0, 4000)


def bent(whole: bytes) -> st.SearchStrategy[bytes]:
    """With some bytes replaced by others."""
    return st.tuples(cut, st.binary(max_size=12), cut).map(
        lambda drawn: whole[: drawn[0] % (len(whole) + 1)] + drawn[1] + whole[drawn[2] % (len(whole) + 1) :]
    )


@given(st.sampled_from(sorted(CALLS)), st.binary() | arguments | st.sampled_from(list(CAPTURED.values())).flatmap(bent))
def form(call: str, body: bytes) -> None:
    with suppress(BadForm):
        callback = parse(call, body)
        assert isinstance(callback.password, str) and isinstance(callback.ticket, str)


@given(st.text() | bent(TICKET.encode()).map(lambda data: data.decode("utf-8", "replace")))
def ticket(text: str) -> None:
    assert KEYS.read(text) is None or text == TICKET


@given(
    st.binary()
    | bent(b'{"liveroomId": 1000001, "count": "20", "status": null, "isOpen": 1}')
    | json.map(repr).map(str.encode)
)
def fields(body: bytes) -> None:
    with suppress(BadParameter):
        read = Fields(body)
        for name in ("liveroomId", "count", "status"):
            for ask in (read.raw_text, read.needed_text, read.needed_number, read.flag_or_none):
                with suppress(BadParameter):
                    ask(name)
            with suppress(BadParameter):
                assert abs(read.number(name, 0)) <= 10**18


@given(st.binary() | bent(SAMPLE.encode()) | bent(document(CLIENT).encode()))
def stat(body: bytes) -> None:
    async def read() -> None:
        answer = httpx.MockTransport(lambda request: httpx.Response(200, content=body, headers={"X-Start": "s"}))
        async with httpx.AsyncClient(transport=answer, base_url="http://nginx") as http:
            with suppress(StatError):
                await Stat(http, HandClock()).read()

    asyncio.run(read())


QUIET = hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
)
READERS: list[Callable[[], None]] = [QUIET(each) for each in (form, ticket, fields, stat)]


def run(seconds: float) -> int:
    """How many inputs there were. Raises Harm."""
    until, done = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for reader in READERS:
            try:
                reader()
            except Exception as failure:
                raise Harm(f"{reader.__name__}: {failure!r}") from failure
            done += EXAMPLES
    return done
