"""Requests that schemathesis makes up from `/openapi.json`, right and wrong ones: no answer is other than it says."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from control.routes import APIS
from control.settings import Settings
from tests.support import described, world
from tests.support.people import Person, go_live, person
from tests.support.world import SITE, Box

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 6  # requests of each API in each mode
ENDING = {"LogOut", "DeleteMyAccount", "ModifyUserPwd"}  # of which each is somebody's last
UNLUCKY = ENDING | {"Login", "Register", "ModifyUserHeadPic"}
"""None of these need be done: what they need is not guessed."""


@dataclass
class Target:
    portal: BlockingPortal
    box: Box
    ann: Person
    room: dict[str, Any]
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)

    def ask(self, case: Case[Any]) -> None:
        """Raises FailureGroup."""
        answer = self.portal.call(self._send, case.as_transport_kwargs(base_url=SITE))
        api = case.path.rpartition("/")[2]
        if answer.headers["content-type"] == "application/json":
            self.seen[api, answer.json()["status"]] += 1
        case.validate_response(answer, checks=CHECKS)

    async def _send(self, request: dict[str, Any]) -> httpx.Response:
        named = {"method", "url", "headers", "params", "json", "data"}
        made = {"content" if name == "data" else name: value for name, value in request.items() if name in named}
        return await self.box.clock.steps(0.1, self.box.http.request(**made))

    def own(self) -> dict[str, Any]:
        """What lets a request come further than to the first refusal."""
        room_id = self.room["liveRoomId"]
        webhook = {"webhookId": self.portal.call(self._webhook), "after": 0}
        rooms = {"liveRoomId": room_id, "liveroomId": room_id, "keyword": room_id}
        return {"sessionId": self.ann.session} | rooms | webhook

    async def _webhook(self) -> int:
        """One is made where the last was removed."""
        mine = (await self.ann.does("GetMyWebhooks"))["list"]
        made = mine[0] if mine else await self.ann.does("AddWebhook", url="https://app.example/hooks")
        return int(made["webhookId"])


@pytest.fixture
def target(settings: Settings) -> Iterator[Target]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(world.box(replace(settings, guess_limit=0))) as box,
    ):
        ann, room = portal.call(furnish, box)
        yield Target(portal, box, ann, room)


async def furnish(box: Box) -> tuple[Person, dict[str, Any]]:
    ann = await person(box)
    room = await ann.opens()
    await go_live(box, room)
    return ann, room


def run(target: Target, schema: OpenApiSchema, api: str, mode: GenerationMode) -> None:
    """The same requests at every run. Raises FailureGroup."""
    operation = schema[f"/live/{api}"]["GET" if api == "GetUserHeadPic" else "POST"]

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        target.ask(case)
        if isinstance(case.body, dict) and api not in ENDING:
            case.body = case.body | target.own()
            target.ask(case)

    ask()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_every_answer_is_as_described(target: Target, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(described.DOCUMENT)
    for api in [*APIS, "GetUserHeadPic"]:
        run(target, schema, api, mode)
    assert {api for api, _ in target.seen} == {*APIS, "GetUserHeadPic"}
    assert 10001 not in {status for _, status in target.seen}
    if mode is GenerationMode.POSITIVE:
        assert {*APIS} - {api for api, status in target.seen if status == 10000} <= UNLUCKY


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        (("properties", "number", "type"), "string"),
        (("properties", "desc", "const"), "done"),
        (("required",), ["access", "status", "desc", "number", "more"]),
    ],
)
def test_an_answer_that_is_not_is_found(target: Target, wrong: tuple[str, ...], value: object) -> None:
    document = copy.deepcopy(described.DOCUMENT)
    *path, last = wrong
    place = document["components"]["schemas"]["Number"]
    for step in path:
        place = place[step]
    place[last] = value
    with pytest.raises(FailureGroup):
        run(target, schemathesis.openapi.from_dict(document), "GetLiveroomNumber", GenerationMode.POSITIVE)


@pytest.mark.parametrize("missing", ["200", "application/json"])
def test_a_status_or_a_kind_of_content_that_is_not_described_is_found(target: Target, missing: str) -> None:
    document = copy.deepcopy(described.DOCUMENT)
    answers = document["paths"]["/live/GetLiveroomNumber"]["post"]["responses"]
    if missing == "200":
        answers["201"] = answers.pop("200")
    else:
        answers["200"]["content"]["text/plain"] = answers["200"]["content"].pop(missing)
    with pytest.raises(FailureGroup):
        run(target, schemathesis.openapi.from_dict(document), "GetLiveroomNumber", GenerationMode.POSITIVE)


def test_the_description_is_one_of_openapi_3_1() -> None:
    schemathesis.openapi.from_dict(described.DOCUMENT).validate()
