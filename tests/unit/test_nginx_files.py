import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.settings import Settings
from control.supervisor import folders, nginx
from control.supervisor.errors import StartError


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    # Not below tmp_path, whose name may be too long for a socket's.
    with tempfile.TemporaryDirectory(prefix="qplus-") as sockets:
        made = Settings(data_dir=tmp_path / "data dir", socket_dir=sockets, node="ams-1", update_seconds=7)
        with folders.locked(made):
            folders.prepare_sockets(made)
            yield made


def check(file: Path) -> str:
    tried = subprocess.run([*nginx.command(file), "-t"], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    return file.read_text()


def test_nginx_takes_the_rtmp_file(settings: Settings) -> None:
    text = check(nginx.write_rtmp(settings, "5tart", 21935))
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
    text = nginx.write_rtmp(settings, "5tart", 21935).read_text()
    asked = re.search(r"on_update http://127\.0\.0\.1:(\d+)", text)
    assert asked and f"listen 127.0.0.1:{asked[1]};" in text


def test_nothing_is_written_before_a_verdict(settings: Settings) -> None:
    words = nginx.write_rtmp(settings, "5tart", 21935).read_text()
    public = words.partition("application live {")[2].partition("}")[0]
    assert "on_publish" in public
    assert not re.search(r"^\s*(hls|dash|record|exec\w*)\s", public, re.MULTILINE)


def test_no_block_logs_requests(settings: Settings) -> None:
    for file in (nginx.write_rtmp(settings, "5tart", 21935), nginx.write_web(settings)):
        text = file.read_text()
        assert text.count("    access_log off;") == len(re.findall(r"^(?:rtmp|http) {", text, re.MULTILINE))


def test_workers_drop_to_a_plain_user_only_from_root(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert folders.worker() is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    user = folders.worker()
    assert user is not None and user.pw_name == "www-data"


def test_only_placeholders_are_replaced() -> None:
    assert nginx.render("@{A} $a @a {A}", {"A": "1"}) == "1 $a @a {A}"


@pytest.mark.parametrize("values", [{}, {"A": "1"}, {"A": "1", "B": "2", "C": "3"}])
def test_a_placeholder_without_value_and_a_value_without_placeholder_are_errors(values: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        nginx.render("@{A} @{B}", values)


@pytest.mark.parametrize("missing", ["SEARCH", "RTMP_MODULE", "JS_MODULE"])
def test_a_missing_nginx_is_said(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(nginx, missing, Path("/nowhere"))
    with pytest.raises(StartError, match="apt-get install nginx libnginx-mod-rtmp libnginx-mod-http-js"):
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
