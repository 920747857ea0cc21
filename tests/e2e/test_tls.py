"""TLS without a proxy: HTTPS, RTMPS, and a certificate that is renewed while people watch."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Node, until
from tests.e2e.encoders import encoder
from tests.e2e.ports import free_ports

pytestmark = pytest.mark.anyio


def new_certificate(folder: Path, name: str = "localhost") -> None:
    """Signed by itself."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2", "-subj", f"/CN={name}"]
    names = ["-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"]
    files = ["-keyout", "key.pem", "-out", "chain.pem"]
    subprocess.run([*command, *names, *files], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    new_certificate(tmp_path)
    https, rtmps = free_ports(2)
    ports = {"https_port": https, "rtmps_port": rtmps}
    return {"tls_cert": str(tmp_path / "chain.pem"), "tls_key": str(tmp_path / "key.pem"), **ports}


async def shown(port: int) -> str:
    """A digest of the certificate that a newcomer sees."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return hashlib.sha256(certificate).hexdigest()


def of_file(node: Node) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(Path(node.settings.tls_cert).read_text())).hexdigest()


async def plays(url: str) -> bool:
    """Whether ffmpeg sees a picture."""
    player = await asyncio.create_subprocess_exec(
        *["ffmpeg", "-loglevel", "error", "-i", url, "-frames:v", "1", "-f", "null", "-"],
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        return await asyncio.wait_for(player.wait(), 20) == 0
    finally:
        if player.returncode is None:
            player.kill()
            await player.wait()


async def test_https_serves_the_api_and_http_leads_there(node: Node) -> None:
    page = await node.http.get("/")
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    assert page.headers["x-content-type-options"] == "nosniff"
    async with httpx.AsyncClient() as plain:
        sent = await plain.post(f"http://127.0.0.1:{node.settings.http_port}/live/Login?x=1", json={})
    assert (sent.status_code, sent.headers["location"]) == (308, str(node.http.base_url.join("/live/Login?x=1")))
    room = await node.room()
    assert await node.is_live(room) is False


async def test_ffmpeg_pushes_and_plays_over_rtmps(node: Node) -> None:
    room = await node.room()
    rtmps = f"rtmps://127.0.0.1:{node.settings.rtmps_port}/live"
    async with encoder(f"{rtmps}/{room.push}"):
        await node.live(room, within=10)
        assert await plays(f"{rtmps}/{room.play}")
    assert "publisher let in" in node.log.read_text() and "address=127.0.0.1" in node.log.read_text()


async def test_a_renewed_certificate_is_taken_up_and_no_stream_is_cut(node: Node, tmp_path: Path) -> None:
    room = await node.room()
    doors = (node.settings.https_port, node.settings.rtmps_port)
    before = of_file(node)
    assert [await shown(port) for port in doors] == [before] * 2
    async with node.publisher(room.push) as publisher, node.player(room.play) as player:
        await node.live(room)
        new_certificate(tmp_path)
        renewed = of_file(node)
        node.hang_up()

        async def taken_up() -> bool:
            return [await shown(port) for port in doors] == [renewed] * 2

        await until(taken_up)
        (tmp_path / "chain.pem").write_text("nothing")
        node.hang_up()
        await node.logged("certificate not renewed")
        assert await taken_up()
        seen = player.media
        await player.until(lambda: player.media > seen + 30)
        assert not publisher.is_closed


async def test_the_pages_of_a_node_with_tls_lead_to_https_streams(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    urls = await node.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1)
    assert urls["playHlsUrl"].startswith(str(node.http.base_url))
