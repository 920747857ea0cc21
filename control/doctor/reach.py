"""Ports of this machine, and names that lead to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from control.doctor.findings import TIMEOUT, Finding, fault, good, left_out, odd
from control.doctor.life import Life, life
from control.settings import Settings
from control.supervisor import ports, probe, sockets

LISTENS = "0A"  # a socket's state, in /proc/net/tcp


def check_ports(settings: Settings) -> Iterator[Finding]:
    now = life(settings)
    if now is Life.ALONE:
        yield left_out("control runs alone here: clients come to the nginx, elsewhere")
        return
    runs = now is Life.WHOLE
    for name, port in wanted(settings).items():
        answers = _answers(port)
        if runs and not answers:
            yield fault(f"{name} {port}: the node runs, and nothing answers there", "look for its child in the log")
        elif runs:
            yield good(f"{name} {port}: answers")
        else:
            yield _free(name, port)
    if runs and (problem := probe.web_problem(settings)):
        yield fault(f"the web nginx does not answer: {problem}", "look for `web` in the log")


def wanted(settings: Settings) -> dict[str, int]:
    """The ports that clients come to, by their settings."""
    found = {"QPLUS_HTTP_PORT": settings.http_port, "QPLUS_RTMP_PORT": settings.rtmp_port}
    if settings.has_tls:
        found |= {"QPLUS_HTTPS_PORT": settings.https_port, "QPLUS_RTMPS_PORT": settings.rtmps_port}
    if settings.has_node_rtmp_port:
        found |= {"QPLUS_NODE_RTMP_PORT": settings.node_rtmp_port}
    if settings.metrics_port:
        found |= {"QPLUS_METRICS_PORT": settings.metrics_port}
    return found


def _free(name: str, port: int) -> Finding:
    """Whether a node that starts would have it."""
    for family, host in ((socket.AF_INET, ports.ANY), (socket.AF_INET6, ports.ANY_IPV6)):
        if family == socket.AF_INET6 and not ports.has_ipv6():
            continue
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                trial.bind((host, port))
                trial.listen(1)
            except PermissionError:
                return fault(
                    f"{name} {port}: this user may not listen there",
                    "start as root, choose a port over 1023, or sysctl net.ipv4.ip_unprivileged_port_start=80",
                )
            except OSError:
                return fault(f"{name} {port}: taken by {holder(port)}", f"end that, or set {name} to another port")
    return good(f"{name} {port}: free")


def holder(port: int) -> str:
    """The process that listens there, as far as this user may see."""
    inodes = {
        fields[9]
        for table in ("tcp", "tcp6")
        for fields in (line.split() for line in _lines(Path("/proc/net", table))[1:])
        if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port
    }
    for process in Path("/proc").glob("[0-9]*"):
        if _held(process) & {f"socket:[{inode}]" for inode in inodes}:
            return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return "another program"


def _held(process: Path) -> set[str]:
    """What its descriptors are of, as far as this user may see."""
    held = set()
    with suppress(OSError):
        for each in (process / "fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                held.add(str(each.readlink()))
    return held


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return [""]


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT):
            return True
    except OSError:
        return False


def check_names(settings: Settings) -> Iterator[Finding]:
    urls = {"QPLUS_PUBLIC_URL": settings.public_url, "QPLUS_RTMP_URL": settings.rtmp_url}
    named = {setting: host for setting, url in urls.items() if (host := urlsplit(url).hostname)}
    if not named:
        yield left_out("QPLUS_PUBLIC_URL is not set: addresses are those that requests come to")
    for setting, host in named.items():
        yield _name(setting, host)


def _name(setting: str, host: str) -> Finding:
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as failure:
        why = failure.strerror if isinstance(failure, OSError) else failure
        return fault(f"{setting}: {host} leads nowhere ({why})", "mend its A or AAAA record, or the name")
    said = f"{setting}: {host} is {', '.join(sorted(found))}"
    if all(address.startswith("127.") or address == "::1" for address in found):
        return odd(f"{said}, this machine for itself alone", "a name that clients can find")
    mine = sockets.host()
    return good(said if mine in found else f"{said}, not {mine}: a balancer's, or this machine's behind a router")
