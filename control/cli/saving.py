"""Commands that copy a node's data into one file, and put them back."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control.cli import terminal
from control.cli.terminal import Failed, Json

if TYPE_CHECKING:
    from control.settings import Settings

File = Annotated[Path, typer.Argument(help="A tar file; compressed if its name ends with .gz.")]

app = typer.Typer()


@app.command()
def backup(
    file: File,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Put the keys in too: whoever has the file can read rooms' passwords.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Copy all data into one file, for its owner alone. The node may run meanwhile."""
    settings = terminal.settings()
    from control.storage import backup
    from control.storage.engine import Unreachable

    keys = settings.data_dir / "keys"
    try:
        with terminal.working("copying", as_json):
            contents = backup.make(settings.database, keys if with_keys else None, file)
    except (backup.BackupError, Unreachable) as failure:
        raise Failed(str(failure)) from None
    rows = sum(contents.rows.values())
    text = f"Written: {file}, {rows} rows."
    if not with_keys:
        text += f" Keep {keys} too, apart from it: without keys/rooms nobody gets into a room, and no node starts."
    told = {"file": str(file), "bytes": file.stat().st_size, "rows": dict(contents.rows), "keys": with_keys}
    terminal.tell(text, told, as_json)


@app.command()
def restore(
    file: File,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put aside the database that is there, and other keys.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="See whether the file is whole; put nothing back.")] = False,
    as_json: Json = False,
) -> None:
    """Put back what `backup` wrote, for a node that is stopped. What is in the file is read through first."""
    settings = terminal.settings()
    from control.storage import backup, integrity
    from control.storage.engine import Unreachable

    if not check:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside: list[Path] = []
    with tempfile.TemporaryDirectory(prefix=".qplus-", dir=None if check else settings.data_dir) as made:
        try:
            with terminal.working("reading", as_json):
                contents = backup.unpacked(file, Path(made))
            if not check:
                aside = _put_back(settings, Path(made), replace)
        except (backup.BackupError, Unreachable, integrity.Unusable) as failure:
            raise Failed(str(failure)) from None
    rows = sum(contents.rows.values())
    text = f"Whole: {rows} rows." if check else f"Put back: {rows} rows. Start the node."
    if aside:
        text += f" What was there is now {', '.join(map(str, aside))}."
    told = {"rows": dict(contents.rows), "made_at": contents.made_at, "release": contents.release}
    terminal.tell(text, told | {"restored": not check, "aside": [str(each) for each in aside]}, as_json)


def _put_back(settings: Settings, unpacked: Path, replace: bool) -> list[Path]:
    """The names of what was there, where it was put aside. Nothing is, unless all can be done."""
    from control.access.vault import stored_vault
    from control.entropy import SystemEntropy
    from control.storage import backup, integrity
    from control.supervisor import folders

    with folders.locked(settings):
        keys = _keys(settings, unpacked, replace)
        samples = integrity.sealed_samples(f"sqlite:///{unpacked / backup.DATA}")
        stored_vault(keys / "rooms", SystemEntropy(), samples)  # which must open with them
        database = integrity.file_of(settings.database)
        files = [] if database is None else [database, *(Path(f"{database}{end}") for end in ("-wal", "-shm"))]
        if keys.parent == unpacked:
            files.append(settings.data_dir / "keys")
        with _aside(files if replace else []) as aside:
            backup.put_back(unpacked, settings.database)
            if keys.parent == unpacked:
                shutil.copytree(keys, settings.data_dir / "keys", dirs_exist_ok=True)
            integrity.remember(settings.data_dir / "keys" / "database")
    return aside


@contextmanager
def _aside(files: Iterable[Path]) -> Iterator[list[Path]]:
    """Renames them, and back where what is done meanwhile fails."""
    now = time.strftime("%Y%m%d-%H%M%S")
    renamed = {file: file.rename(f"{file}.before-{now}") for file in files if file.exists()}
    done = False
    try:
        yield list(renamed.values())
        done = True
    finally:
        for file, other in renamed.items():
            if not (done or file.exists()):
                other.rename(file)


def _keys(settings: Settings, unpacked: Path, replace: bool) -> Path:
    """The folder of those that the data are used with. Raises Failed."""
    there, new = settings.data_dir / "keys", unpacked / "keys"
    if not new.exists():
        return there
    for name in () if replace else ("tickets", "rooms"):
        if (there / name).exists() and (there / name).read_bytes() != (new / name).read_bytes():
            raise Failed(f"{there / name} is another key than the file's: --replace puts it aside")
    return new
