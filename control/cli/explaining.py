"""What was believed of a room, and why; and what is kept of that, for a report of a fault."""

from __future__ import annotations

import gzip
import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import orjson
import typer

from control.blackbox.replay import kept, masked
from control.blackbox.ring import BLACK_BOX, read
from control.blackbox.story import tell as told
from control.cli.terminal import Failed, Json, settings, tell

app = typer.Typer()
TIME = "21:03, 21:03:10 or 2026-11-29T21:03:10, by this machine's clock"
At = Annotated[str, typer.Option(help=f"{TIME}; now, if not given.", metavar="TIME")]
Before = Annotated[float, typer.Option(min=0, max=1440, help="Minutes before, of which all is told.")]
File = Annotated[Path | None, typer.Option(help="What `qplus record` made; else what this node keeps.", exists=True)]
From = Annotated[str, typer.Option("--from", help=TIME, metavar="TIME")]
To = Annotated[str, typer.Option(help=f"{TIME}; now, if not given.", metavar="TIME")]
Made = Annotated[Path, typer.Argument(help="The file, which is not there yet.", metavar="FILE")]
Addresses = Annotated[bool, typer.Option("--addresses", help="With clients' addresses; else each is another number.")]


@app.command()
def explain(
    room: Annotated[int, typer.Argument(help="The room's id.", min=1)],
    at: At = "",
    before: Before = 10.0,
    file: File = None,
    as_json: Json = False,
) -> None:
    """Tell what was believed of a room at a time, how that came about, and why."""
    moment = _time(at)
    since = moment - 60 * before
    lines = read(file) if file else kept(settings().data_dir / BLACK_BOX, since)
    story = told(lines, room, since, moment)
    if story is None:
        raise Failed("nothing is kept of that time: QPLUS_BLACK_BOX_MIB says how much is, and `--file` reads a record")
    shown = [f"{_shown(each.at)}  {each.text}" for each in story.happened] or ["nothing happened in the room"]
    counts = f"{story.players} viewers ({story.over_hls} over HLS), {story.not_counted} not counted"
    state = f"room {room} was {'live' if story.live else 'not live'}: {story.why}; {counts}"
    tell("\n".join([*shown, f"{_shown(story.at)}  {state}"]), story.facts(), as_json)


@app.command()
def record(file: Made, begin: From, to: To = "", addresses: Addresses = False, as_json: Json = False) -> None:
    """Copy what is kept of a time to a file, for a report of a fault. It holds no password and no ticket."""
    since, until = _time(begin), _time(to)
    if file.exists():
        raise Failed(f"{file} is there already")
    lines = masked(kept(settings().data_dir / BLACK_BOX, since), until, addresses)
    first = next(lines, None)
    if first is None:
        raise Failed("nothing is kept of that time")
    with gzip.open(file, "xb") as packed:
        for line in itertools.chain([first], lines):
            packed.write(orjson.dumps(line) + b"\n")
    tell(f"`qplus explain ROOM --file {file}` reads it.", {"file": str(file)}, as_json)


def _time(text: str) -> float:
    """Seconds since the epoch. Raises Failed."""
    now = datetime.now().astimezone()
    if not text:
        return now.timestamp()
    try:
        if "-" in text:
            return datetime.fromisoformat(text).timestamp()
        clock = datetime.strptime(text, "%H:%M:%S" if text.count(":") == 2 else "%H:%M")
    except ValueError:
        raise Failed(f"{text}: no time; write {TIME}") from None
    moment = now.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
    return (moment if moment <= now else moment - timedelta(days=1)).timestamp()


def _shown(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(" ", "milliseconds")
