"""Tickets: what lets one viewer into one room for a time. Signed, not stored.

    <room>.<user>.<password generation>.<expiry in ms>.<key id>.<HMAC-SHA-256, base64url>

At most 120 characters of `[A-Za-z0-9._-]`: nginx-rtmp has 255 bytes for a stream's name and arguments together.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

from control.access.key_files import stored
from control.access.verdicts import TicketClaims
from control.entropy import Entropy


class Keys:
    """Signing keys, newest first. The first signs; all are good for checking, so that a key can be changed live."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys
        self._current = next(iter(keys))

    def sign(self, granted: TicketClaims) -> str:
        numbers = (granted.room_id, granted.user_id, granted.password_generation, granted.expires_at_ms)
        text = ".".join([*map(str, numbers), self._current])
        return f"{text}.{_signature(self._keys[self._current], text)}"

    def read(self, ticket: str) -> TicketClaims | None:
        """What the ticket says, or None if it is not one of ours. Whether it still holds is a verdict's affair."""
        text, _, signature = ticket.rpartition(".")
        parts = text.split(".")
        key = self._keys.get(parts[-1])
        if key is None or not hmac.compare_digest(_signature(key, text).encode(), signature.encode()):
            return None
        room_id, user_id, generation, expires_at_ms = map(int, parts[:-1])
        return TicketClaims(room_id, user_id, generation, expires_at_ms)

    @property
    def digest(self) -> str:
        """The same for the same keys, and tells nobody what they are."""
        names = sorted(self._keys)
        return hashlib.sha256("".join(_mark(self._keys[name], f"{name}/node") for name in names).encode()).hexdigest()

    def mark(self, text: str) -> str:
        """What nobody else can put beside this text: 32 hexadecimal digits. The text is no ticket's."""
        return _mark(self._keys[self._current], text)

    def is_marked(self, text: str, mark: str) -> bool:
        """Whether that is its mark, by any of the keys."""
        return any(hmac.compare_digest(_mark(key, text).encode(), mark.encode()) for key in self._keys.values())


def _mark(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), hashlib.sha256)[:16].hex()


def _signature(key: bytes, text: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).rstrip(b"=").decode()


def stored_keys(path: Path, entropy: Entropy) -> Keys:
    """The keys in a file, which is made where there is none."""
    return Keys({name: key.encode() for name, key in stored(path, entropy).items()})
