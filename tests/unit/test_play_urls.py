from __future__ import annotations

import pytest

from control.api.play_urls import place


@pytest.mark.parametrize(
    ("site", "port", "rtmp"),
    [
        ("http://live.example", 1935, "rtmp://live.example/live"),
        ("http://live.example:8080", 1935, "rtmp://live.example/live"),
        ("https://live.example", 1936, "rtmp://live.example:1936/live"),
        ("http://192.0.2.7:8080", 1935, "rtmp://192.0.2.7/live"),
        ("http://[2001:db8::1]:8080", 1935, "rtmp://[2001:db8::1]/live"),
        ("http://[2001:db8::1]", 1936, "rtmp://[2001:db8::1]:1936/live"),
        ("http://", 1935, "rtmp://localhost/live"),
        ("http://:8080", 1935, "rtmp://localhost/live"),
        ("http://[", 1935, "rtmp://localhost/live"),
        ("http://[::1", 1935, "rtmp://localhost/live"),
        ("http://live.example:99999999", 1935, "rtmp://live.example/live"),
        ("http://live.example:port", 1935, "rtmp://live.example/live"),
        ("http://user:pass@live.example", 1935, "rtmp://live.example/live"),
        ("http://LIVE.example", 1935, "rtmp://live.example/live"),
    ],
)
def test_rtmp_is_at_the_host_that_was_asked(site: str, port: int, rtmp: str) -> None:
    assert place(site, port).rtmp == rtmp


@pytest.mark.parametrize("url", ["rtmp://push.example/live", "rtmp://push.example/live/"])
def test_the_operators_rtmp_address_goes_first(url: str) -> None:
    assert (
        place("http://live.example", 1936, url).play_rtmp(1000001, "t1") == "rtmp://push.example/live/1000001?ticket=t1"
    )


@pytest.mark.parametrize("url", ["https://cdn.example", "https://cdn.example/"])
def test_the_operators_site_goes_first(url: str) -> None:
    there = place("http://live.example:8080", 1935, public_url=url)
    assert there.play_hls(1000001, "t1") == "https://cdn.example/hls/t1/1000001/index.m3u8"


def test_hls_is_where_the_request_came_in() -> None:
    there = place("http://live.example:8080", 1935)
    assert there.play_hls(1000001, "t1") == "http://live.example:8080/hls/t1/1000001/index.m3u8"
