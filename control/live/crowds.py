"""How many watch a room, counted by their comings and goings: to go through all who are there at each change would cost
the more the more there are."""

from __future__ import annotations

from collections.abc import Set


class Crowd:
    """Who watches one room."""

    __slots__ = ("_newcomers", "_over_hls", "_viewings", "identified", "unidentified")

    def __init__(self) -> None:
        self.identified = 0
        """Viewings, of which a user's over HLS is none beside others of theirs over RTMP. Read-only."""
        self.unidentified = 0
        self._viewings: dict[str, int] = {}
        self._over_hls = set[str]()
        self._newcomers = set[str]()

    @property
    def players(self) -> int:
        return self.identified + self.unidentified

    @property
    def viewers(self) -> Set[str]:
        """Each identified one once."""
        return self._viewings.keys()

    def take_newcomers(self) -> set[str]:
        """Of the viewers, those who came since this was last asked."""
        taken, self._newcomers = self._newcomers, set()
        return taken

    def count(self, viewer: str, change: int) -> None:
        """1: the viewer came over RTMP, "" if not identified; -1: went."""
        if not viewer:
            self.unidentified += change
        elif change > 0:
            self._come(viewer)
        else:
            self._go(viewer)

    def count_over_hls(self, viewer: str, change: int) -> None:
        if change > 0:
            self.identified -= viewer in self._viewings
            self._come(viewer)
            self._over_hls.add(viewer)
        else:
            self._over_hls.remove(viewer)
            self._go(viewer)
            self.identified += viewer in self._viewings

    def _come(self, viewer: str) -> None:
        before = self._viewings.get(viewer, 0)
        self._viewings[viewer] = before + 1
        if not before:
            self._newcomers.add(viewer)
        self.identified += not self._counts_over_hls(viewer, before)

    def _go(self, viewer: str) -> None:
        left = self._viewings.pop(viewer) - 1
        if left:
            self._viewings[viewer] = left
        else:
            self._newcomers.discard(viewer)
        self.identified -= not self._counts_over_hls(viewer, left)

    def _counts_over_hls(self, viewer: str, viewings: int) -> bool:
        """Whether it is counted already, or still, for what it watches over HLS alone."""
        return viewings == 1 and viewer in self._over_hls
