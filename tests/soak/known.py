"""What the clients of one room know, against what the API tells. Pure; times are seconds of one clock."""

from __future__ import annotations

from dataclasses import dataclass, field

SETTLED = 2.0  # seconds after a change, from which on what is told has to be right
LINGERS = 12.0  # seconds that a viewer over HLS is counted after control was last asked about them
KEPT = 5.5  # seconds at the most for which the web nginx keeps a yes, and does not ask
NOTICED = 3.0  # seconds at the most until a viewer whose time is over is counted no more
REPAIRED = 10.0  # seconds after which all is known again when a part was killed


@dataclass(frozen=True, slots=True)
class Told:
    live: bool
    players: int


@dataclass(frozen=True, slots=True)
class Sample:
    at: float
    room: int
    settled: bool
    """Whether what was told had to be right."""
    error: int
    """Viewers too many or too few; a wrong status is one more."""


@dataclass(slots=True)
class _Fading:
    certain_until: float
    possible_until: float


@dataclass(slots=True)
class Known:
    """`players` are those who are certainly there."""

    room: int
    live: bool = False
    players: int = 0
    _under_way: int = 0
    _quiet_from: float = SETTLED
    _fading: list[_Fading] = field(default_factory=list)

    def begin(self, at: float) -> None:
        """Somebody asks to come in: until that is over, nobody knows."""
        self._under_way += 1
        self._changed(at)

    def finish(self, at: float) -> None:
        self._under_way -= 1
        self._changed(at)

    def goes_live(self, at: float, live: bool) -> None:
        self.live = live
        self._changed(at)

    def joins(self, at: float) -> None:
        self.players += 1
        self._changed(at)

    def leaves(self, at: float) -> None:
        self.players -= 1
        self._changed(at)

    def fades(self, at: float, last_seen: float) -> None:
        """A viewer over HLS leaves, who got something at `last_seen`: they are counted until control misses them."""
        self.leaves(at)
        self._fading.append(_Fading(last_seen - KEPT + LINGERS, last_seen + LINGERS + NOTICED))

    def glanced(self, at: float) -> None:
        """A viewer over HLS was turned away, perhaps after they were counted."""
        self._fading.append(_Fading(at, at + LINGERS + NOTICED))

    def disturbed(self, at: float) -> None:
        """A part was killed."""
        self._quiet_from = max(self._quiet_from, at + REPAIRED)

    def range(self, at: float) -> tuple[int, int]:
        """The fewest and the most players that can be told."""
        self._fading = [each for each in self._fading if each.possible_until > at]
        certain = sum(each.certain_until > at for each in self._fading)
        return self.players + certain, self.players + len(self._fading)

    def compare(self, at: float, told: Told) -> Sample:
        """`at` is when it was asked; to be called once it was told."""
        low, high = self.range(at)
        error = max(low - told.players, told.players - high, 0) + (told.live != self.live)
        return Sample(at, self.room, self._under_way == 0 and at >= self._quiet_from, error)

    def _changed(self, at: float) -> None:
        self._quiet_from = max(self._quiet_from, at + SETTLED)
