from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from control.guessing import guesses as module
from control.guessing.guesses import Guesses, Secret, Target, growing
from control.guessing.handover import Handover
from control.guessing.recent import Recent
from control.guessing.windows import Windows
from control.refusals import TooManyGuesses
from tests.support.world import HandClock, SeededEntropy

pytestmark = pytest.mark.anyio
ROOM = Target(Secret.VIEWING, 1000001)
HERE, THERE = "192.0.2.7", "198.51.100.9"


def made(clock: HandClock, limit: int = 10) -> Guesses:
    return Guesses(clock, SeededEntropy(), limit)


def judged(guesses: Guesses, address: str, target: Target = ROOM, count: int = 1000, name: str = "") -> int:
    """How many of so many wrong guesses are looked at, if each comes when it may."""
    for number in range(count):
        try:
            guesses.delay(target, address)
        except TooManyGuesses:
            return number
        guesses.wrong(target, address, f"{name or address} {number}")
    return count


def test_an_address_has_ten_guesses_at_a_room_in_ten_minutes() -> None:
    clock = HandClock()
    guesses = made(clock)
    assert judged(guesses, HERE) == 10
    clock.advance(599)
    assert judged(guesses, HERE) == 0
    clock.advance(2)
    assert judged(guesses, HERE, name="later") == 10


def test_the_same_wrong_password_again_is_no_new_guess() -> None:
    guesses = made(HandClock())
    for _ in range(100):
        guesses.wrong(ROOM, HERE, "what an encoder repeats")
    assert judged(guesses, HERE) == 9


def test_the_same_wrong_password_of_an_account_is_one_more_since_it_costs_a_hash() -> None:
    guesses, ann = made(HandClock()), Target(Secret.ACCOUNT, 1)
    for _ in range(9):
        guesses.wrong(ann, HERE, "again and again")
    assert judged(guesses, HERE, ann) == 1


def test_a_whole_64_is_one_address() -> None:
    guesses = made(HandClock())
    assert judged(guesses, "2001:db8::1") == 10
    assert judged(guesses, "2001:db8::2") == 0
    assert judged(guesses, "2001:db8:0:1::1") == 10


def test_a_room_has_a_hundred_guesses_an_hour_from_anywhere() -> None:
    clock = HandClock()
    guesses = made(clock)
    assert sum(judged(guesses, f"10.0.0.{number}") for number in range(100)) == 100
    assert judged(guesses, HERE, Target(Secret.VIEWING, 1000002)) == 10
    clock.advance(3601)
    assert judged(guesses, HERE) == 10


def test_an_address_has_a_hundred_guesses_an_hour_at_anything() -> None:
    guesses = made(HandClock())
    targets = [Target(Secret.ACCOUNT, number) for number in range(100)]
    assert sum(judged(guesses, HERE, target) for target in targets) == 100
    assert judged(guesses, THERE, targets[50]) == 10


def test_codes_of_one_user_have_thirty_guesses_a_day_from_anywhere() -> None:
    clock, code = HandClock(), Target(Secret.CODE, 1)
    guesses = made(clock)
    assert sum(judged(guesses, f"10.0.0.{number}", code) for number in range(100)) == 30
    clock.advance(86_000)
    assert judged(guesses, HERE, code) == 0


def test_an_address_that_was_right_lately_pays_for_nobody_else() -> None:
    clock = HandClock()
    guesses = made(clock)
    guesses.right(ROOM, HERE)
    for number in range(100):
        judged(guesses, f"10.0.0.{number}")
    judged(guesses, HERE, Target(Secret.VIEWING, 1000002))
    assert guesses.delay(ROOM, HERE) == 0
    assert judged(guesses, HERE) == 100  # its own, ten times as many
    clock.advance(module.KNOWN + 1)
    assert not guesses.is_known(ROOM, HERE)


