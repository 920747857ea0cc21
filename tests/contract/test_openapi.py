"""`/openapi.json` says what there is: routes, cases, the manual and answers agree with it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.routing import Route

from control.api import requests
from control.api.fields import Fields
from control.api.openapi import MEANINGS, parameters
from control.api.parameters import Given, Parameter, Session
from control.api.statuses import Status
from control.routes import APIS
from tests.support import described
from tests.support.cases import all_cases
from tests.support.world import Box

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "api.md").read_text()
CASES = all_cases()
OTHER_NAMES = {"SearchLiveRoom": "SearchLiveStream"}
ROOM = {"liveRoomName", "liveRoomDesc", "liveRoomTopic", "liveRoomAnchorPwd", "liveRoomAssistPwd", "liveRoomUserPwd"}


def section(api: str) -> str:
    """Of the manual, up to its answer."""
    text = MANUAL.partition(f"\n### {OTHER_NAMES.get(api, api)}\n")[2].partition("\n#")[0]
    return text.partition("Answer: ")[0]


@pytest.mark.anyio
async def test_it_is_served_and_kept_until_it_changes(box: Box) -> None:
    answer = await box.http.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == described.DOCUMENT
    for etag in (answer.headers["etag"], f"W/{answer.headers['etag']}"):
        again = await box.http.get("/openapi.json", headers={"If-None-Match": etag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    other = await box.http.get("/openapi.json", headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


@pytest.mark.anyio
async def test_every_route_of_the_contract_is_described_and_no_other(box: Box) -> None:
    [paths] = [each for each in box.running.public.routes if not hasattr(each, "path")]
    found = {
        (route.path, method.lower())
        for route in vars(paths)["_routes"].values()
        if isinstance(route, Route) and route.path.startswith("/live/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert {(path, method) for path, item in described.DOCUMENT["paths"].items() for method in item} == found


@pytest.mark.parametrize("api", [*APIS, "GetUserHeadPic"])
def test_every_status_that_cases_show_has_an_example(api: str) -> None:
    shown = set().union(*(case.statuses_of(api) for case in CASES)) | {10001}
    if api == "GetUserHeadPic":  # whose success is a picture
        shown = {10002}
    examples = described.answer(api)["examples"]
    assert {example["value"]["status"] for example in examples.values()} == shown
    assert {int(name[:5]) for name in examples} == shown


@pytest.mark.parametrize("api", APIS)
def test_examples_are_as_the_schemas_say(api: str) -> None:
    asked = described.question(api)
    assert described.faults(described.validator(asked["schema"]), asked["example"]) == []
    for example in described.answer(api)["examples"].values():
        assert described.faults(described.answers(api), example["value"]) == []
        assert example["value"]["access"] == f"/live/{api}"


def test_what_statuses_mean_is_what_the_manual_says() -> None:
    rows = re.findall(r"^\| (1\d{4}) \| \S.* \| (.+) \|$", MANUAL, re.MULTILINE)
    assert {int(number): text for number, text in rows} == {each.number: MEANINGS[each] for each in Status}


@pytest.mark.parametrize("api", APIS)
def test_needed_fields_are_those_that_the_manual_prints_bold(api: str) -> None:
    bold = set(re.findall(r"\*\*`(\w+)`\*\*", section(api)))
    assert set(described.fields(api).get("required", [])) == bold


@pytest.mark.parametrize("api", APIS)
def test_every_field_is_in_the_manual(api: str) -> None:
    told = set(re.findall(r"`(\w+)`", section(api)))
    assert set(described.fields(api)["properties"]) - told <= (ROOM if api == "ModifyMyLiveRoom" else set())


def test_every_field_that_is_described_is_read() -> None:
    read = {
        node.attr
        for path in (ROOT / "control" / "api").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    named = {each.name for request in every_request() for each in parameters(request) if not isinstance(each, Session)}
    assert named - read == set()


def every_request() -> list[type[Given]]:
    return [each for each in vars(requests).values() if isinstance(each, type) and issubclass(each, Given)]


@pytest.mark.parametrize("parameter", [each for request in every_request() for each in parameters(request)])
def test_what_is_described_as_right_is_read_as_it_is(parameter: Parameter[Any]) -> None:
    request = type("Asked", (Given,), {parameter.name: parameter})
    for name in filter(None, (parameter.name, parameter.also)):
        assert read(request, parameter.name, {name: parameter.example}) == parameter.example


def read(request: type[Given], name: str, body: dict[str, Any]) -> Any:
    return getattr(request(Fields(orjson.dumps(body))), name)


def test_a_wrong_answer_is_noticed() -> None:
    right = described.answer("GetMyLiveRoomId")["examples"]["10000"]["value"]
    answers = described.answers("GetMyLiveRoomId")
    assert described.faults(answers, right) == []
    for wrong in ({"liveRoomId": "7"}, {"more": 1}, {"status": 10200}, {"desc": "done"}):
        assert described.faults(answers, right | wrong)
