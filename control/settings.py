"""Every setting, in one table. Environment variables, prefix `QPLUS_`; docs/settings.md lists the same."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from control.setting_values import PREFIX, SettingError, check, is_address, is_database, is_network, read, setting

__all__ = ["PREFIX", "SettingError", "Settings", "Worker", "from_env", "to_env"]

RUNTIME = Path("/run/qplus")  # of a node that root starts: the user's that it runs as
MOST_WORKERS = 64


@dataclass(frozen=True, slots=True)
class Worker:
    """One rtmp nginx of a node: the module cannot share streams between processes, so each core that carries media has
    an nginx of its own."""

    name: str
    """Of its pid file, its rendered file, its folder of temporary files."""
    node: str
    """In callback paths, and so in the keys of sessions."""
    socket: Path
    """/stat and /control."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can turn. Times are in seconds unless the name says otherwise."""

    # ruff: noqa: RUF009 (dataclasses.field by another name)
    data_dir: Path = setting(Path("var"), "Folder of the database, the signing keys and the pid files.")
    user: str = setting("qplus", "User that a node which root starts runs as.")
    http_port: int = setting(8080, "Port of the API and the pages.", low=1)
    rtmp_port: int = setting(1935, "Port that encoders push to and RTMP players play from.", low=1)
    node: str = setting("local", "Name of this node: letters, digits and `-`. It stands in callback paths.")
    node_address: str = setting(
        "", "IP where other nodes reach this one, of several over PostgreSQL. Empty: it is alone."
    )
    node_rtmp_port: int = setting(
        0, "Port for other nodes' RTMP, without PROXY protocol or TLS. 0: they come to `QPLUS_RTMP_PORT`.", low=0
    )
    database_url: str = setting(
        "", "Where data is kept: `postgresql://user:password@host/name`. Empty: SQLite in the data folder."
    )
    hls_dir: str = setting(
        "", "Folder of HLS segments alone; emptied at start. Empty: in the data folder; beside the sockets for root."
    )
    snapshot_dir: str = setting(
        "", "Folder of rooms' snapshots, which are kept. Empty: in the data folder; beside the sockets for root."
    )
    black_box_mib: int = setting(64, "Most MiB of what `qplus explain` tells from. 0: nothing.", low=0, high=65536)
    snapshot_seconds: int = setting(15, "Seconds between two snapshots of a live room. 0: none are made.", low=0)
    socket_dir: str = setting("", "Folder of the unix sockets. Empty: a private one under the system's run folder.")
    public_url: str = setting(
        "",
        "Address of the site in messages and HLS URLs. Empty: what the request came to; in messages"
        " `http://localhost:HTTP_PORT`.",
    )
    rtmp_url: str = setting("", "RTMP address given to clients, with the application. Empty: the request's host.")
    trusted_proxies: str = setting(
        "",
        "Addresses and networks of proxies in front of the HTTP port, with commas between: from these alone"
        " `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    )
    proxy_protocol: str = setting(
        "off", "Whether every connection to the HTTP port begins with PROXY protocol.", choices=("off", "on")
    )
    address_requests: int = setting(
        100, "API requests a second for one address, after a first 1000; an IPv6 /64 is one.", low=1
    )
    tls_cert: str = setting("", "Certificate chain, a PEM file. With it there are HTTPS and RTMPS, and HTTP redirects.")
    tls_key: str = setting("", "Its private key, a PEM file.")
    https_port: int = setting(8443, "Port of HTTPS, where there is a certificate.", low=1)
    rtmps_port: int = setting(1936, "Port of RTMPS, likewise.", low=1)
    guard: str = setting(
        "on",
        "Whether RTMP clients are read before nginx-rtmp hears them. Off: strangers can end it.",
        choices=("on", "off"),
    )
    rtmp_proxy_protocol: str = setting(
        "off", "Whether every connection to the RTMP ports begins with PROXY protocol.", choices=("off", "on")
    )
    rtmp_workers: int = setting(
        0,
        "How many rtmp nginx carry media, one core each. 0: one; with a guard and over two cores, one less than cores.",
        low=0,
        high=MOST_WORKERS,
    )
    rtmp_memory_mib: int = setting(
        1024, "Address space of each rtmp nginx, MiB. Who has it hold more is put out.", low=256
    )
    rtmp_per_address: int = setting(256, "RTMP connections of one address, or one IPv6 /64, at a time.", low=1)
    ticket_seconds: int = setting(43200, "How long a viewer's ticket is good.", low=60)
    update_seconds: int = setting(5, "How often nginx asks again whether a session may stay.", low=1)
    grace_seconds: int = setting(
        600, "How long streams and RTMP viewers go on while control is down; over 10 for a restart.", low=0
    )
    first_media_seconds: int = setting(10, "A publisher that sends no media for this long is dropped.", low=3)
    silent_seconds: int = setting(3, "A publisher silent for this long gives way to a newcomer.", low=1, high=5)
    gap_seconds: int = setting(10, "A publisher back within this time goes on with the same broadcast.", low=0)
    argon2_time_cost: int = setting(3, "argon2id passes over memory.", low=1)
    argon2_memory_kib: int = setting(65536, "argon2id memory for one hash, KiB.", low=8)
    argon2_parallelism: int = setting(1, "argon2id lanes.", low=1)
    argon2_at_once: int = setting(0, "Hashes at a time, each with that memory. 0: as many as there are cores.", low=0)
    guess_limit: int = setting(
        10,
        "Wrong passwords from one address at one room or account in 10 minutes. 0: any number, for load tests.",
        low=0,
        high=1000,
    )
    chat_messages: int = setting(5, "Chat messages of one user in one room in 10 s.", low=1, high=100)
    chat_room_messages: int = setting(50, "Chat messages of all users in one room in a second.", low=1, high=1000)
    limits: str = setting("", "What a room, and this node, may have: [limits](limits.md). Empty: no limits.")
    cached_sessions: int = setting(50000, "Sessions, and how far each has read a list, kept in memory.", low=100)
    cached_users: int = setting(50000, "Users, and what each follows and is denied, kept in memory.", low=100)
    cached_rooms: int = setting(20000, "Rooms kept in memory; 3 KB each, and what they say of themselves.", low=100)
    notifier: str = setting(
        "console", "How codes and links reach a phone's holder.", choices=("console", "webhook", "smtp")
    )
    webhook_url: str = setting("", "Where the webhook notifier posts its JSON.")
    webhook_private: str = setting(
        "off", "Whether rooms' webhooks may go to private addresses, and without TLS.", choices=("off", "on")
    )
    webhook_retry_seconds: int = setting(
        5, "Until a room's webhook is tried again; doubled each time, up to an hour.", low=1, high=3600
    )
    smtp_url: str = setting("", "`smtp://[user:password@]host[:port]`, or `smtps://` for TLS from the start.")
    smtp_from: str = setting("", "Sender address of the SMTP notifier.")
    metrics_port: int = setting(0, "Port of `/metrics`, for Prometheus. 0: on the internal socket alone.", low=0)
    metrics_address: str = setting("127.0.0.1", "IP that this port is opened on.")
    metrics_rooms: int = setting(
        100, "Rooms that have figures of their own in `/metrics`: those with the most viewers.", low=0, high=10_000
    )
    log_format: str = setting("console", "Shape of log lines.", choices=("console", "json"))
    log_level: str = setting("info", "Least severity logged.", choices=("debug", "info", "warning", "error"))

    def __post_init__(self) -> None:
        for item in fields(self):
            check(item, getattr(self, item.name))
        if not self.node.replace("-", "").isalnum() or not self.node.isascii():
            raise SettingError(f"{PREFIX}NODE: letters, digits and '-' only")
        self._check_proxies()
        if self.database_url and not is_database(self.database_url):
            raise SettingError(f"{PREFIX}DATABASE_URL: postgresql://user:password@host:port/name")
        self._check_node_address()
        if not is_address(self.metrics_address):
            raise SettingError(f"{PREFIX}METRICS_ADDRESS: an IP address, as 127.0.0.1")
        if self.notifier == "webhook" and not self.webhook_url:
            raise SettingError(f"{PREFIX}WEBHOOK_URL: needed by the webhook notifier")
        if self.notifier == "smtp" and not (self.smtp_url and self.smtp_from):
            raise SettingError(f"{PREFIX}SMTP_URL and {PREFIX}SMTP_FROM: needed by the smtp notifier")
        if self.rtmp_workers > 1 and not self.has_guard:
            raise SettingError(f"{PREFIX}RTMP_WORKERS: clients come to more than one through the guard alone")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise SettingError(f"{PREFIX}TLS_CERT and {PREFIX}TLS_KEY: both or neither")

    def _check_node_address(self) -> None:
        if not self.node_address:
            return
        if not is_address(self.node_address):
            raise SettingError(f"{PREFIX}NODE_ADDRESS: an IP address, as 10.0.0.1")
        if not self.database_url.startswith("postgresql:"):
            raise SettingError(f"{PREFIX}NODE_ADDRESS: nodes share a PostgreSQL, QPLUS_DATABASE_URL; SQLite is for one")
        if self.has_tls:
            raise SettingError(f"{PREFIX}TLS_CERT: of several nodes TLS ends at the balancer before them")
        if not self.has_guard:
            raise SettingError(f"{PREFIX}NODE_ADDRESS: a node that others can reach has its guard")
        if self.rtmp_proxy_protocol == "on" and not self.node_rtmp_port:
            raise SettingError(f"{PREFIX}NODE_RTMP_PORT: needed beside RTMP_PROXY_PROTOCOL, which nodes do not speak")
        if self.proxy_protocol == "on":
            raise SettingError(f"{PREFIX}PROXY_PROTOCOL: not with several nodes; TRUSTED_PROXIES, and X-Forwarded-For")

    def _check_proxies(self) -> None:
        for proxy in self.proxies:
            if not is_network(proxy):
                raise SettingError(f"{PREFIX}TRUSTED_PROXIES: addresses and networks, as 192.0.2.1,10.0.0.0/8")

    @property
    def proxies(self) -> list[str]:
        """Each an address or a network."""
        return [each.strip() for each in self.trusted_proxies.split(",") if each.strip()]

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'qplus.db').absolute()}"

    @property
    def shared_by(self) -> str:
        """This node's name, where several share the database; "" where it is alone."""
        return self.node if self.node_address else ""

    @property
    def rtmp_port_for_nodes(self) -> int:
        return self.node_rtmp_port or self.rtmp_port

    @property
    def has_node_rtmp_port(self) -> bool:
        """Whether other nodes have a port of their own."""
        return bool(self.node_address and self.node_rtmp_port)

    @property
    def has_tls(self) -> bool:
        return bool(self.tls_cert)

    @property
    def has_guard(self) -> bool:
        return self.guard == "on"

    @property
    def lease_seconds(self) -> float:
        """How long a session is believed in while nginx does not answer: a lost update is no end."""
        return 2.0 * self.update_seconds + 2

    @property
    def site(self) -> str:
        if self.public_url:
            return self.public_url.rstrip("/")
        return f"https://localhost:{self.https_port}" if self.has_tls else f"http://localhost:{self.http_port}"

    @property
    def run_dir(self) -> Path:
        """Pid files, and the nginx files rendered for this run."""
        return self.data_dir / "run"

    @property
    def sockets(self) -> Path:
        """The folder of the unix sockets: short, since the kernel allows 107 bytes, and reachable by nginx's user."""
        if self.socket_dir:
            return Path(self.socket_dir)
        if os.geteuid() == 0:
            return RUNTIME / self.short_name
        return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / self.short_name

    @property
    def short_name(self) -> str:
        """Of this data folder, and of no other on this machine."""
        return "qplus-" + hashlib.sha256(str(self.data_dir.absolute()).encode()).hexdigest()[:10]

    @property
    def internal_socket(self) -> Path:
        """Callbacks and probes; only nginx may reach it."""
        return self.sockets / "internal.sock"

    @property
    def public_socket(self) -> Path:
        """The API and the pages, behind the web nginx."""
        return self.sockets / "public.sock"

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The first has the node's own name, and so has one that is alone."""
        number = self.rtmp_workers or (min(max(1, _cores() - 1), MOST_WORKERS) if self.has_guard else 1)
        others = (
            Worker(f"rtmp-{each}", f"{self.node}.{each}", self.sockets / f"rtmp-{each}.sock")
            for each in range(2, number + 1)
        )
        return Worker("rtmp", self.node, self.sockets / "rtmp.sock"), *others

    @property
    def verdict_dir(self) -> Path:
        """The folder of files that tell the web nginx who was let in over HLS: in memory, as these are short-lived."""
        return self.sockets / "verdicts"

    @property
    def encoder_dir(self) -> Path:
        """The folder of files in which the guard tells what encodes a broadcast."""
        return self.run_dir / "encoders"

    @property
    def questions_socket(self) -> Path:
        """On which the web nginx counts its own questions about HLS viewers."""
        return self.sockets / "questions.sock"


def from_env(environ: Mapping[str, str]) -> Settings:
    """Raises SettingError for a variable with our prefix that is not in the table, or a value out of range."""
    known = {PREFIX + item.name.upper(): item for item in fields(Settings)}
    given = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise SettingError(f"unknown setting: {', '.join(unknown)}")
    return Settings(**{known[name].name: read(known[name], text) for name, text in given.items()})


def to_env(settings: Settings) -> dict[str, str]:
    """The variables that make the same settings in a child process."""
    return {PREFIX + item.name.upper(): str(getattr(settings, item.name)) for item in fields(settings)}


def _cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0))