def test_known_addresses_together_have_a_thousand_guesses_an_hour() -> None:
    clock = HandClock()
    guesses = made(clock)
    addresses = [f"10.0.0.{number}" for number in range(20)]
    for address in addresses:
        guesses.right(ROOM, address)
    assert sum(judged(guesses, address) for address in addresses) == 1000
    for address in addresses:
        guesses.right(ROOM, address)
    assert judged(guesses, addresses[0], name="once more") == 0  # to be right gives back one's own alone
    assert judged(guesses, HERE) == 10  # and strangers have theirs
    clock.advance(3601)
    assert judged(guesses, addresses[0], name="later") == 100


def test_who_was_right_before_a_password_changed_is_a_stranger() -> None:
    guesses, other, longer = made(HandClock()), Target(Secret.ANCHOR, 1000001), Target(Secret.VIEWING, 10000011)
    for target in (ROOM, other, longer):
        guesses.right(target, HERE)
    guesses.forget(ROOM)
    assert judged(guesses, HERE) == 10
    assert guesses.is_known(other, HERE) and guesses.is_known(longer, HERE)


def test_to_be_right_begins_anew() -> None:
    guesses = made(HandClock())
    judged(guesses, HERE, count=9)
    guesses.right(ROOM, HERE)
    assert guesses.delay(ROOM, HERE) == 0


def test_one_secret_of_a_room_says_nothing_of_another() -> None:
    guesses = made(HandClock())
    guesses.right(ROOM, HERE)
    assert judged(guesses, HERE, Target(Secret.ANCHOR, 1000001)) == 10


def test_zero_switches_limits_off() -> None:
    assert judged(made(HandClock(), limit=0), HERE, count=5000) == 5000


@pytest.mark.parametrize(
    ("used", "seconds"), [(0, 0), (1, 0), (2, 0), (3, 0.5), (4, 1), (5, 2), (6, 4), (7, 4), (9, 4)]
)
def test_answers_take_longer_as_a_window_fills(used: int, seconds: float) -> None:
    assert growing(used, 10) == seconds
    assert growing(10 * used, 100) == seconds


async def test_a_delayed_guess_waits_for_its_time() -> None:
    clock = HandClock()
    guesses = made(clock)
    judged(guesses, HERE, count=4)
    waiting = asyncio.create_task(guesses.admit(ROOM, HERE))
    await asyncio.sleep(0)
    clock.advance(0.9)
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.advance(0.2)
    await waiting


async def test_of_one_address_three_may_wait_and_of_all_sixty_four() -> None:
    clock = HandClock()
    guesses = made(clock)
    addresses = [f"10.0.0.{number}" for number in range(30)]
    for address in addresses:
        judged(guesses, address, count=3)
    asked = [asyncio.create_task(guesses.admit(ROOM, address)) for address in addresses for _ in range(5)]
    await asyncio.sleep(0)
    wait = [not task.done() for task in asked]
    assert sum(wait) == module.WAITING
    assert wait[:10] == [True, True, True, False, False] * 2
    clock.advance(module.LONGEST_DELAY)
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(end, TooManyGuesses) for end in ends) == len(asked) - module.WAITING


async def test_a_guess_that_waited_is_refused_if_others_filled_the_window_meanwhile() -> None:
    clock = HandClock()
    guesses = made(clock)
    judged(guesses, HERE, count=5)
    waiting = asyncio.create_task(guesses.admit(ROOM, HERE))
    await asyncio.sleep(0)
    judged(guesses, HERE, name="others")
    clock.advance(2.1)
    with pytest.raises(TooManyGuesses):
        await waiting


def test_memory_is_bounded_however_many_are_tried() -> None:
    clock = HandClock()
    windows = Windows(clock, most=50)
    limiter, item = MovingWindowRateLimiter(windows), RateLimitItemPerMinute(5)
    for number in range(1000):
        limiter.hit(item, str(number))
        limiter.test(item, f"never hit {number}")
    assert len([*windows.rows()]) == 50
    assert not limiter.hit(item, "999", cost=5)
    recent = Recent(clock, most=50, lifetime=60)
    for number in range(1000):
        recent.note(str(number))
    assert len([*recent.rows()]) == 50 and recent.holds("999") and not recent.holds("1")


