"""What `/openapi.json` says of each API, and answers held to it."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs

from control.api.openapi import document

DOCUMENT = document()
Json = dict[str, Any]


def operation(api: str) -> Json:
    """Of an API of the contract."""
    methods = DOCUMENT["paths"][f"/live/{api}"]
    return dict(methods.get("post") or methods["get"])


def answer(api: str) -> Json:
    """What is said of its JSON."""
    return dict(operation(api)["responses"]["200"]["content"]["application/json"])


def question(api: str) -> Json:
    """Likewise, of a request's."""
    return dict(operation(api)["requestBody"]["content"]["application/json"])


def fields(api: str) -> Json:
    """Of a request: its schema."""
    name = question(api)["schema"]["$ref"].rpartition("/")[2]
    return dict(DOCUMENT["components"]["schemas"][name])


@cache
def answers(api: str) -> jsonschema_rs.Validator:
    return validator(answer(api)["schema"])


def validator(schema: Json) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(schema | {"components": DOCUMENT["components"]})


def faults(validator: jsonschema_rs.Validator, value: Any) -> list[str]:
    """Where a value is not as its schema says."""
    return [error.message for error in validator.iter_errors(value)]
