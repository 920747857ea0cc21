"""Limits what may be guessed: passwords and codes, and which accounts and phones exist.

Only what is wrong is counted, in moving windows: of an address at one account or room, and more slowly of the account
or room and of the address as a whole. As a window fills up, answers take longer; once it is full, nothing is looked at.
Addresses that were right lately at an account or room have windows of their own there, ten times as wide: of each
address, and of all of them together. What strangers do is not held against them. A new password makes all strangers.
"""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import structlog
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from control.clock import Clock
from control.entropy import Entropy
from control.guessing.recent import Recent
from control.guessing.windows import Windows
from control.ops import metrics
from control.ops.addresses import network
from control.refusals import TooManyGuesses

WINDOW = 600  # seconds, of an address at one account or room
WIDER = 10  # how many times the limit a whole account, room or address has in an hour, and one that was right lately
CODES_A_DAY = 3  # how many times the limit codes of one user are guessed at in a day: they have six digits
KNOWN = 604800  # seconds for which an address counts as right lately
FREE = 0.3  # of a window, before answers take longer
FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 4.0  # seconds
WAITING, WAITING_FROM_ONE = 64, 3  # answers that may be delayed at a time: in all, and for one address
MOST = 10_000  # keys of each kind of window
MOST_KNOWN = 20_000  # of each kind of secret

PAIR, KNOWN_PAIR = "address and subject", "known address and subject"
SUBJECT, KNOWN_SUBJECT, ADDRESS = "subject", "subject from known addresses", "address"

log = structlog.get_logger()


class Secret(StrEnum):
    """What is guessed at."""

    ACCOUNT = "account password"
    CODE = "code"
    PENDING = "pending password"
    ANCHOR = "anchor password"
    VIEWING = "viewing password"
    ASSISTANT = "assistant password"
    NAME = "name"


FREE_AGAIN = (Secret.ANCHOR, Secret.VIEWING, Secret.ASSISTANT, Secret.NAME)
"""Where the same wrong guess again is no new one: encoders, players and pages repeat theirs. Others cost a
hash each."""


@dataclass(frozen=True, slots=True)
class Target:
    secret: Secret
    subject: int | str
    """Whose: a user's id, a room's, or a digest where a name is nobody's."""


@dataclass(frozen=True, slots=True)
class Window:
    """One kind of window. `by` is its name in logs."""

    by: str
    item: RateLimitItem
    limiter: MovingWindowRateLimiter

    def used(self, *key: str) -> int:
        return self.item.amount - self.limiter.get_window_stats(self.item, *key).remaining

    def hit(self, *key: str) -> bool:
        """Whether that filled it."""
        self.limiter.hit(self.item, *key)
        return self.used(*key) == self.item.amount


