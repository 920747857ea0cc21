"""Brings a database to the schema of this release."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from control.storage.database import migrating


def upgrade(url: str, to: str = "head") -> None:
    """Blocks; several processes may call it at once. Raises CommandError for a database of a later release."""
    with migrating(url) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, to)
