"""What our nginx instances are started with: their files, rendered for one run, and their command lines."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from control.settings import PREFIX, Settings, Worker
from control.supervisor import folders, ports, sockets
from control.supervisor.errors import StartError
from control.supervisor.ports import RtmpPorts

TEMPLATES = Path(__file__).resolve().parent / "nginx_files"  # a link to nginx/; in a wheel, a folder
MODULES = Path("/usr/lib/nginx/modules")
# Debian's package of each.
NEEDED = {
    "libnginx-mod-rtmp": MODULES / "ngx_rtmp_module.so",
    "libnginx-mod-http-js": MODULES / "ngx_http_js_module.so",
    "libnginx-mod-stream": MODULES / "ngx_stream_module.so",
    "libnginx-mod-stream-js": MODULES / "ngx_stream_js_module.so",
}
# A plain user's PATH on Debian does not hold the folder that nginx is in.
SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
INHERITED = "NGINX"  # the variable in which nginx looks for listening sockets
PLAYLIST_SCRIPT, NETWORK_SCRIPT, GUARD_SCRIPT = "playlist.js", "network.js", "guard.js"
VERDICTS = "verdicts"  # the folder of its cache, in web.conf
# Bytes: AMF can nest 261,000 levels deep in nginx-rtmp's largest message, and it reads them recursively.
RTMP_STACK = 64 * 1024 * 1024
CLIENTS = 8192  # of each rtmp nginx, on the average
PLACEHOLDER = re.compile(r"@\{([^}]*)\}")


@cache
def template(name: str) -> str:
    """A file of `nginx/`. Once read it stays: a release that is installed meanwhile may have placeholders that are not
    known here."""
    return (TEMPLATES / name).read_text()


def read_templates() -> None:
    for name in ("rtmp.conf", "web.conf", "guard.conf", PLAYLIST_SCRIPT, NETWORK_SCRIPT, GUARD_SCRIPT):
        template(name)


def render(text: str, values: Mapping[str, str]) -> str:
    """Raises KeyError when a placeholder has no value or a value no placeholder."""
    odd = set(PLACEHOLDER.findall(text)) ^ values.keys()
    if odd:
        raise KeyError(", ".join(sorted(odd)))
    return PLACEHOLDER.sub(lambda found: values[found[1]], text)


def write_rtmp(settings: Settings, worker: Worker, start: str, given: RtmpPorts) -> Path:
    """The file of one rtmp nginx; `start` names this life of it in callback paths."""
    return _write(
        settings,
        "rtmp",
        {
            "GUARDED": _line(settings.has_guard),
            "UNGUARDED": _line(not settings.has_guard),
            "IPV6": _line(ports.has_ipv6()),
            "RTMP_PORT": str(settings.rtmp_port),
            "GUARDED_ADDRESS": f"{ports.LOOPBACK}:{given.clients}",
            "RELAY_ADDRESS": f"{ports.LOOPBACK}:{given.relay}",
            "NODE": worker.node,
            "START": start,
            "INTERNAL_SOCKET": str(settings.internal_socket),
            "RTMP_SOCKET": str(worker.socket),
            "UPDATE_PORT": str(sockets.free_port()),
            "UPDATE_SECONDS": str(settings.update_seconds),
            "HLS_PORT": str(given.hls),
            "HLS_APPLICATION": f"hls-{secrets.token_hex(16)}",
            "HLS_DIR": str(folders.hls(settings)),
            "HLS_CLEANUP": "on" if worker == settings.workers[0] else "off",
        },
        worker.name,
    )


def write_guard(settings: Settings, workers: Sequence[int]) -> Path:
    """The file of the guard in front of the rtmp nginx, which listen on these ports of loopback."""
    addresses = [f"{ports.LOOPBACK}:{port}" for port in workers]
    return _write(
        settings,
        "guard",
        {
            "IPV6": _line(ports.has_ipv6()),
            "TLS": _line(settings.has_tls),
            "TLS_DIR": str(folders.tls(settings)),
            "NAMED": _line(False),
            "RTMP_PORT": str(settings.rtmp_port),
            "RTMPS_PORT": str(settings.rtmps_port),
            "NODES": _line(settings.has_node_rtmp_port),
            "NODE_RTMP_PORT": str(settings.node_rtmp_port),
            "RTMP_PROXY_PROTOCOL": " proxy_protocol" if settings.rtmp_proxy_protocol == "on" else "",
            "REAL_IP_FROM": _real_ip_from(settings),
            "RTMP_PER_ADDRESS": str(settings.rtmp_per_address),
            "RTMP_PER_SITE": str(4 * settings.rtmp_per_address),
            "CLIENTS": str(CLIENTS * len(workers)),
            "CONNECTIONS": str(5 * CLIENTS * len(workers) // 2),
            "SEVERAL": _line(len(workers) > 1),
            "SERVERS": " ".join(f"server {address};" for address in addresses),
            "RTMP_ADDRESS": addresses[0] if len(workers) == 1 else "workers",
            "GUARD_SCRIPT": str(_written(settings, GUARD_SCRIPT, template(GUARD_SCRIPT))),
        },
    )


def write_web(settings: Settings) -> Path:
    """The file of a web nginx that is to start: the socket of the one before goes, which none could bind again."""
    settings.questions_socket.unlink(missing_ok=True)
    return _write(
        settings,
        "web",
        {
            "IPV6": _line(ports.has_ipv6()),
            "TLS": _line(settings.has_tls),
            "PLAIN": _line(not settings.has_tls),
            "TLS_DIR": str(folders.tls(settings)),
            "HTTP_PORT": str(settings.http_port),
            "HTTPS_PORT": str(settings.https_port),
            "HTTPS_SUFFIX": "" if settings.https_port == 443 else f":{settings.https_port}",
            "PUBLIC_SOCKET": str(settings.public_socket),
            "INTERNAL_SOCKET": str(settings.internal_socket),
            "HLS_DIR": str(folders.hls(settings)),
            "PLAYLIST_SCRIPT": str(_written(settings, PLAYLIST_SCRIPT, template(PLAYLIST_SCRIPT))),
            "NETWORK_SCRIPT": str(_written(settings, NETWORK_SCRIPT, template(NETWORK_SCRIPT))),
            "VERDICT_DIR": str(settings.verdict_dir),
            "SNAPSHOT_DIR": str(folders.snapshots(settings)),
            "QUESTIONS_SOCKET": str(settings.questions_socket),
            "ADDRESS_REQUESTS": str(settings.address_requests),
            "PROXY_PROTOCOL": " proxy_protocol" if settings.proxy_protocol == "on" else "",
            "REAL_IP_HEADER": "proxy_protocol" if settings.proxy_protocol == "on" else "X-Forwarded-For",
            "REAL_IP_FROM": _real_ip_from(settings),
            "PROXY_NETWORKS": " ".join(f"{each} 1;" for each in settings.proxies),
        },
    )


def forget_verdicts(settings: Settings) -> None:
    """Removes what the web nginx was answered about HLS viewers: it asks again, and makes the folder at need."""
    # nginx goes on writing there and removing from there.
    shutil.rmtree(folders.temp(settings, "web") / VERDICTS, ignore_errors=True)


def command(file: Path) -> list[str]:
    """Runs nginx in the foreground, with nothing outside `file` that it would read or write."""
    return [program(), "-e", "stderr", "-p", str(file.parent), "-c", str(file), "-g", "daemon off;"]


def environment(listeners: Sequence[socket.socket] = ()) -> dict[str, str]:
    """Ours without settings and secrets, and what has nginx take over sockets that are open. Each has the address of a
    `listen` in its file, or nginx would open another."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX) and name != INHERITED}
    return env | ({INHERITED: "".join(f"{each.fileno()};" for each in listeners)} if listeners else {})


def program() -> str:
    """Raises StartError when nginx or a module of it is not installed."""
    found = shutil.which("nginx", path=SEARCH)
    if not found or not all(module.exists() for module in NEEDED.values()):
        packages = " ".join(["nginx", *NEEDED])
        raise StartError(f"nginx is not installed, or a module of it: apt-get install {packages}")
    return found


def _real_ip_from(settings: Settings) -> str:
    return " ".join(f"set_real_ip_from {each};" for each in settings.proxies)


def _line(wanted: bool) -> str:
    """What stands before a line of a file that is not always wanted."""
    return "" if wanted else "#"


def _write(settings: Settings, kind: str, values: Mapping[str, str], name: str = "") -> Path:
    """`name`: of one of several of a kind."""
    temp = str(folders.prepare_temp(settings, name or kind))
    text = render(template(f"{kind}.conf"), {"TEMP_DIR": temp, **values})
    return _written(settings, f"{name or kind}.conf", text)


def _written(settings: Settings, name: str, text: str) -> Path:
    file = (settings.run_dir / name).absolute()
    folders.replace(file, text)
    return file
