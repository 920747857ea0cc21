"""The APIs' description in OpenAPI 3.1, made from their definitions once, and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response

from control import __version__
from control.api.chapters import Definition
from control.api.definitions import DEFINITIONS
from control.api.parameters import REQUIRED, Given, Parameter, Session
from control.api.replies import Refused
from control.api.statuses import Status

Json = dict[str, Any]

MEANINGS: dict[Status, str] = {
    Status.SUCCESS: "done",
    Status.SERVER_ERROR: "our fault",
    Status.PARAM_ERROR: "a field is missing or wrong; `desc` says which",
    Status.EXPIRED_SESSION: "log in (again)",
    Status.ACCOUNT_NOT_EXISTS: "no such account, phone, e-mail address or user",
    Status.LOGIN_PASSWORD: "wrong password",
    Status.ACCOUNT_EXISTS: "account taken",
    Status.PHONE_EXISTS: "phone taken",
    Status.PHONE_NOT_EXISTS: "no account has this phone",
    Status.EMAIL_EXISTS: "e-mail address taken",
    Status.EMAIL_NOT_EXISTS: "reserved",
    Status.LIVEROOM_ID_NOT_EXIST: "no such room, or not yours",
    Status.REPEAT_PASSWORD_LIVEROOM: "two of the room's passwords would be equal",
    Status.LIVEROOM_NOT_EXISTS: "you have no room",
    Status.INVALID_LIVEROOM_NAME: "room name empty, over 64 characters, or with control characters",
    Status.INVALID_PASSWORD_LIVEROOM: (
        "room password not 4–64 of `A-Z a-z 0-9 . _ ~ -`; where one is asked for: wrong, or you are banned"
    ),
    Status.DECODE_HEAD_PIC: "not base64, or not a picture we take",
}
ABOUT = """\
`POST /live/<Api>` with a JSON object, whatever the `Content-Type`. The HTTP status is 200 for every request that
reached an API: the number `status` in the answer is what counts.

