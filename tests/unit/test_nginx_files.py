import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from control.settings import Settings
from control.supervisor import folders, nginx
from control.supervisor.errors import StartError
from control.supervisor.ports import RtmpPorts


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    # Not below tmp_path, whose name may be too long for a socket's.
    with tempfile.TemporaryDirectory(prefix="qplus-") as sockets:
        made = Settings(data_dir=tmp_path / "data dir", socket_dir=sockets, node="ams-1", update_seconds=7)
        with folders.locked(made):
            folders.prepare_sockets(made)
            yield made


def rtmp_file(settings: Settings, start: str) -> Path:
    return nginx.write_rtmp(settings, settings.workers[0], start, RtmpPorts(21934, 20935, 21935))


def check(file: Path) -> str:
    tried = subprocess.run([*nginx.command(file), "-t"], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    return file.read_text()


def test_nginx_takes_the_rtmp_file(settings: Settings) -> None:
    text = check(rtmp_file(settings, "5tart"))
    assert f"on_publish http://unix:{settings.internal_socket}:/rtmp/ams-1/5tart/publish;" in text
    assert "notify_update_timeout 7s;" in text
    assert 'add_header X-Start "5tart";' in text


def test_nginx_takes_the_web_file(settings: Settings) -> None:
    text = check(nginx.write_web(settings))
    assert "listen 8080 " in text
    assert "proxy_set_header Host $http_host;" in text


def test_what_web_nginx_was_answered_can_be_forgotten(settings: Settings) -> None:
    kept = Path(re.findall(r"proxy_cache_path (\S+)", nginx.write_web(settings).read_text())[0])
    nginx.forget_verdicts(settings)  # also where there is nothing yet
    (kept / "a1").mkdir(parents=True)
    nginx.forget_verdicts(settings)
    assert not kept.exists()


def test_updates_go_to_the_port_that_listens(settings: Settings) -> None:
    text = rtmp_file(settings, "5tart").read_text()
    asked = re.search(r"on_update http://127\.0\.0\.1:(\d+)", text)
    assert asked and f"listen 127.0.0.1:{asked[1]};" in text


def test_nginx_takes_the_guards_file(settings: Settings) -> None:
    text = check(nginx.write_guard(settings, [21934]))
    assert "default 127.0.0.1:21934;" in text and "limit_conn networks 256;" in text


def test_the_guard_spreads_clients_over_several(settings: Settings) -> None:
    text = check(nginx.write_guard(settings, [21934, 21944]))
    assert "least_conn; server 127.0.0.1:21934; server 127.0.0.1:21944; }" in text
    assert "default workers;" in text


def test_each_rtmp_nginx_has_files_of_its_own(settings: Settings) -> None:
    several = replace(settings, rtmp_workers=2)
    texts = [
        check(nginx.write_rtmp(several, worker, "5tart", RtmpPorts(21934, 20935, 21935))) for worker in several.workers
    ]
    assert [re.findall(r"/rtmp/(\S+)/5tart/play", text) for text in texts] == [["ams-1"], ["ams-1.2"]]
    assert len({*re.findall(r"^pid (\S+);", "\n".join(texts), re.MULTILINE)}) == 2
    assert [re.findall(r"hls_cleanup (\w+);", text) for text in texts] == [["on"], ["off"]]  # one folder for both


@pytest.mark.parametrize("guard", ["on", "off"])
def test_the_rtmp_nginx_listens_behind_the_guard_or_for_clients(settings: Settings, guard: str) -> None:
    text = check(rtmp_file(replace(settings, guard=guard), "5tart"))
    listens = re.findall(r"^ +listen ([^u\n][^;\n]*);", text, re.MULTILINE)
    open_to_all = [each.split()[0] for each in listens if not each.startswith("127.0.0.1:")]
    assert open_to_all == ([] if guard == "on" else ["1935", "[::]:1935"])
    assert ("127.0.0.1:21934 proxy_protocol" in listens) is (guard == "on")


@pytest.mark.parametrize("workers", [1, 3])
def test_clients_leave_the_rtmp_nginx_some_connections(settings: Settings, workers: int) -> None:
    """For callbacks and /stat; and the guard has two for each client."""
    guard = nginx.write_guard(settings, [21934, 21944, 21954][:workers]).read_text()
    clients = int(re.findall(r"limit_conn all (\d+);", guard)[0])
    rtmp = int(re.findall(r"worker_connections (\d+);", rtmp_file(settings, "s").read_text())[0])
    assert clients / workers + 4000 <= rtmp
    assert 2 * clients < int(re.findall(r"worker_connections (\d+);", guard)[0])


def test_nothing_is_written_before_a_verdict(settings: Settings) -> None:
    words = rtmp_file(settings, "5tart").read_text()
    public = words.partition("application live {")[2].partition("}")[0]
    assert "on_publish" in public
    assert not re.search(r"^\s*(hls|dash|record|exec\w*)\s", public, re.MULTILINE)


def test_no_block_logs_requests(settings: Settings) -> None:
    rtmp, guard = rtmp_file(settings, "5tart"), nginx.write_guard(settings, [21934])
    for file in (rtmp, guard, nginx.write_web(settings)):
        text = file.read_text()
        assert text.count("    access_log off;") == len(re.findall(r"^(?:rtmp|http|stream) {", text, re.MULTILINE))


def test_only_placeholders_are_replaced() -> None:
    assert nginx.render("@{A} $a @a {A}", {"A": "1"}) == "1 $a @a {A}"


@pytest.mark.parametrize("values", [{}, {"A": "1"}, {"A": "1", "B": "2", "C": "3"}])
def test_a_placeholder_without_value_and_a_value_without_placeholder_are_errors(values: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        nginx.render("@{A} @{B}", values)


@pytest.mark.parametrize("missing", ["SEARCH", *nginx.NEEDED])
def test_a_missing_nginx_is_said(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    if missing == "SEARCH":
        monkeypatch.setattr(nginx, "SEARCH", "/nowhere")
    else:
        monkeypatch.setitem(nginx.NEEDED, missing, Path("/nowhere"))
    with pytest.raises(StartError, match=r"apt-get install nginx libnginx-mod-rtmp .* libnginx-mod-stream-js"):
        nginx.program()


def test_nginx_is_told_of_sockets_but_of_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QPLUS_SMTP_URL", "smtp://user:secret@host")
    monkeypatch.setenv("NGINX", "7;")
    with socket.socket() as one, socket.socket() as other:
        given = nginx.environment([one, other])
        assert given["NGINX"] == f"{one.fileno()};{other.fileno()};"
    assert not [name for name in nginx.environment() if name == "NGINX" or name.startswith("QPLUS_")]


def test_a_release_that_is_installed_meanwhile_changes_no_file_of_a_running_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nginx.read_templates()
    before = nginx.template("web.conf")
    monkeypatch.setattr(nginx, "TEMPLATES", tmp_path)
    (tmp_path / "web.conf").write_text("@{OF_ANOTHER_RELEASE}")
    assert nginx.template("web.conf") == before


def test_what_clients_can_fill_is_on_a_disk_and_not_beside_the_sockets(settings: Settings) -> None:
    plain = replace(settings, data_dir=Path("/srv/qplus"))
    assert folders.temp(plain, "web").is_relative_to(plain.run_dir)
    text = nginx.template("web.conf")
    assert set(re.findall(r"(?:temp_path|cache_path) (@\{\w+\})", text)) == {"@{TEMP_DIR}"}