class Guesses:
    """`limit`: wrong guesses of one address at one account or room in ten minutes; 0: no limits at all."""

    def __init__(self, clock: Clock, entropy: Entropy, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self.windows = {name: Windows(clock, MOST) for name in (PAIR, KNOWN_PAIR, SUBJECT, KNOWN_SUBJECT, ADDRESS)}
        """By name, for the next control."""
        self.known = {secret: Recent(clock, most=MOST_KNOWN, lifetime=KNOWN) for secret in Secret}
        """Addresses that were right lately, for the next control."""
        self._key = entropy.secret().encode()
        self._tried = Recent(clock, most=MOST_KNOWN, lifetime=WINDOW)
        self._waiting: collections.Counter[str] = collections.Counter()
        if limit:
            wide = RateLimitItemPerHour(WIDER * limit)
            self._pair = self._window(PAIR, RateLimitItemPerMinute(limit, WINDOW // 60))
            self._known_pair = self._window(KNOWN_PAIR, RateLimitItemPerMinute(WIDER * limit, WINDOW // 60))
            self._subject = self._window(SUBJECT, wide)
            self._known_subject = self._window(KNOWN_SUBJECT, RateLimitItemPerHour(WIDER * WIDER * limit))
            self._codes = self._window(SUBJECT, RateLimitItemPerDay(CODES_A_DAY * limit))
            self._address = self._window(ADDRESS, wide)

    def _window(self, by: str, item: RateLimitItem) -> Window:
        return Window(by, item, MovingWindowRateLimiter(self.windows[by]))

    async def admit(self, target: Target, address: str) -> None:
        """Returns when a guess may be judged. Raises TooManyGuesses."""
        delay = self.delay(target, address)
        if delay:
            with self._one_more_waits(network(address)):
                metrics.guesses.labels(target.secret, "delayed").inc()
                await self._clock.sleep(delay)
            self.delay(target, address)

    def delay(self, target: Target, address: str) -> float:
        """Seconds that the answer to the next guess has to wait. Raises TooManyGuesses."""
        if self._none_counts:
            return 0.0
        used = [(window, window.used(*key)) for window, key in self._counting(target, network(address))]
        if any(count >= window.item.amount for window, count in used):
            metrics.guesses.labels(target.secret, "refused").inc()
            raise TooManyGuesses
        return max(growing(count, window.item.amount) for window, count in used)

    def wrong(self, target: Target, address: str, guess: str) -> None:
        """Counts a guess that was judged, unless it was free: the same again at a room, or the same name."""
        metrics.guesses.labels(target.secret, "wrong").inc()
        at = network(address)
        if not self._limit or (target.secret in FREE_AGAIN and self._is_no_new_one(target, at, guess)):
            return
        for window, key in self._counting(target, at):
            if window.hit(*key):
                log.warning(
                    "limit reached", secret=target.secret.value, by=window.by, subject=target.subject, address=at
                )

    def right(self, target: Target, address: str) -> None:
        at = network(address)
        key = (target.secret.value, str(target.subject), at)
        self.known[target.secret].note(_pair_name(target, at))
        if not self._none_counts:
            for window in (self._pair, self._known_pair):
                window.limiter.clear(window.item, *key)

    @property
    def _none_counts(self) -> bool:
        """Nobody has guessed wrong lately."""
        return not self._limit or all(windows.is_empty for windows in self.windows.values())

    def forget(self, target: Target) -> None:
        """To be called when a password has changed: who was right before is a stranger."""
        self.known[target.secret].forget(_pair_name(target, ""))

    def is_known(self, target: Target, address: str) -> bool:
        """Whether the address was right there lately."""
        return self.known[target.secret].holds(_pair_name(target, network(address)))

    def _counting(self, target: Target, at: str) -> list[tuple[Window, tuple[str, ...]]]:
        """The windows that a guess counts in, with their keys."""
        subject = (target.secret.value, str(target.subject))
        if target.secret is Secret.NAME:
            return [(self._address, (at,))]
        if self.known[target.secret].holds(_pair_name(target, at)):
            return [(self._known_pair, (*subject, at)), (self._known_subject, subject)]
        whole = self._codes if target.secret is Secret.CODE else self._subject
        return [(self._pair, (*subject, at)), (whole, subject), (self._address, (at,))]

    def _is_no_new_one(self, target: Target, at: str, guess: str) -> bool:
        text = f"{_pair_name(target, at)} {guess}".encode("utf-8", "surrogatepass")
        tried = hashlib.blake2b(text, key=self._key, digest_size=16).hexdigest()
        again = self._tried.holds(tried)
        self._tried.note(tried)
        return again

    @contextmanager
    def _one_more_waits(self, at: str) -> Iterator[None]:
        if self._waiting.total() >= WAITING or self._waiting[at] >= WAITING_FROM_ONE:
            raise TooManyGuesses
        self._waiting[at] += 1
        try:
            yield
        finally:
            self._waiting[at] -= 1
            if not self._waiting[at]:
                del self._waiting[at]


def growing(used: int, amount: int) -> float:
    """Seconds that the next answer takes in a window of this size: doubled with each tenth of it."""
    over = used - FREE * amount
    return 0.0 if over < 0 or not used else min(LONGEST_DELAY, FIRST_DELAY * 2 ** (over * 10 / amount))


def _pair_name(target: Target, at: str) -> str:
    return f"{target.subject} {at}"
