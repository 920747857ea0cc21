"""Files of keys: lines `id key`, the newest first. The first is used for what is new, all for what is there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from control.entropy import Entropy
from control.storage.integrity import Unusable

_NUMBERED = re.compile(r"k([0-9]{1,9})")


def stored(path: Path, entropy: Entropy) -> dict[str, str]:
    """The keys in a file, which is made, readable by its owner alone, where there is none. Raises Unusable for a file
    that holds no keys, or other things."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    if not path.exists():
        _write(path, {"k1": _made(entropy)})
    return _read(path)


def names(path: Path) -> list[str]:
    """Of the keys, the newest first. Raises Unusable."""
    return list(_read(path))


def with_new(path: Path, entropy: Entropy) -> list[str]:
    """Puts a new key before those that are there; returns all names. Raises Unusable."""
    keys = _read(path)
    newest = max((int(found[1]) for name in keys if (found := _NUMBERED.fullmatch(name))), default=0)
    keys = {f"k{newest + 1}": _made(entropy)} | keys
    _write(path, keys)
    return list(keys)


def without_old(path: Path) -> list[str]:
    """Takes out all but the newest key; returns its name. Raises Unusable."""
    keys = _read(path)
    newest = next(iter(keys))
    _write(path, {newest: keys[newest]})
    return [newest]


def _made(entropy: Entropy) -> str:
    return f"{entropy.secret()}{entropy.secret()}"


def _write(path: Path, keys: Mapping[str, str]) -> None:
    """Whoever reads sees the old file or the new. It stays its owner's, also where root writes."""
    part = path.with_suffix(".part")
    with open(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        if path.exists():
            found = path.stat()
            os.fchown(file.fileno(), found.st_uid, found.st_gid)
        file.writelines(f"{name} {key}\n" for name, key in keys.items())
        file.flush()
        os.fsync(file.fileno())  # or a power cut could leave the name without the keys
    part.rename(path)


def _read(path: Path) -> dict[str, str]:
    lines = [line.split() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    if not lines or any(len(line) != 2 for line in lines):
        raise Unusable(f"{path} holds no keys, or not as lines `name key`. Put it back: docs/operations.md, Backup")
    return dict((name, key) for name, key in lines)
