"""The command line, `qplus`: a file for each group of commands, and `program`, which finds what is asked for.

Exit codes: 0 done; 1 not done, or a fault was found; 2 wrong words or a wrong setting; of `serve`, 75 for what may come
right by itself and 78 for what needs a person.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from control.cli.failures import Failed, Misused
from control.settings import SettingError
from control.supervisor.errors import StartError

DESCRIPTORS = {"--internal-fd": "internal_fd", "--public-fd": "public_fd", "--after-fd": "after_fd"}


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _done(given)
    except SettingError as failure:
        print(f"qplus: {failure}", file=sys.stderr)
        return 2
    except (StartError, Failed) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2 if isinstance(failure, Misused) else 1


def _done(given: list[str]) -> int:
    from control.cli import direct

    # What programs ask for. To read words typer takes 0.1 s, for which newcomers would wait while control starts.
    if given == ["ready"]:
        return direct.ready()
    if given[:1] == ["serve"] and (numbers := _numbers(given[1:])) is not None:
        return direct.serve(**numbers)
    from control.cli.program import program

    try:
        program(given)(given, prog_name="qplus")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _numbers(words: Sequence[str]) -> dict[str, int] | None:
    """Options as the supervisor writes them, each with its number; None where they are others."""
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    plain = len(words) == 2 * len(pairs) and all(
        name in DESCRIPTORS and number.isdigit() for name, number in pairs.items()
    )
    return {DESCRIPTORS[name]: int(number) for name, number in pairs.items()} if plain else None
