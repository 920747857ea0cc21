import socket

import pytest

from control.settings import Settings
from control.supervisor import sockets
from control.supervisor.errors import StartError


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} is taken by another program; .* RTMP_PORT"):
            sockets.listen_rtmp(Settings(http_port=sockets.free_port(), rtmp_port=port), patience=0.06)


def test_rtmp_clients_are_answered_at_once_and_wait_for_an_nginx_that_restarts() -> None:
    port = sockets.free_port()
    public, inner = sockets.listen_rtmp(Settings(http_port=sockets.free_port(), rtmp_port=port))
    with public, inner:
        assert (public.getsockname(), inner.getsockname()[0]) == (("0.0.0.0", port), "127.0.0.1")
        for listener in (public, inner):
            assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) and not listener.getblocking()
            with socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=1):
                connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(("http", "rtmp", "said"), [(70000, 1, "HTTP_PORT 70000"), (1, 1, "HTTP_PORT and RTMP_PORT")])
def test_ports_that_cannot_be_had_are_named(http: int, rtmp: int, said: str) -> None:
    with pytest.raises(StartError, match=said):
        sockets.listen_rtmp(Settings(http_port=http, rtmp_port=rtmp))
