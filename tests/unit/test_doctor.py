"""Each fault that is planted is found, and nothing where there is none."""

from __future__ import annotations

import json
import os
import resource
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from control import cli
from control.doctor import certificates, chain, contradictions, data, machine, node, programs, reach
from control.doctor.findings import Check, Finding, Grade
from control.settings import Settings
from control.storage import migrate
from control.storage.engine import engine_of
from control.storage.tables import nodes
from control.supervisor import folders, nginx, probe
from tests.support.postgres import Postgres


def look(check: Check, settings: Settings, grade: Grade = Grade.FAULT) -> list[str]:
    found = list(check(settings))
    assert all(finding.mend for finding in found if finding.grade in (Grade.FAULT, Grade.ODD))
    return [finding.what for finding in found if finding.grade is grade]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a node that was started once."""
    made = Settings(data_dir=tmp_path / "node", socket_dir=str(tmp_path / "s"), http_port=free(), rtmp_port=free())
    made.data_dir.mkdir(0o700)
    migrate.upgrade(made.database)
    return made


def free() -> int:
    with socket.create_server(("", 0)) as taken:
        return int(taken.getsockname()[1])


CHECKS: list[Check] = [
    contradictions.check,
    machine.check_disk,
    machine.check_limits,
    node.check,
    reach.check_ports,
    reach.check_names,
    certificates.check,
    data.check,
    data.check_keys,
    data.check_clocks,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.__module__}.{check.__name__}")
def test_where_nothing_is_wrong_nothing_is_found(settings: Settings, check: Check) -> None:
    assert look(check, settings) == []


def test_a_port_that_another_has_is_named_with_who_has_it(settings: Settings) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        [what] = look(reach.check_ports, replace(settings, rtmp_port=port))
    assert what.startswith(f"QPLUS_RTMP_PORT {port}: taken by ") and f"(pid {os.getpid()})" in what


def test_a_port_that_is_not_this_users_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert "this user may not listen there" in look(reach.check_ports, settings)[0]


def test_a_module_that_is_not_installed_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(nginx.NEEDED, "libnginx-mod-rtmp", Path("/nowhere"))
    [found] = programs.check(settings)
    assert (found.what, found.mend) == ("not installed: libnginx-mod-rtmp", "apt-get install libnginx-mod-rtmp")


def test_a_module_that_nginx_does_not_load_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other.so"
    other.write_bytes(b"no module")
    monkeypatch.setitem(nginx.NEEDED, "libnginx-mod-rtmp", other)
    assert "nginx does not load its modules: " in look(programs.check, settings)[0]


def test_a_full_disk_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(NamedTuple):
        f_bavail: int = 1
        f_frsize: int = 4096
        f_files: int = 10
        f_favail: int = 10

    monkeypatch.setattr(os, "statvfs", lambda path: Full())
    assert [what.partition(":")[0] for what in look(machine.check_disk, settings)] == ["data", "HLS", "snapshots"]


def test_a_folder_that_cannot_be_written_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != settings.data_dir)
    assert f"data: this user cannot write {settings.data_dir}" in look(machine.check_disk, settings)


def test_a_data_folder_that_is_open_to_others_is_said(settings: Settings) -> None:
    settings.data_dir.chmod(0o755)
    assert look(machine.check_disk, settings, Grade.ODD)[-1] == f"{settings.data_dir} is open to others"


def test_few_files_are_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1024, 1024))
    assert "only 1024 files" in look(machine.check_limits, settings)[0]


def test_too_little_memory_is_said(settings: Settings) -> None:
    many = replace(settings, argon2_at_once=100, argon2_memory_kib=2**22)
    assert "the kernel ends a process" in look(machine.check_memory, many, Grade.ODD)[0]


class Made(NamedTuple):
    cert: str
    key: str


def certificate(folder: Path, name: str = "live.example", begins: int = -10, ends: int = 90) -> Made:
    """`begins` and `ends`: days from now."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = Made(str(folder / "chain.pem"), str(folder / "key.pem"))
    Path(files.cert).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    Path(files.key).write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return files


def with_tls(settings: Settings, made: Made, host: str = "live.example") -> Settings:
    return replace(settings, tls_cert=made.cert, tls_key=made.key, public_url=f"https://{host}")


