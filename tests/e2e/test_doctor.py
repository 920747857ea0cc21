"""`qplus doctor`, at a node that is well and at one that is not."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Node
from tests.e2e.test_commands import qplus, told

pytestmark = pytest.mark.anyio


def faults(node: Node, *parts: str) -> dict[str, list[str]]:
    words = [word for part in parts for word in ("--only", part)]
    done = qplus(node, "doctor", "--json", *words)
    assert done.returncode == 1, done
    return of_grade(json.loads(done.stdout), "fault")


def of_grade(answer: dict[str, Any], grade: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in answer["findings"]:
        if finding["grade"] == grade:
            found.setdefault(finding["part"], []).append(finding["what"])
    return found


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_a_node_that_is_well_has_no_fault_and_a_push_goes_through_it(node: Node) -> None:
    answer = told(node, "doctor")
    assert of_grade(answer, "fault") == {}
    steps = of_grade(answer, "good")["chain"]
    assert [step.partition(":")[0] for step in steps] == [
        "an account and a room",
        "a push",
        "play over RTMP",
        "play over HLS",
        "the end of the push",
    ]
    assert told(node, "user", "list")["users"] == []
    assert "No faults" in qplus(node, "doctor", "--no-push").stdout


async def test_an_nginx_that_hangs_is_found_by_its_process_and_by_the_push(node: Node) -> None:
    stopped = children(node.pid("rtmp"))
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        found = faults(node, "node", "chain")
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert f"rtmp is stopped (pid {stopped[0]})" in found["node"]
    assert found["chain"][0].startswith("a push: the room is not live")
    assert told(node, "user", "list")["users"] == []


async def test_a_node_whose_settings_are_not_the_commands_is_found(node: Node) -> None:
    node.env["QPLUS_HTP_PORT"] = "1"
    assert faults(node) == {"settings": ["unknown setting: QPLUS_HTP_PORT"]}


async def test_a_control_that_is_not_ready_is_found(node: Node) -> None:
    os.kill(node.pid("supervisor"), signal.SIGSTOP)
    os.kill(node.pid("control"), signal.SIGSTOP)
    try:
        assert "control is not ready" in faults(node, "node")["node"][0]
    finally:
        os.kill(node.pid("control"), signal.SIGCONT)
        os.kill(node.pid("supervisor"), signal.SIGCONT)
