"""What was believed of a room at a moment, and how that came about, in words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from control.access.verdicts import Role
from control.blackbox.recorder import Line
from control.blackbox.replay import Replay, played
from control.live.presence import Session, SessionKey
from control.live.states import Ending

MOST = 1000  # things that happened in a room, of which the last are told
REASONS: Mapping[str, str] = {
    "publish": "nginx asked, and was told yes",
    "play": "nginx asked, and was told yes",
    "update": "nginx asked again",
    "done": "nginx told of its end",
    "publish_done": "nginx told of its end",
    "play_done": "nginx told of its end",
    "disconnect": "nginx told that its connection ended",
    "a limit": "it was warned, and stayed so",
    "a look at nginx": "nginx shows it",
    "nginx could not be asked": "nginx gave no answer for longer than it is believed in",
}
ENDINGS: Mapping[str, str] = {
    Ending.LEFT: "it left, or its connection broke",
    Ending.SILENT: "its link was dead",
    Ending.GATE: "the owner ended the stream",
    Ending.PASSWORD: "its password or its right ended",
    Ending.LIMIT: "it was more than its room may have",
    Ending.LOST: "nginx shows it no more, or does not answer, and told of no end",
}


@dataclass(frozen=True)
class Happened:
    at: float
    """Seconds since the epoch."""
    text: str


@dataclass
class Story:
    room_id: int
    at: float
    """Seconds since the epoch; that of the last line that is kept, where that is earlier."""
    node: str = ""
    live: bool = False
    players: int = 0
    over_hls: int = 0
    not_counted: int = 0
    """Relays, and owners who look at their own room."""
    why: str = ""
    happened: deque[Happened] = field(default_factory=lambda: deque(maxlen=MOST))

    def facts(self) -> dict[str, Any]:
        """For programs."""
        told = [{"at": each.at, "text": each.text} for each in self.happened]
        return {**vars(self), "happened": told}


def tell(lines: Iterable[Line], room_id: int, since: float, at: float) -> Story | None:
    """Of what happened from `since` on, and how it was `at`; both in seconds since the epoch. None where nothing is
    kept of that time."""
    story, replay, sending = Story(room_id, 0.0), None, set[SessionKey]()
    for replay, line, session in played(lines, at):
        now = story.at = line[0] + replay.clock.offset
        begins = session is not None and session.live and session.key not in sending
        if session is not None and begins:
            sending.add(session.key)
        if now >= since and (text := said(line, session, room_id, begins)):
            story.happened.append(Happened(now, text))
    if replay is None:
        return None
    replay.clock.at = max(replay.clock.at, min(at, story.at + 1) - replay.clock.offset)
    _conclude(story, replay)
    return story


def said(line: Line, session: Session | None, room_id: int, begins: bool) -> str:
    """What happened, where that is worth telling and has to do with the room; else "". `begins`: the session is a
    publisher's, and has sent media for the first time."""
    _, event, *values = line
    match event:
        case "begin":
            return f"what is kept begins anew: control of node {values[1]}, release {values[2]}"
        case "lost":
            return f"{values[0]} changes could not be kept"
        case "more refused":
            return f"{values[0]} more were refused, of all rooms"
        case "refused" if values[1] == room_id:
            return f"{values[0]} refused from {values[2]}: {values[3]}"
        case "viewer came" if values[1] == room_id:
            return f"viewer over HLS came from {values[3]}"
        case "viewer over" if values[1] == room_id:
            return "viewer over HLS shows its ticket no more, or left"
    if session is None or session.room_id != room_id:
        return ""
    cause = REASONS.get(values[0], values[0] or "an earlier control let it in")
    name = f"{session.role.value} {session.key.client}"
    match event:
        case "came":
            return f"{name} came from {session.address}: {cause}"
        case "to go":
            return f"{name} is to go, {ENDINGS[values[4]]}: {cause}"
        case "spared":
            return f"{name} may stay: {cause}"
        case "over":
            return f"{name} is over, {ENDINGS[values[4]]}" + ("" if values[4] == Ending.LOST else f": {cause}")
        case "heard" if begins:
            return f"{name} sends media, and the room is live: {cause}"
    return ""


def _conclude(story: Story, replay: Replay) -> None:
    replay.settle()
    room, now = replay.audience.room(story.room_id), replay.clock.ticks()
    sessions = replay.presence.in_room(story.room_id)
    watching = sum(session.watches for session in sessions)
    story.node, story.live, story.players = replay.node, room.publisher is not None, room.players
    story.over_hls = max(0, room.players - watching)
    story.not_counted = sum(session.role is not Role.PUBLISHER and not session.watches for session in sessions)
    publisher = room.publisher or replay.presence.publisher(story.room_id)
    if publisher is None:
        story.why = "nobody publishes"
        return
    heard = f"heard of {now - publisher.heard_at:.1f} s before"
    if publisher.media_at is None:
        story.why = f"publisher {publisher.key.client} was let in, {heard}, and has sent no media"
    else:
        media = f"its last media seen {now - publisher.media_at:.1f} s before"
        story.why = f"publisher {publisher.key.client} from {publisher.address} was {heard}, {media}"
    if publisher.ending:
        story.why += f"; it was to go: {ENDINGS[publisher.ending]}"