Numbers in requests may also come as decimal strings, `null` and a field left out are the same, and unknown fields are
ignored. Begin with Register and Login, and send Login's `sessionId` with everything else. After 429 and 503
`Retry-After` says when to try again."""
PICTURES = ("image/jpeg", "image/png")
UNANSWERED = {
    "408": ("TooSlow", "The body took too long, or came in too many pieces."),
    "413": ("TooLarge", "The body is too large."),
    "429": ("TooMany", "This address asks for too much."),
    "503": ("Busy", "The service is starting or ending, or has enough pictures to read."),
}
"""HTTP statuses of requests that reached no API."""
LATER = {"429", "503"}
BY_QUERY = ("GetEvents",)
"""APIs that can be asked by GET too, with the session in a header."""
SESSION = {"session": {"type": "http", "scheme": "bearer", "description": "Login's `sessionId`."}}
REF = "#/components/schemas/{name}"
CACHED = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*"}


@cache
def written() -> tuple[bytes, str]:
    """As JSON, and its ETag."""
    body = orjson.dumps(document())
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


async def get_openapi(request: Request) -> Response:
    """`GET /openapi.json`."""
    body, etag = written()
    headers = CACHED | {"ETag": etag}
    if request.headers.get("if-none-match", "").removeprefix("W/") == etag:  # nginx weakens it where it compresses
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def document() -> Json:
    schemas = _schemas()
    paths = {f"/live/{name}": {"post": _operation(name, each, schemas)} for name, each in DEFINITIONS.items()}
    for name in BY_QUERY:
        paths[f"/live/{name}"]["get"] = _by_query(paths[f"/live/{name}"]["post"], DEFINITIONS[name], schemas)
    chapters = dict.fromkeys(each.chapter for each in DEFINITIONS.values())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "QPlus Live Server",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": chapter} for chapter in chapters],
        "paths": paths | {"/live/GetUserHeadPic": {"get": _head_picture(schemas)}},
        "components": {"schemas": schemas, "responses": dict(_unanswered()), "securitySchemes": SESSION},
    }


def parameters(request: type[Given]) -> list[Parameter[Any]]:
    """In their order, the session first."""
    found: dict[str, Parameter[Any]] = {}
    for owner in reversed(request.__mro__):
        found |= {name: each for name, each in vars(owner).items() if isinstance(each, Parameter)}
    return list(found.values())


def _request_name(request: type[Given]) -> str:
    return f"{request.__name__}Request"


def _request_type(request: type[Given]) -> Any:
    fields = [
        (each.name, each.described) if each.default is REQUIRED else (each.name, each.described, each.default)
        for each in parameters(request)
    ]
    return msgspec.defstruct(_request_name(request), fields, kw_only=True, namespace={"__doc__": request.__doc__})


def _schemas() -> Json:
    requests = {each.api.request: None for each in DEFINITIONS.values()}
    answers = {reply: None for each in DEFINITIONS.values() for reply in each.replies}
    types = [*map(_request_type, requests), *answers, Refused]
    schemas: Json = msgspec.json.schema_components(types, ref_template=REF)[1]
    for reply in answers:
        told = schemas[reply.__name__]["properties"]
        told["status"] = {"const": Status.SUCCESS.number}
        told["desc"] = {"const": Status.SUCCESS.text}
    refused = [status.number for status in Status if status is not Status.SUCCESS]
    schemas[Refused.__name__]["properties"]["status"] = {"type": "integer", "enum": refused}
    return schemas


def refusals(definition: Definition) -> list[Status]:
    """In the order of their numbers."""
    every = {Status.SERVER_ERROR, Status.PARAM_ERROR, *definition.refusals}
    return sorted(every, key=lambda status: status.number)


def _operation(name: str, definition: Definition, schemas: Json) -> Json:
    request = definition.api.request
    asked = {"$ref": REF.format(name=_request_name(request))}
    return {
        "operationId": name,
        "tags": [definition.chapter],
        "summary": definition.about,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": asked, "example": example(asked, schemas)}},
        },
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": _answer(name, definition, schemas)},
            },
        }
        | {status: {"$ref": f"#/components/responses/{called}"} for status, (called, _) in UNANSWERED.items()},
    }


def _by_query(posted: Json, definition: Definition, schemas: Json) -> Json:
    """Likewise, asked by GET."""
    named = parameters(definition.api.request)
    told = schemas[_request_name(definition.api.request)]["properties"]
    return {
        "operationId": f"{posted['operationId']}ByQuery",
        "security": [{"session": []}],
        "parameters": [
            {"name": each.name, "in": "query", "schema": told[each.name]}
            for each in named
            if not isinstance(each, Session)
        ],
    } | {name: posted[name] for name in ("tags", "summary", "responses")}


def _answer(name: str, definition: Definition, schemas: Json) -> Json:
    refused = refusals(definition)
    numbers = {"properties": {"status": {"enum": [status.number for status in refused]}}}
    done = [{"$ref": REF.format(name=reply.__name__)} for reply in definition.replies]
    return {
        "schema": {"anyOf": [*done, {"$ref": REF.format(name=Refused.__name__), **numbers}]},
        "examples": dict(_examples(name, definition, schemas, refused)),
    }


def _examples(
    name: str, definition: Definition, schemas: Json, refused: Iterable[Status]
) -> Iterator[tuple[str, Json]]:
    """One of each status; of each kind of answer, where there are several to what is done."""
    access = {"access": f"/live/{name}"}
    for reply in definition.replies:
        also = "" if reply is definition.replies[0] else f"-{reply.__name__}"
        value = example({"$ref": REF.format(name=reply.__name__)}, schemas) | access
        yield f"{Status.SUCCESS.number}{also}", {"summary": MEANINGS[Status.SUCCESS], "value": value}
    for status in refused:
        desc = f"{status.text}: {_first(definition.api.request)}" if status is Status.PARAM_ERROR else status.text
        value = access | {"status": status.number, "desc": desc}
        yield str(status.number), {"summary": MEANINGS[status], "value": value}


def _first(request: type[Given]) -> str:
    """The field that is named as wrong in an example."""
    named = parameters(request)
    return next((each.name for each in named if not isinstance(each, Session)), named[0].name)


def example(schema: Mapping[str, Any], schemas: Json) -> Any:
    """A value as a schema has it, made of its parts' examples."""
    match schema:
        case {"$ref": str(ref)}:
            return example(schemas[ref.rpartition("/")[2]], schemas)
        case {"examples": [first, *_]} | {"const": first}:
            return first
        case {"type": "array", "items": items}:
            return [example(items, schemas)]
        case {"properties": properties}:
            return {name: example(each, schemas) for name, each in properties.items()}
    return ""  # what a caller of this puts in itself


def _head_picture(schemas: Json) -> Json:
    refused = {"$ref": REF.format(name=Refused.__name__)}
    value = {
        "access": "/live/GetUserHeadPic",
        "status": Status.PARAM_ERROR.number,
        "desc": Status.PARAM_ERROR.text,
    }
    told = {"summary": MEANINGS[Status.PARAM_ERROR], "value": value}
    return {
        "operationId": "GetUserHeadPic",
        "tags": [DEFINITIONS["ModifyUserHeadPic"].chapter],
        "summary": "A head picture, to be cached for ever.",
        "parameters": [
            {
                "name": "id",
                "in": "query",
                "required": True,
                "description": "Its `headPicId`.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 10**9 - 1},
                "example": 7,
            }
        ],
        "responses": {
            "200": {
                "description": "The picture, or a refusal.",
                "content": {kind: {} for kind in PICTURES}
                | {
                    "application/json": {
                        "schema": refused | {"properties": {"status": {"const": Status.PARAM_ERROR.number}}},
                        "examples": {str(Status.PARAM_ERROR.number): told},
                    }
                },
            },
            "304": {"description": "It is the one that the client has."},
        }
        | {status: {"$ref": f"#/components/responses/{UNANSWERED[status][0]}"} for status in LATER},
    }


def _unanswered() -> Iterator[tuple[str, Json]]:
    after = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
    for status, (name, about) in UNANSWERED.items():
        yield name, {"description": about} | ({"headers": after} if status in LATER else {})
