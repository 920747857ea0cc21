"""docs/timing.md: the durations that depend on each other are what they are, and agree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from control.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "timing.md").read_text()
ROWS = re.findall(r"^\| `([\w.]+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)
RULES = re.findall(r"^\| ([^|]*<=? [^|]*) \|", PAGE, re.MULTILINE)
WRITTEN = {name: float(value) for name, value in ROWS}
# Where nginx's are: the file, and what stands before the number.
NGINX = {
    "rtmp.netcall_timeout": r"netcall_timeout ",
    "guard.proxy_timeout": r"proxy_timeout ",
    "rtmp.ping": r"^\s+ping ",
    "rtmp.timeout": r"^\s+timeout ",
    "rtmp.drop_idle_publisher": r"drop_idle_publisher ",
    "rtmp.connect_timeout": r"proxy_connect_timeout ",
    "rtmp.update_timeout": r"update \{\n\s+proxy_pass [^;]+;\n\s+proxy_read_timeout ",
    "rtmp.grace_timeout": r"/grace;\n\s+proxy_read_timeout ",
    "rtmp.hls_fragment": r"hls_fragment ",
    "rtmp.hls_playlist_length": r"hls_playlist_length ",
    "rtmp.keepalive": r"keepalive_timeout ",
    "web.keepalive": r"keepalive_timeout ",
    "web.file_seen": r"open_file_cache_valid ",
    "web.verdict_kept": r"proxy_cache_valid 204 ",
    "web.refusal_kept": r"proxy_cache_valid 403 ",
    "web.verdict_timeout": r"proxy_connect_timeout 1s;\n\s+proxy_read_timeout ",
    "web.read_timeout": r"X-Request-Id [^;]+;\n\s+proxy_read_timeout ",
    "web.events_timeout": r"proxy_buffering off;\n\s+proxy_read_timeout ",
}


def constants() -> dict[str, float]:
    """Every plain number in capitals whose comment speaks of seconds or turns."""
    found: dict[str, float] = {}
    for path in sorted((ROOT / "control").rglob("*.py")):
        for name, value, comment in re.findall(r"^([A-Z_]+) = ([\d.]+)(?:  # (.*))?$", path.read_text(), re.MULTILINE):
            if re.search(r"second|turns of", comment) or name.endswith(("_DELAY", "_SECONDS")):
                found[f"{path.stem}.{name}"] = float(value)
    return found


@pytest.mark.parametrize("name", NGINX)
def test_nginx_has_the_times_that_are_written(name: str) -> None:
    text = (ROOT / "nginx" / f"{name.partition('.')[0]}.conf").read_text()
    found = re.findall(NGINX[name] + r"(\d+)(m?)s", text, re.MULTILINE)
    assert {int(number) / (1000 if milli else 1) for number, milli in found} == {WRITTEN[name]}


# Elsewhere: the file, and the whole of it as an expression.
OTHERS = {
    "guard.DEADLINE": ("nginx/guard.js", r"const DEADLINE = (\d+);"),
    "playlist.SOUND_ALONE": ("nginx/playlist.js", r"const SOUND_ALONE = (\d+);"),
    "compose.stop_grace_period": ("docker/compose.yaml", r"stop_grace_period: (\d+)s"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_have_the_times_that_are_written(name: str) -> None:
    file, expression = OTHERS[name]
    assert {float(found) for found in re.findall(expression, (ROOT / file).read_text())} == {WRITTEN[name]}


@pytest.mark.parametrize("name", [name for name in WRITTEN if name.startswith("settings.")])
def test_settings_have_the_times_that_are_written(name: str) -> None:
    assert getattr(Settings(), name.partition(".")[2]) == WRITTEN[name]


def test_the_code_has_the_times_that_are_written_and_no_others() -> None:
    elsewhere = {*NGINX, *OTHERS, *(name for name in WRITTEN if name.startswith("settings."))}
    code = {name: value for name, value in WRITTEN.items() if name not in elsewhere}
    assert code == constants()


@pytest.mark.parametrize("rule", RULES)
def test_the_times_agree(rule: str) -> None:
    values = re.sub(r"`([\w.]+)`", lambda found: str(WRITTEN[found[1]]), rule)
    tree = ast.parse(values, mode="eval")
    assert all(isinstance(node, ast.Expression | ast.Compare | ast.BinOp | ast.Constant | ast.operator | ast.cmpop)
               for node in ast.walk(tree))  # fmt: skip
    assert eval(compile(tree, "timing.md", "eval"))