def test_a_window_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    windows = Windows(clock, most=50)
    limiter, item = MovingWindowRateLimiter(windows), RateLimitItemPerMinute(2)
    assert limiter.hit(item, "a")
    clock.advance(40)
    assert limiter.hit(item, "a") and not limiter.hit(item, "a")
    clock.advance(21)
    assert limiter.hit(item, "a") and not limiter.hit(item, "a")
    clock.advance(61)
    assert limiter.test(item, "a")
    assert [*windows.rows()] == []  # what is too old is not kept


async def handed_on(path: Path, guesses: Guesses, clock: HandClock, later: HandClock) -> Guesses:
    """What the next control knows."""
    await Handover(guesses, path, clock).save()
    after = made(later)
    Handover(after, path, later).load()
    return after


async def test_a_restart_is_no_second_chance(tmp_path: Path) -> None:
    clock, later = HandClock(), HandClock()
    guesses = made(clock)
    judged(guesses, HERE)
    judged(guesses, THERE, count=4)
    guesses.right(Target(Secret.ACCOUNT, 7), HERE)
    later.advance(300)
    after = await handed_on(tmp_path / "guesses.json", guesses, clock, later)
    assert judged(after, HERE, name="again") == 0
    assert judged(after, THERE, name="again") == 6
    assert after.is_known(Target(Secret.ACCOUNT, 7), HERE)
    later.advance(301)
    assert judged(after, HERE, name="once more") == 10


async def test_a_clock_that_was_set_back_meanwhile_lengthens_nothing(tmp_path: Path) -> None:
    clock, later = HandClock(), HandClock()
    guesses = made(clock)
    judged(guesses, HERE)
    later.jump(-86_400)
    after = await handed_on(tmp_path / "guesses.json", guesses, clock, later)
    later.advance(601)
    assert judged(after, HERE, name="again") == 10


async def test_the_file_is_its_owners_and_holds_no_secret(tmp_path: Path) -> None:
    clock, path = HandClock(), tmp_path / "guesses.json"
    guesses = made(clock)
    guesses.wrong(ROOM, HERE, "a guess that is nearly right")
    await Handover(guesses, path, clock).save()
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"nearly" not in path.read_bytes()
    assert os.listdir(tmp_path) == [path.name]


async def test_what_expires_while_guesses_are_handed_on_is_left_out() -> None:
    clock = HandClock()
    windows = Windows(clock, 10)
    for key in "abc":
        windows.acquire_entry(key, 10, 60)
    rows = windows.rows()
    assert next(rows)[0] == "a"
    clock.advance(61)
    windows.get_moving_window("b", 10, 60)
    assert [key for key, _, _ in rows] == ["c"]


async def test_nothing_is_written_while_nothing_happens(tmp_path: Path) -> None:
    clock, path = HandClock(), tmp_path / "guesses.json"
    guesses = made(clock)
    handover = Handover(guesses, path, clock)
    guesses.wrong(ROOM, HERE, "x")
    await handover.save()
    path.unlink()
    clock.advance(10)
    await handover.save()
    assert not path.exists()
    guesses.wrong(ROOM, HERE, "y")
    await handover.save()
    assert path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"windows": 7, "known": {}}',
        b'{"windows": {"address": [["k"]]}, "known": {}}',
        b'{"windows": {"address": [[7, 1, 1]]}, "known": {}}',
        b'{"windows": {}, "known": {"no such secret": []}}',
        b'{"windows": {"address": [["k", "x", null]]}, "known": {}}',
        b'{"windows": {"address": [["k", 1e999, 1e999]]}, "known": {}}',
    ],
)
async def test_a_damaged_file_is_left_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "guesses.json"
    path.write_bytes(content)
    guesses = made(HandClock())
    Handover(guesses, path, HandClock()).load()
    assert judged(guesses, HERE) == 10


async def test_a_file_of_another_release_is_taken_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "guesses.json"
    path.write_bytes(b'{"windows": {"a kind of before": [["k", 1, 1]]}, "known": {}}')
    Handover(made(HandClock()), path, HandClock()).load()
