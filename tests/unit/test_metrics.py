"""What Prometheus is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families as parsed

from control.ops.latencies import BOUNDS, Latencies
from control.settings import SettingError, Settings
from control.storage.tables import room_events, webhooks
from tests.support.stage import Stage, staged
from tests.support.world import Box, box

pytestmark = pytest.mark.anyio

Labels = dict[str, str]


async def page(box: Box) -> dict[str, list[tuple[Labels, float]]]:
    answer = await box.hooks.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found: dict[str, list[tuple[Labels, float]]] = {}
    for family in parsed(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


async def value(box: Box, name: str, **labels: str) -> float:
    """0 for what has not been counted yet."""
    return next((value for found, value in (await page(box)).get(name, []) if labels.items() <= found.items()), 0.0)


async def test_sessions_are_told_by_role_and_protocol(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    await stage.play(3)
    of_node = {"node": "local", "protocol": "rtmp"}
    assert await value(stage.box, "qplus_sessions", role="publisher", **of_node) == 1
    assert await value(stage.box, "qplus_sessions", role="player", **of_node) == 2
    await stage.leave(2)
    await stage.leave(3)
    sessions = (await page(stage.box))["qplus_sessions"]
    assert [labels["role"] for labels, _ in sessions if labels["protocol"] == "rtmp"] == ["publisher"]


async def test_viewers_over_hls_are_told(stage: Stage) -> None:
    await stage.publish(1)
    viewer = await stage.box.session("viewer", "13900000001")
    told = await stage.box.api("PlayLiveStream", sessionId=viewer, liveroomId=stage.id, status=1)
    ticket = told["playHlsUrl"].split("/hls/")[1].split("/")[0]
    await stage.status()
    await stage.box.hooks.get("/hls", params={"ticket": ticket, "room": str(stage.id)})
    assert await value(stage.box, "qplus_sessions", role="player", protocol="hls") == 1


async def test_the_largest_rooms_have_figures_of_their_own_and_no_others(settings: Settings) -> None:
    async with box(replace(settings, metrics_rooms=1)) as opened:
        small, large = await staged(opened, 1), await staged(opened, 2)
        for client, each in enumerate((small, large), 1):
            await each.publish(client)
        await large.play(3)
        await large.status()
        told = (await page(opened))["qplus_room_viewers"]
        assert told == [({"room": str(large.id)}, 1.0)]
        for client, each in enumerate((small, large), 1):
            await each.leave(client)
        await large.status()
        assert "qplus_room_viewers" not in await page(opened)


@pytest.mark.parametrize(
    "name, arguments, reason",
    [("5", "pwd=x", "no such room"), ("", "pwd=wrong", "wrong anchor password")],
)
async def test_refusals_are_told_by_their_reason(stage: Stage, name: str, arguments: str, reason: str) -> None:
    before = await value(stage.box, "qplus_refusals_total", call="publish", reason=reason)
    assert await stage.box.callback("publish", 7, name or str(stage.id), arguments) == 403
    assert await value(stage.box, "qplus_refusals_total", call="publish", reason=reason) == before + 1


async def test_an_address_in_a_reason_makes_no_series_of_its_own(stage: Stage) -> None:
    await stage.publish(1)
    await stage.status()
    verdict = await stage.box.clock.steps(0.1, stage.publish(2), lambda: stage.update(1, timestamp=2000))
    assert verdict == 403
    reasons = {labels["reason"] for labels, _ in (await page(stage.box))["qplus_refusals_total"]}
    assert "already live" in reasons
    assert not any("192.0.2.7" in reason for reason in reasons)


async def test_apis_are_told_by_their_answer_and_how_long_it_took(stage: Stage) -> None:
    before = await value(stage.box, "qplus_api_answers_total", api="GetMyLiveRoom", status="10000")
    counted = await value(stage.box, "qplus_api_seconds_count", api="GetMyLiveRoom")
    await stage.own("GetMyLiveRoom")
    assert await value(stage.box, "qplus_api_answers_total", api="GetMyLiveRoom", status="10000") == before + 1
    assert await value(stage.box, "qplus_api_seconds_count", api="GetMyLiveRoom") == counted + 1


async def test_a_path_that_is_no_api_makes_no_series(stage: Stage) -> None:
    await stage.box.http.post("/live/Nothing", json={})
    assert "Nothing" not in (await stage.box.hooks.get("/metrics")).text


async def test_the_database_is_told_by_what_is_done(stage: Stage) -> None:
    told = {labels["what"]: value for labels, value in (await page(stage.box))["qplus_database_seconds_count"]}
    assert told.keys() == {"waiting", "reading", "writing"}
    assert told["waiting"] == told["reading"] + told["writing"]


async def test_events_that_webhooks_have_yet_to_take_are_told(stage: Stage) -> None:
    assert await value(stage.box, "qplus_outbox_events") == 0
    hook = {"url": "https://u", "secret": "s", "kinds": "[]", "wants_viewers": False, "paused": False, "position": 1}
    hook |= {"due_at": 9e9, "failures": 3, "attempts": 3, "created_at": 1.0}
    event = {"room_id": stage.id, "at": 1.0, "kind": "room.live", "details": "{}"}
    await stage.box.running.store.write(
        webhooks.insert().values(room_id=stage.id, **hook),
        *(room_events.insert().values(number=number, **event) for number in (1, 2, 3)),
    )
    assert await value(stage.box, "qplus_outbox_events") == 2


async def test_what_runs_is_told(box: Box) -> None:
    [(labels, one)] = (await page(box))["qplus_build_info"]
    assert labels.keys() == {"version", "python", "database"} and one == 1


async def test_the_port_of_its_own_has_nothing_but_the_page(box: Box) -> None:
    assert [route.path for route in box.running.metrics.routes] == ["/metrics"]  # type: ignore[attr-defined]


def test_what_takes_a_time_is_counted_in_every_bucket_that_it_fits() -> None:
    registry = CollectorRegistry()
    latencies = Latencies("x_seconds", "x", ["call"], registry=registry)
    for seconds in (0.0, BOUNDS[0], BOUNDS[-1], 99.0):
        latencies.observe("play", seconds)

    def count(bound: str) -> float | None:
        return registry.get_sample_value("x_seconds_bucket", {"call": "play", "le": bound})

    assert (count("0.0005"), count("10.0"), count("+Inf")) == (2, 3, 4)
    assert registry.get_sample_value("x_seconds_sum", {"call": "play"}) == BOUNDS[0] + BOUNDS[-1] + 99


def test_the_address_of_the_port_is_one() -> None:
    assert Settings(metrics_address="::1").metrics_address == "::1"
    with pytest.raises(SettingError, match="QPLUS_METRICS_ADDRESS"):
        Settings(metrics_address="localhost")
