from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.nginx_rtmp.form import CALLS, BadForm, parse

FFMPEG = b"app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:1935/live&pageurl="
PEER = FFMPEG + b"&addr=127.0.0.1"
# As an nginx-rtmp 1.2.2 wrote them, without arguments.
CAPTURED = {
    "connect": PEER + b"&epoch=1068194&call=connect",
    "disconnect": PEER + b"&clientid=8&call=disconnect&app=live",
    "publish": PEER + b"&clientid=1&call=publish&name=101&type=live",
    "play": PEER + b"&clientid=5&call=play&name=101&start=4294965296&duration=0&reset=0",
    "update": PEER + b"&clientid=1&call=update_publish&time=2&timestamp=1956&name=101",
    "publish_done": PEER + b"&clientid=1&call=publish_done&name=101",
    "play_done": PEER + b"&clientid=5&call=play_done&name=101",
    "done": PEER + b"&clientid=1&call=done&name=101",
    "record_done": PEER + b"&clientid=731&call=record_done&recorder=r1&name=c1&path=/var/rec/c1-1795454465.flv",
}
NAMED = CALLS - {"connect", "disconnect"}
SPOOFED = b"app=zzz&flashver=x&addr=10.0.0.1/x&clientid=9&call=play&name=other&type=q&time=0&timestamp=7"
pairs = st.tuples(
    st.sampled_from([b"app", b"addr", b"clientid", b"call", b"name", b"timestamp", b"pwd", b""]), st.binary(max_size=9)
)
arguments = st.lists(pairs.map(b"=".join), min_size=1, max_size=9).map(b"&".join) | st.binary(min_size=1, max_size=60)


def test_every_call_has_a_captured_body() -> None:
    assert CAPTURED.keys() == CALLS


@pytest.mark.parametrize(
    ("call", "client", "name", "timestamp"),
    [
        ("connect", 0, "", 0),
        ("disconnect", 8, "", 0),
        ("publish", 1, "101", 0),
        ("play", 5, "101", 0),
        ("update", 1, "101", 1956),
        ("publish_done", 1, "101", 0),
        ("play_done", 5, "101", 0),
        ("done", 1, "101", 0),
        ("record_done", 731, "c1", 0),
    ],
)
def test_a_captured_body_is_read(call: str, client: int, name: str, timestamp: int) -> None:
    callback = parse(call, CAPTURED[call])
    assert (callback.client, callback.name, callback.timestamp) == (client, name, timestamp)
    assert callback.call == ("update_publish" if call == "update" else call)
    assert (callback.address, callback.encoder) == ("127.0.0.1", "FMLE/3.0 (compatible; Lavf59.27")
    assert callback.arguments == b""


def test_a_connection_that_only_shook_hands_is_read() -> None:
    nobody = b"app=&flashver=&swfurl=&tcurl=&pageurl=&addr=127.0.0.1&clientid=8&call=disconnect&app="
    assert parse("disconnect", nobody).client == 8


@pytest.mark.parametrize("call", sorted(CALLS))
def test_repeated_keys_are_the_clients_word_and_change_nothing(call: str) -> None:
    honest = parse(call, CAPTURED[call])
    assert parse(call, CAPTURED[call] + b"&" + SPOOFED) == honest._replace(arguments=SPOOFED)


@given(st.sampled_from(sorted(CALLS)), arguments)
def test_no_argument_changes_what_nginx_wrote(call: str, given: bytes) -> None:
    honest = parse(call, CAPTURED[call])
    assert parse(call, CAPTURED[call] + b"&" + given) == honest._replace(arguments=given)


@pytest.mark.parametrize("call", ["update", "publish_done", "play_done", "done"])
def test_a_name_that_nginx_leaves_out_is_empty(call: str) -> None:
    nameless = CAPTURED[call].removesuffix(b"&name=101")
    assert parse(call, nameless).name == ""
    assert parse(call, nameless + b"&pwd=a").arguments == b"pwd=a"


