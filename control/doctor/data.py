"""The database, the keys to it, and the clocks that go with both."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from control.access.key_files import names
from control.access.vault import stored_vault
from control.doctor.findings import TIMEOUT, Finding, fault, good, left_out, odd
from control.entropy import SystemEntropy
from control.settings import Settings
from control.storage import integrity, migrate
from control.storage.engine import Unreachable, engine_of
from control.storage.sql import database_now
from control.storage.tables import nodes
from control.supervisor import folders

OFF, FAR_OFF = 1.0, 5.0  # seconds between two clocks
BACK = "put back the backup that belongs to it: docs/operations.md, Backup"
NTP = "set both by NTP: apt-get install systemd-timesyncd"


def check(settings: Settings) -> Iterator[Finding]:
    path = integrity.file_of(settings.database)
    marker = settings.data_dir / "keys" / "database"
    if path is not None and not path.exists():
        yield (
            fault(f"the database {path} is gone", BACK)
            if marker.exists()
            else left_out(f"there is no database {path} yet: the first start makes it")
        )
        return
    try:
        integrity.require(settings.database, marker)
        revision = engine_of(settings.database).snapshot(settings.database, _revision)
    except integrity.Unusable as failure:
        yield fault(str(failure), BACK)
        return
    except Unreachable as failure:
        yield fault(f"the database cannot be reached: {failure}", "start it, or mend QPLUS_DATABASE_URL")
        return
    except sa.exc.DBAPIError as failure:
        yield fault(f"the database does not answer: {str(failure.orig).splitlines()[0]}", "look at its log")
        return
    yield _release(revision)
    yield from _claim(settings)


def _revision(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    version = sa.table("alembic_version", sa.column("version_num"))
    return str(connection.execute(sa.select(version.c.version_num)).scalar() or "")


def _release(revision: str) -> Finding:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    known = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]
    if revision and revision not in known:
        return fault(f"the database is of a later release (revision {revision})", "install it, or a backup of this one")
    if revision == known[0]:
        return good(f"it answers, and is of this release (revision {revision})")
    return good(f"it answers; the next start brings it from revision {revision or 'nothing'} to {known[0]}")


def _claim(settings: Settings) -> Iterator[Finding]:
    """Whether a node that starts here could work with it."""
    is_file = integrity.file_of(settings.database) is not None
    if is_file or settings.shared_by or folders.supervised(settings) is not None:
        return
    try:
        engine_of(settings.database).migrating(settings.database, lambda connection: None)
    except Unreachable as failure:
        yield fault(str(failure), "one node alone works with a database, unless all have a QPLUS_NODE_ADDRESS")


def check_keys(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir / "keys"
    try:
        samples = _samples(settings)
        for name in ("tickets", "rooms"):
            file = folder / name
            if not file.exists():
                yield fault(f"{file} is gone", BACK) if samples else left_out(f"the first start makes {file}")
                continue
            if file.stat().st_mode & 0o077:
                yield odd(f"{file} can be read by others", f"chmod 600 {file}")
            keys = names(file)
            if name == "rooms":
                stored_vault(file, SystemEntropy(), samples)
            yield good(f"{name}: {len(keys)} {'keys' if len(keys) > 1 else 'key'}")
    except integrity.Unusable as failure:
        yield fault(str(failure), BACK)
    except (Unreachable, sa.exc.DBAPIError):
        yield left_out("the database cannot be asked")
    except OSError as failure:
        yield fault(f"{failure.filename}: {failure.strerror}", "give it to the node's user")


def _samples(settings: Settings) -> list[dict[str, Any]]:
    path = integrity.file_of(settings.database)
    if path is not None and not path.exists():
        return []
    return engine_of(settings.database).snapshot(settings.database, integrity.samples)


def check_clocks(settings: Settings, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    if integrity.file_of(settings.database) is not None:
        yield good(f"it is {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(now()))} UTC here")
        return
    try:
        theirs, peers = engine_of(settings.database).snapshot(settings.database, _told)
    except (Unreachable, sa.exc.DBAPIError):
        yield left_out("the database cannot be asked")
        return
    yield _compared("the database", theirs - now())
    for name, address, port in peers:
        if name != settings.node:
            yield _peer(name, address, port, now)


def _told(connection: sa.Connection) -> tuple[float, list[tuple[str, str, int]]]:
    theirs = float(connection.execute(sa.select(database_now())).scalar_one())
    if not sa.inspect(connection).has_table(nodes.name):
        return theirs, []
    living = sa.select(nodes.c.name, nodes.c.address, nodes.c.http_port).where(nodes.c.expires_at > database_now())
    return theirs, [(row[0], row[1], row[2]) for row in connection.execute(living)]


def _peer(name: str, address: str, port: int, now: Callable[[], float]) -> Finding:
    with closing(http.client.HTTPConnection(address, port, timeout=TIMEOUT)) as connection:
        try:
            connection.request("GET", "/alive")
            date = connection.getresponse().getheader("Date", "")
            ahead = parsedate_to_datetime(date).timestamp() + 0.5 - now()  # of a second as a whole
        except (OSError, ValueError, TypeError, http.client.HTTPException) as failure:
            return fault(
                f"node {name} does not answer at {address}:{port}: {failure}",
                "let nodes reach each other's QPLUS_HTTP_PORT, or end it",
            )
    return _compared(f"node {name}", ahead)


def _compared(whose: str, ahead: float) -> Finding:
    said = f"the clock of {whose} is {abs(ahead):.1f} s {'ahead' if ahead > 0 else 'behind'}"
    if abs(ahead) > FAR_OFF:
        return fault(f"{said}: tickets of one end early at the other", NTP)
    return odd(said, NTP) if abs(ahead) > OFF else good(said)
