import socket
from pathlib import Path

import pytest

from control.settings import Settings
from control.supervisor import ports, sockets
from control.supervisor.errors import StartError
from tests.e2e.ports import free_ports


def settings(**more: str | int) -> Settings:
    http, rtmp, https, rtmps = free_ports(4)
    given = {"http_port": http, "rtmp_port": rtmp, "https_port": https, "rtmps_port": rtmps, **more}
    return Settings(**given)  # type: ignore[arg-type]


def addresses(listeners: tuple[socket.socket, ...]) -> set[tuple[str, int]]:
    return {listener.getsockname()[:2] for listener in listeners}


def everywhere(*numbers: int) -> set[tuple[str, int]]:
    return {(host, number) for host in ("0.0.0.0", "::") for number in numbers}


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(StartError, match=f"port {port} is taken by another program; .* RTMP_PORT"),
            ports.opened(settings(rtmp_port=port), patience=0.06),
        ):
            pass


def test_clients_come_to_the_guard_and_the_rtmp_nginx_is_on_loopback() -> None:
    node = settings()
    with ports.opened(node) as opened:
        assert addresses(opened.web) == everywhere(node.http_port)
        assert addresses(opened.guard) == everywhere(node.rtmp_port)
        assert addresses(opened.rtmp[0]) == {("127.0.0.1", port) for port in opened.of_worker(0)}


def test_each_rtmp_nginx_has_ports_of_its_own() -> None:
    with ports.opened(settings(rtmp_workers=3)) as opened:
        assert len({port for number in range(3) for port in opened.of_worker(number)}) == 9


def test_without_a_guard_clients_come_to_the_rtmp_nginx() -> None:
    node = settings(guard="off", tls_cert="cert", tls_key="key")
    with ports.opened(node) as opened:
        inside = opened.of_worker(0)
        assert inside.clients == node.rtmp_port
        assert addresses(opened.rtmp[0]) == {
            *everywhere(node.rtmp_port),
            ("127.0.0.1", inside.relay),
            ("127.0.0.1", inside.hls),
        }
        assert opened.guard == ()


def test_a_certificate_opens_two_more() -> None:
    node = settings(tls_cert="cert", tls_key="key")
    with ports.opened(node) as opened:
        assert addresses(opened.web) == everywhere(node.http_port, node.https_port)
        assert addresses(opened.guard) == everywhere(node.rtmp_port, node.rtmps_port)


def test_other_nodes_have_a_port_of_their_own_where_there_are_any() -> None:
    (port,) = free_ports(1)
    shared = {"node_address": "10.0.0.1", "database_url": "postgresql://h/n"}
    for more, wanted in ((shared, [port]), ({}, [])):
        node = settings(node_rtmp_port=port, **more)
        with ports.opened(node) as opened:
            assert addresses(opened.guard) == everywhere(node.rtmp_port, *wanted)


def test_clients_are_answered_at_once_and_wait_for_an_nginx_that_restarts() -> None:
    with ports.opened(settings()) as opened:
        for listener in (*opened.web, *opened.guard, *opened.rtmp[0]):
            assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) and not listener.getblocking()
            host = "::1" if listener.family == socket.AF_INET6 else "127.0.0.1"
            with socket.create_connection((host, listener.getsockname()[1]), timeout=1):
                connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_machine_without_ipv6_has_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "has_ipv6", lambda: False)
    node = settings()
    with ports.opened(node) as opened:
        assert addresses(opened.guard) == {("0.0.0.0", node.rtmp_port)}


def test_whether_there_is_ipv6_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ports.has_ipv6() is Path("/proc/net/if_inet6").exists()

    def none(*_: object) -> None:
        raise OSError("no such family")

    monkeypatch.setattr(socket, "socket", none)
    assert not ports.has_ipv6()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"http_port": 70000}, "HTTP_PORT 70000"),
        ({"http_port": 8000, "rtmp_port": 8000}, "HTTP_PORT and RTMP_PORT are both 8000"),
        ({"tls_cert": "c", "tls_key": "k", "rtmp_port": 8001, "rtmps_port": 8001}, "RTMP_PORT and QPLUS_RTMPS_PORT"),
        (
            {"node_address": "::1", "database_url": "postgresql://h/n", "rtmp_port": 8001, "node_rtmp_port": 8001},
            "RTMP_PORT and QPLUS_NODE_RTMP_PORT",
        ),
    ],
)
def test_ports_that_cannot_be_had_are_named(given: dict[str, int | str], said: str) -> None:
    with pytest.raises(StartError, match=said), ports.opened(settings(**given)):
        pass


def test_a_free_port_is_free() -> None:
    with socket.create_server(("127.0.0.1", sockets.free_port())):
        pass