def test_a_certificate_that_is_right_is_good(settings: Settings, tmp_path: Path) -> None:
    for name in ("live.example", "*.example"):
        assert look(certificates.check, with_tls(settings, certificate(tmp_path, name))) == []


@pytest.mark.parametrize("days, what", [((-90, -1), "ended on"), ((1, 90), "begins on")])
def test_a_certificate_that_is_not_valid_now_is_said(
    settings: Settings, tmp_path: Path, days: tuple[int, int], what: str
) -> None:
    assert what in look(certificates.check, with_tls(settings, certificate(tmp_path, "live.example", *days)))[0]


def test_a_certificate_that_ends_soon_is_said(settings: Settings, tmp_path: Path) -> None:
    soon = with_tls(settings, certificate(tmp_path, ends=5))
    assert "days" in look(certificates.check, soon, Grade.ODD)[0]


def test_a_certificate_of_another_name_is_said(settings: Settings, tmp_path: Path) -> None:
    [what] = look(certificates.check, with_tls(settings, certificate(tmp_path), "other.example"))
    assert what == "the certificate is for live.example, and QPLUS_PUBLIC_URL says other.example"


def test_a_key_of_another_certificate_is_said(settings: Settings, tmp_path: Path) -> None:
    made = certificate(tmp_path)
    (tmp_path / "b").mkdir()
    other = certificate(tmp_path / "b")
    assert "cannot be used" in look(certificates.check, with_tls(settings, Made(made.cert, other.key)))[0]


def test_a_name_that_leads_nowhere_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object, **more: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    [what] = look(reach.check_names, replace(settings, public_url="https://live.invalid"))
    assert what == "QPLUS_PUBLIC_URL: live.invalid leads nowhere (Name or service not known)"


def test_a_name_for_this_machine_alone_is_said(settings: Settings) -> None:
    assert "alone" in look(reach.check_names, replace(settings, public_url="http://127.0.0.1"), Grade.ODD)[0]


def test_a_damaged_database_is_said(settings: Settings) -> None:
    file = settings.data_dir / "qplus.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    assert "is damaged" in look(data.check, settings)[0]


def test_a_database_that_is_gone_is_said(settings: Settings) -> None:
    (settings.data_dir / "keys").mkdir()
    (settings.data_dir / "keys" / "database").touch()
    (settings.data_dir / "qplus.db").unlink()
    assert "is gone" in look(data.check, settings)[0]


