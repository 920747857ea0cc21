"""Files of keys: lines `id key`, the newest first. The first is used for what is new, all for what is there."""

from __future__ import annotations

import os
from pathlib import Path

from control.entropy import Entropy
from control.storage.integrity import Unusable


def stored(path: Path, entropy: Entropy) -> dict[str, str]:
    """The keys in a file, which is made, readable by its owner alone, where there is none. Raises Unusable for a file
    that holds no keys, or other things."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    if not path.exists():
        part = path.with_suffix(".part")
        with open(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"k1 {entropy.secret()}{entropy.secret()}\n")
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the name without the keys
        part.rename(path)
    lines = [line.split() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    if not lines or any(len(line) != 2 for line in lines):
        raise Unusable(f"{path} holds no keys, or not as lines `name key`. Put it back: docs/operations.md, Backup")
    return dict((name, key) for name, key in lines)
