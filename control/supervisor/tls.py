"""The node's certificate: the operator's files, copied to where our nginx may read them, and again once renewed."""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from pathlib import Path

from control.settings import PREFIX, Settings
from control.supervisor import folders
from control.supervisor.errors import StartError

CHAIN, KEY = "chain.pem", "key.pem"


def install(settings: Settings) -> bool:
    """Copies certificate and key, where there are any. Whether they are others than before.

    Raises StartError when they cannot be read, or do not belong together; the copies stay as they were then.
    """
    if not settings.has_tls:
        return False
    chain, key = _read("TLS_CERT", settings.tls_cert), _read("TLS_KEY", settings.tls_key)
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=_no_password)
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or "locked with a password"
        raise StartError(f"{PREFIX}TLS_CERT and {PREFIX}TLS_KEY: not a certificate and its key ({why})") from None
    copies = folders.prepare_private(folders.tls(settings))
    before = [_present(copies / name) for name in (CHAIN, KEY)]
    if before == [chain, key]:
        return False
    folders.replace(copies / CHAIN, chain)
    folders.replace(copies / KEY, key, mode=0o600)
    return True


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        what = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a PEM file"
        raise StartError(f"{PREFIX}{name} {path}: {what}") from None


def _present(file: Path) -> str | None:
    with suppress(FileNotFoundError):
        return file.read_text()
    return None


def _no_password() -> str:
    """Instead of asking for one on the terminal."""
    raise ValueError("encrypted")
