from __future__ import annotations

import httpx
import pytest
from prometheus_client import REGISTRY

from control.nginx_rtmp.form import CALLS
from tests.support.stage import Stage
from tests.support.world import Box, body

pytestmark = pytest.mark.anyio


async def post(box: Box, call: str, content: bytes | str, node: str = "local") -> httpx.Response:
    return await box.hooks.post(f"/rtmp/{node}/{box.nginx.start}/{call}", content=content)


@pytest.mark.parametrize("call", ["connect", "record_done", "disconnect", "done", "publish_done", "play_done"])
async def test_what_asks_nothing_is_answered_yes(box: Box, call: str) -> None:
    assert await box.callback(call, 1, "1000001") == 204


@pytest.mark.parametrize("call", sorted(CALLS))
@pytest.mark.parametrize("content", [b"", b"x", b"app=live", b"\xff\x00&&&", b"{}"])
async def test_a_malformed_body_is_answered_400(box: Box, call: str, content: bytes) -> None:
    answer = await post(box, call, content)
    assert (answer.status_code, answer.content) == (400, b"")


@pytest.mark.parametrize("call", ["publish", "play", "update", "done", "disconnect"])
async def test_another_nodes_callback_is_refused(stage: Stage, call: str) -> None:
    written = body(call, 1, str(stage.id), f"pwd={stage.anchor}")
    assert (await post(stage.box, call, written, node="elsewhere")).status_code == 403


async def test_another_nodes_callback_ends_nobody(stage: Stage) -> None:
    await stage.play(1)
    await post(stage.box, "done", body("done", 1, str(stage.id)), node="elsewhere")
    assert await stage.status() == (False, 1)


@pytest.mark.parametrize("call", ["publish", "play", "update"])
async def test_a_relay_is_let_in_and_is_nobody(stage: Stage, call: str) -> None:
    assert await stage.box.callback(call, 1, str(stage.id), addr="127.0.0.1:1936/hls") == 204
    assert await stage.status() == (False, 0)


async def test_the_end_of_a_relay_ends_nobody_else(stage: Stage) -> None:
    await stage.play(1)
    await stage.box.callback("done", 1, str(stage.id), addr="127.0.0.1:1936/hls")
    assert await stage.status() == (False, 1)


@pytest.mark.parametrize("call", ["publish", "play", "update", "done"])
async def test_spoofed_arguments_open_nothing(stage: Stage, call: str) -> None:
    await stage.publish(1)
    spoofed = f"addr=10.0.0.7:1935/live&clientid=1&call=play_done&name={stage.id}&app=live"
    await stage.box.callback(call, 2, "1000099", spoofed)
    assert await stage.status() == (True, 0)


async def test_a_name_in_an_end_is_not_believed(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.callback("done", 2, str(stage.id))
    assert await stage.status() == (True, 0)


@pytest.mark.parametrize("path", ["/rtmp/local/s1/redirect", "/rtmp/local/publish", "/rtmp/local/a/b/publish"])
async def test_there_are_no_other_calls(box: Box, path: str) -> None:
    assert (await box.hooks.post(path, content="x")).status_code == 404


async def test_a_callback_is_posted(box: Box) -> None:
    assert (await box.hooks.get("/rtmp/local/s1/publish")).status_code == 405


async def test_nobody_outside_reaches_the_callbacks(box: Box) -> None:
    answer = await box.http.post(f"/rtmp/local/{box.nginx.start}/connect", content=body("connect", 1))
    assert answer.status_code == 404


async def test_a_refusal_is_logged_with_its_reason_and_no_secret(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    await stage.publish(7, pwd="pasted-by-mistake")
    await stage.box.callback("publish", 8, stage.anchor, f"pwd={stage.anchor}&ticket=t0ken")
    said = "".join(capsys.readouterr())
    assert "wrong anchor password" in said and "no such room" in said and f"room={stage.id}" in said
    assert not any(secret in said for secret in ("pasted-by-mistake", stage.anchor, stage.user, "t0ken"))


@pytest.mark.parametrize(("answer", "status"), [("yes", 204), ("no", 403)])
async def test_answers_are_counted(stage: Stage, answer: str, status: int) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("qplus_callbacks_total", {"call": "play", "answer": answer}) or 0.0

    before = counted()
    assert await stage.play(1, "" if answer == "yes" else "pwd=guess") == status
    assert counted() == before + 1