def test_a_database_of_a_later_release_is_said(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.data_dir / "qplus.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert look(data.check, settings) == ["the database is of a later release (revision 9999)"]


def test_a_database_that_does_not_answer_is_said(settings: Settings) -> None:
    away = replace(settings, database_url=f"postgresql://ann:hunter2@127.0.0.1:{free()}/qplus")
    [what] = look(data.check, away)
    assert what.startswith("the database cannot be reached: ") and "hunter2" not in what
    assert look(data.check_clocks, away, Grade.LEFT_OUT) == ["the database cannot be asked"]


def test_keys_that_do_not_open_what_is_sealed_are_said(settings: Settings) -> None:
    (settings.data_dir / "keys").mkdir(0o700)
    for name in ("tickets", "rooms"):
        (settings.data_dir / "keys" / name).write_text("k1 secret\n")
        (settings.data_dir / "keys" / name).chmod(0o600)
    person = "INSERT INTO users VALUES (1, 'a', 'a', '+1', NULL, NULL, 'h', 'a', 1, '', 0, 1)"
    sealed = "'$k1$AAAA'"
    columns = (
        "id, owner_id, anchor_password, assist_password, user_password, is_open, password_generation, name,"
        " description, topic, follow_count, gate_shut_until, created_at"
    )
    values = f"1000001, 1, {sealed}, {sealed}, {sealed}, 1, 1, 'r', '', '', 0, 0, 1"
    room = f"INSERT INTO rooms ({columns}) VALUES ({values})"
    with closing(sqlite3.connect(settings.data_dir / "qplus.db")) as connection:
        connection.execute(person)
        connection.execute(room)
        connection.commit()
    assert "do not open" in look(data.check_keys, settings)[0]
    (settings.data_dir / "keys" / "rooms").unlink()
    assert look(data.check_keys, settings) == [f"{settings.data_dir / 'keys' / 'rooms'} is gone"]


@pytest.fixture
def shared(settings: Settings, shared_database: str, postgres: Postgres) -> Iterator[Settings]:
    postgres.empty(shared_database)
    yield replace(settings, database_url=shared_database, node_address="127.0.0.1")


@pytest.mark.parametrize("off, grade", [(0.0, Grade.GOOD), (2.0, Grade.ODD), (60.0, Grade.FAULT)])
def test_a_clock_that_is_not_the_databases_is_said(shared: Settings, off: float, grade: Grade) -> None:
    import time

    [found] = data.check_clocks(shared, lambda: time.time() + off)
    assert found.grade is grade


def test_a_node_that_cannot_be_reached_is_named(shared: Settings) -> None:
    def enter(connection: sa.Connection) -> None:
        peer = {"name": "b", "address": "127.0.0.1", "http_port": free(), "rtmp_port": 1, "keys": "", "draining": False}
        connection.execute(nodes.insert().values(expires_at=9e9, **peer))

    engine_of(shared.database).migrating(shared.database, enter)
    assert look(data.check_clocks, shared)[0].startswith("node b does not answer at 127.0.0.1:")


@pytest.mark.parametrize(
    "what, given",
    [
        ("QPLUS_PUBLIC_URL is https", {"public_url": "https://live.example"}),
        ("QPLUS_NOTIFIER is console", {"public_url": "http://live.example"}),
        ("QPLUS_GRACE_SECONDS is 5", {"grace_seconds": 5}),
        ("QPLUS_GUARD is off", {"guard": "off"}),
        ("QPLUS_RTMP_WORKERS is 64", {"rtmp_workers": 64}),
        ("QPLUS_TICKET_SECONDS is 60", {"ticket_seconds": 60, "update_seconds": 30}),
        ("QPLUS_RTMP_URL is no rtmp:// address", {"rtmp_url": "live.example"}),
    ],
)
def test_settings_that_do_not_go_together_are_said(settings: Settings, what: str, given: dict[str, str | int]) -> None:
    found = look(contradictions.check, replace(settings, **given), Grade.ODD)  # type: ignore[arg-type]
    assert any(each.startswith(what) for each in found)


def test_a_node_whose_children_are_gone_is_found(settings: Settings) -> None:
    with folders.locked(settings):
        folders.announce(settings)
        found = look(node.check, settings)
        ports_found = look(reach.check_ports, settings)
    assert found[0].startswith("control is not ready: ")
    assert {"web does not run", "guard does not run", "rtmp does not run", "rtmp does not listen"} <= {*found}
    assert f"QPLUS_HTTP_PORT {settings.http_port}: the node runs, and nothing answers there" in ports_found


def test_a_control_that_runs_alone_is_told_from_a_node(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "problem", lambda *given: "")
    assert look(node.check, settings, Grade.GOOD) == ["control is ready"]
    for check in (node.check, reach.check_ports, chain.check):
        assert look(check, settings, Grade.LEFT_OUT)[0].startswith("control runs alone here")


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    from control.doctor import examination

    def found(settings: Settings) -> Iterator[Finding]:
        yield Finding(Grade.GOOD, "fine")
        yield Finding(Grade.FAULT, "broken\x1b[31m", "mend it")

    monkeypatch.setattr(examination, "CHECKS", {"part": found})


@pytest.mark.usefixtures("planted")
def test_a_fault_is_told_with_how_to_mend_it_and_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "ok    part        fine\n" in said
    assert "FAULT part        broken\\u001b[31m\n" in said
    assert "→ mend it\n" in said and said.endswith("1 fault, 0 odd.\n")
    assert cli.main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["faults"] == 1


@pytest.mark.usefixtures("planted")
def test_a_part_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--only", "engine"]) == 2
    assert "engine" in capsys.readouterr().err


def test_a_setting_that_is_wrong_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QPLUS_HTTP_PORT", "x")
    assert cli.main(["doctor"]) == 1
    assert "QPLUS_HTTP_PORT: not a whole number" in capsys.readouterr().out