@given(st.sampled_from(["update", "publish_done", "play_done", "done"]), arguments)
def test_without_a_name_all_but_the_name_is_still_nginxs(call: str, given: bytes) -> None:
    nameless = CAPTURED[call].removesuffix(b"&name=101")
    spoofed = parse(call, nameless + b"&" + given)
    honest = parse(call, nameless)
    assert spoofed._replace(name="", arguments=b"") == honest


def test_an_empty_name_of_a_publisher_is_not_its_arguments() -> None:
    callback = parse("publish", PEER + b"&clientid=1&call=publish&name=&type=live&name=victim")
    assert (callback.name, callback.arguments) == ("", b"name=victim")


@pytest.mark.parametrize("call", sorted(NAMED))
@pytest.mark.parametrize("fields", range(8))
def test_missing_fields_are_refused(call: str, fields: int) -> None:
    with pytest.raises(BadForm, match="fields are missing"):
        parse(call, b"&".join(CAPTURED[call].split(b"&")[:fields]))


@pytest.mark.parametrize("number", [b"", b"-1", b"1e3", b"%D9%A1", b"1" * 5000])
def test_a_number_that_is_none_is_refused(number: bytes) -> None:
    with pytest.raises(BadForm):
        parse("done", CAPTURED["done"].replace(b"clientid=1&", b"clientid=" + number + b"&"))


def test_a_refusal_repeats_nothing_of_the_body() -> None:
    with pytest.raises(BadForm) as refusal:
        parse("publish", PEER + b"&clientid=s3cret&call=publish&name=101&type=live")
    assert "s3cret" not in str(refusal.value)


@given(st.sampled_from(sorted(CALLS)), st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_worse(call: str, body: bytes) -> None:
    with pytest.raises(BadForm):
        parse(call, body)


def test_fields_in_another_order_are_refused() -> None:
    swapped = CAPTURED["publish"].replace(b"&clientid=1&call=publish", b"&call=publish&clientid=1")
    with pytest.raises(BadForm):
        parse("publish", swapped)


@pytest.mark.parametrize(
    ("address", "is_relay"),
    [
        (b"127.0.0.1:1936/hls", True),
        (b"10.0.0.7:1935/live/101%3Frelay=tok", True),
        (b"127.0.0.1", False),
        (b"2001:db8::1", False),
        (b"", False),
    ],
)
def test_a_relay_is_told_by_its_address(address: bytes, is_relay: bool) -> None:
    body = CAPTURED["play"].replace(b"addr=127.0.0.1", b"addr=" + address)
    assert parse("play", body).is_relay is is_relay


def test_a_client_cannot_pass_for_a_relay() -> None:
    encoder = CAPTURED["play"].replace(b"Lavf59.27", b"ngx-local-relay")
    assert not parse("play", encoder + b"&addr=127.0.0.1:1/x").is_relay


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"pwd=a%20b%2Bc&x=y", "a b+c"),
        (b"pwd=a+b", "a+b"),
        (b"pwd=first&pwd=second", "first"),
        (b"x&pwd", ""),
        (b"pw=1", ""),
        (b"%70wd=a", "a"),
        (b"pwd=a=b", "a=b"),
        (b"pwd=\xff\r\n", "�\r\n"),
        (b"", ""),
    ],
)
def test_an_argument_is_the_first_of_its_key(sent: bytes, read: str) -> None:
    assert parse("publish", CAPTURED["publish"] + b"&" + sent).argument("pwd") == read


@pytest.mark.parametrize(
    ("call", "publishes"), [("update_publish", True), ("update_play", False), ("publish", True), ("play", False)]
)
def test_an_update_tells_whether_it_is_a_publishers(call: str, publishes: bool) -> None:
    path = "update" if call.startswith("update") else call
    body = CAPTURED[path].replace(b"call=update_publish", b"call=" + call.encode())
    assert parse(path, body).publishes is publishes
