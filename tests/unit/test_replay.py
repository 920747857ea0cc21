"""Whatever came, what is kept and played again makes what was."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from control.access.verdicts import Role
from control.blackbox.recorder import whole
from control.blackbox.replay import Replay
from control.live.presence import Presence
from tests.unit.test_truth import ROOMS, Control, Truth


def held(presence: Presence, hashed: bool) -> list[Any]:
    """All that sessions are; when a player was last heard of is not kept, since nothing comes of it."""
    found = []
    for session in presence.all():
        values = whole(session)
        if hashed:
            values[1] = session.key.start
        found.append(values if session.role is Role.PUBLISHER else values[:-1])
    return sorted(found, key=str)


class Replayed(Truth):
    played_of: Control | None = None

    @invariant()
    def what_is_played_again_is_what_was(self) -> None:
        if not hasattr(self, "control"):
            return
        if self.played_of is not self.control:
            self.replay, self.played_of = Replay(), self.control
        for line in self.control.live.recorder.take():
            self.replay.play(line)
        assert held(self.replay.presence, hashed=True) == held(self.control.live.presence, hashed=False)
        for room in ROOMS:
            now, before = self.replay.audience, self.control.live.audience
            assert now.viewers(room, 0)[0] == before.viewers(room, 0)[0]


TestReplayed = Replayed.TestCase
TestReplayed.settings = settings(
    max_examples=200, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
