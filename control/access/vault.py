"""Rooms' passwords and webhooks' secrets as they are kept: sealed, so that a copy of the database alone lets nobody in.

    $<key id>$<nonce and AES-256-GCM, base64url>

A sealed text is bound to the room's owner and its column: put elsewhere it does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from control.access.key_files import stored
from control.access.room_passwords import RoomPasswords
from control.entropy import Entropy
from control.storage.integrity import WAY_BACK, Unusable

ANCHOR, ASSIST, USER = COLUMNS = ("anchor_password", "assist_password", "user_password")
WEBHOOK = "webhook_secret"
MARK = "$"  # no room's password has it
NONCE = 12  # bytes, what GCM is made for


class _Columns(Protocol):
    """A row, or what looks like one."""

    def __getitem__(self, name: str, /) -> Any: ...


class Vault:
    """`keys` by their ids, the newest first: it seals, and all open."""

    def __init__(self, keys: Mapping[str, str], entropy: Entropy, source: Path = Path("keys")) -> None:
        self._keys = {name: AESGCM(hashlib.sha256(key.encode()).digest()) for name, key in keys.items()}
        self._current = next(iter(keys))
        self._entropy = entropy
        self._source = source

    @property
    def has_old_keys(self) -> bool:
        return len(self._keys) > 1

    def seal(self, passwords: RoomPasswords, owner_id: int) -> dict[str, str]:
        """The columns of a room that hold its passwords."""
        texts = (passwords.anchor, passwords.assist, passwords.user)
        return {column: self.seal_text(column, owner_id, text) for column, text in zip(COLUMNS, texts, strict=True)}

    def seal_text(self, column: str, owner_id: int, text: str) -> str:
        nonce = self._entropy.noise(NONCE)
        sealed = nonce + self._keys[self._current].encrypt(nonce, text.encode(), _bound(column, owner_id))
        return f"{MARK}{self._current}{MARK}{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, row: _Columns, column: str) -> str:
        """`row` has the column and `owner_id`. Raises Unusable for what was not sealed so by one of the keys."""
        _, name, text = (*str(row[column]).split(MARK), "", "")[:3]
        try:
            sealed = base64.urlsafe_b64decode(text)
            opened = self._keys[name].decrypt(sealed[:NONCE], sealed[NONCE:], _bound(column, row["owner_id"]))
        except (KeyError, ValueError, binascii.Error, InvalidTag):
            raise Unusable(
                f"rooms' passwords do not open with the keys in {self._source}. Put back the file that belongs to this"
                " database: docs/operations.md, Backup"
            ) from None
        return opened.decode()

    def passwords(self, row: _Columns) -> RoomPasswords:
        """`row` has COLUMNS and `owner_id`. Raises Unusable."""
        return RoomPasswords(*(self.open(row, column) for column in COLUMNS))

    def opened(self, row: _Columns, column: str) -> str:
        """Like `open`, but "" for what does not open: one damaged room stops no node, and nobody gets in by ""."""
        try:
            return self.open(row, column)
        except Unusable:
            return ""

    def is_current(self, row: _Columns, columns: Sequence[str] = COLUMNS) -> bool:
        """Whether all was sealed with the newest key."""
        return all(row[column].startswith(f"{MARK}{self._current}{MARK}") for column in columns)

    def require_any(self, rows: Sequence[_Columns]) -> None:
        """Raises Unusable where there are rooms, and of none a password opens: these are not their keys."""
        if rows and not any(self.opened(row, column) for row in rows for column in COLUMNS):
            self.passwords(rows[0])


def _bound(column: str, owner_id: int) -> bytes:
    return f"{column}:{owner_id}".encode()


def stored_vault(path: Path, entropy: Entropy, sealed: Sequence[_Columns]) -> Vault:
    """With the keys in a file, which is made where nothing was `sealed`. Raises Unusable where none of that opens."""
    if sealed and not path.exists():
        raise Unusable(f"the key of rooms' passwords, {path}, is gone. {WAY_BACK}")
    vault = Vault(stored(path, entropy), entropy, path)
    vault.require_any(sealed)
    return vault
