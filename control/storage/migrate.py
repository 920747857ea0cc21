"""Brings a database to the schema of this release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from control.storage.engine import engine_of

Seal = Callable[[str, int, str], str]
"""What seals one of a room's passwords, given its column and the room's owner."""


def upgrade(url: str, to: str = "head", seal: Seal | None = None) -> None:
    """Blocks; several processes may call it at once. `seal` is needed where a database has rooms. Raises CommandError
    for a database of a later release."""

    def work(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes |= {"connection": connection, "seal": seal}
        command.upgrade(config, to)

    engine_of(url).migrating(url, work)
