"""How the page's player stays near what is live, without a browser: node runs its scripts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

STATIC = Path(__file__).parents[2] / "control" / "web" / "static"
NOW = 1_800_000_000_000  # milliseconds since the epoch, by the browser's clock
BROWSER = f"""
Date.now = () => {NOW};
globalThis.XMLHttpRequest = class {{ constructor(date) {{ this.getResponseHeader = () => date }} }};
"""


def run(script: str, work: str) -> Any:
    """What `work` returns, with the script's exports as `it`. It imports none."""
    load = f"const it = await import('data:text/javascript,' + encodeURIComponent({json.dumps(script)}));"
    told = f"console.log(JSON.stringify((() => {{ {work} }})()));"
    command = ["node", "--input-type=module", "-e", BROWSER + load + told]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout)


def look(*moments: dict[str, float], rests: bool = False) -> list[tuple[float, int]]:
    """How fast it plays after each moment, and how often it has jumped by then."""
    work = """
        const video = { paused: false, playbackRate: 1, currentTime: 10, buffered: { length: 1, start: () => 5 } };
        let jumps = 0;
        const player = { tooLate: 6, toLive: () => (jumps += 1) };
        const pursuit = new it.Pursuit(video, player);
        pursuit.rests = RESTS;
        return MOMENTS.map(({ behind = 0, late = 0, ahead = 3, paused = 0 }) => {
          Object.assign(player, { behind, late });
          video.paused = paused === 1;
          video.buffered.end = () => video.currentTime + ahead;
          pursuit.look();
          return [video.playbackRate, jumps];
        });
    """
    work = work.replace("RESTS", json.dumps(rests)).replace("MOMENTS", json.dumps(moments))
    return [(rate, jumps) for rate, jumps in run((STATIC / "pursuit.js").read_text(), work)]


def test_it_hurries_when_it_is_behind_until_it_has_caught_up() -> None:
    late = {"behind": 7.0, "late": 2.0}
    nearly, there = {"behind": 5.4, "late": 0.4}, {"behind": 5.2, "late": 0.2}
    assert look({"behind": 5.0}, late, nearly, there, nearly) == [(1, 0), (1.1, 0), (1.1, 0), (1, 0), (1, 0)]


def test_it_does_not_hurry_where_it_is_where_it_means_to_be() -> None:
    assert look({"behind": 11.0, "late": 0.8}) == [(1, 0)]  # key frames every four seconds


def test_it_jumps_when_it_is_far_behind() -> None:
    assert look({"behind": 7.0, "late": 2.0}, {"behind": 14.0, "late": 9.0}) == [(1.1, 0), (1, 1)]


def test_it_does_not_hurry_into_a_stall() -> None:
    late = {"behind": 7.0, "late": 2.0}
    assert look(late, late | {"ahead": 0.5}, late | {"ahead": -1.0}) == [(1.1, 0), (1, 0), (1, 0)]


def test_it_leaves_a_viewer_who_went_back_or_paused() -> None:
    late, far = {"behind": 7.0, "late": 2.0}, {"behind": 14.0, "late": 9.0}
    assert look(late, far, rests=True) == [(1, 0), (1, 0)]
    assert look(far | {"paused": 1}) == [(1, 0)]


def delay(work: str) -> Any:
    return run((STATIC / "delay.js").read_text(), f"const delay = new it.Delay(); {work}")


SHOWN = f"delay.shown({{ url: 'https://live.example/hls/a.b/1000001/{NOW - 8000}.ts', start: 20 }});"
HEARD = f"delay.heard(new XMLHttpRequest(new Date({NOW} + AHEAD).toUTCString()));"


@pytest.mark.parametrize(("ahead", "seconds"), [("0", 6), ("60_000", 66), ("-60_000", 0)])
def test_how_far_it_is_behind_is_told_by_the_servers_clock(ahead: str, seconds: int) -> None:
    assert delay(SHOWN + HEARD.replace("AHEAD", ahead) + "return delay.of(22);") == seconds


def test_the_best_of_some_answers_is_taken() -> None:
    heard = "".join(HEARD.replace("AHEAD", each) for each in ("-900", "-100", "-500"))
    assert delay(SHOWN + heard + "return delay.of(22);") == 5  # times have no parts of a second


@pytest.mark.parametrize("work", [SHOWN, HEARD.replace("AHEAD", "0"), "delay.heard(null);" + SHOWN])
def test_it_says_nothing_before_it_knows(work: str) -> None:
    assert delay(work + "return delay.of(22);") is None


def test_a_bitrate_is_of_the_last_segments() -> None:
    loads = "for (let n = 0; n < 20; n += 1) delay.loaded({ stats: { total: n < 10 ? 1 : 250_000 }, duration: 1 });"
    assert delay("return delay.bitrate;") == 0
    assert delay(loads + "return delay.bitrate;") == 2_000_000
