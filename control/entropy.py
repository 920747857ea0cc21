"""Randomness for secrets, handed in, so that tests can know what comes."""

from __future__ import annotations

import hashlib
import secrets
from typing import Protocol


class Entropy(Protocol):
    def secret(self) -> str:
        """32 characters of `[A-Za-z0-9_-]`, 192 bits."""
        ...

    def code(self) -> str:
        """Six digits."""
        ...

    def noise(self, size: int) -> bytes:
        """So many bytes."""
        ...


class SystemEntropy:
    def secret(self) -> str:
        return secrets.token_urlsafe(24)

    def code(self) -> str:
        return f"{secrets.randbelow(10**6):06d}"

    def noise(self, size: int) -> bytes:
        return secrets.token_bytes(size)


def digest(secret: str) -> str:
    """What is stored of a secret that is long enough not to be guessed. SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
