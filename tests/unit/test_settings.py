from contextlib import nullcontext
from pathlib import Path

import pytest

from control.settings import SettingError, Settings, from_env, to_env


def test_foreign_variables_are_left_alone() -> None:
    assert from_env({"PATH": "/bin", "HTTP_PORT": "1"}) == Settings()


def test_values_get_their_types() -> None:
    settings = from_env({"QPLUS_HTTP_PORT": "81", "QPLUS_DATA_DIR": "/srv/a b", "QPLUS_NODE": "ams-1"})
    assert (settings.http_port, settings.data_dir, settings.node) == (81, Path("/srv/a b"), "ams-1")


def test_settings_survive_the_way_through_the_environment() -> None:
    settings = Settings(
        data_dir=Path("/srv/q"), http_port=1, notifier="webhook", webhook_url="http://h/", gap_seconds=0
    )
    assert from_env(to_env(settings)) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QPLUS_HTTP_PROT", "8080"),
        ("QPLUS_http_port", "8080"),
        ("QPLUS_HTTP_PORT", "eighty"),
        ("QPLUS_HTTP_PORT", ""),
        ("QPLUS_HTTP_PORT", "0"),
        ("QPLUS_GAP_SECONDS", "-1"),
        ("QPLUS_TICKET_SECONDS", "59"),
        ("QPLUS_LOG_LEVEL", "loud"),
        ("QPLUS_NODE", "a/b"),
        ("QPLUS_NODE", ""),
        ("QPLUS_NODE", "é"),
        ("QPLUS_NOTIFIER", "smtp"),
        ("QPLUS_NOTIFIER", "webhook"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match="QPLUS_"):
        from_env({name: value})


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({}, ""),
        ({"QPLUS_RTMP_PROXY_PROTOCOL": "on"}, "QPLUS_NODE_RTMP_PORT: needed"),
        ({"QPLUS_RTMP_PROXY_PROTOCOL": "on", "QPLUS_NODE_RTMP_PORT": "1937"}, ""),
        ({"QPLUS_PROXY_PROTOCOL": "on"}, "QPLUS_PROXY_PROTOCOL: not with several nodes"),
        ({"QPLUS_DATABASE_URL": ""}, "QPLUS_NODE_ADDRESS: nodes share a PostgreSQL"),
        ({"QPLUS_GUARD": "off"}, "QPLUS_NODE_ADDRESS: .* guard"),
    ],
)
def test_a_node_among_several_can_be_reached_by_the_others(more: dict[str, str], refused: str) -> None:
    given = {"QPLUS_NODE_ADDRESS": "10.0.0.1", "QPLUS_DATABASE_URL": "postgresql://h/n"} | more
    with pytest.raises(SettingError, match=refused) if refused else nullcontext():
        from_env(given)


def test_a_refused_value_is_not_repeated() -> None:
    with pytest.raises(SettingError) as error:
        from_env({"QPLUS_HTTP_PORT": "s3cret"})
    assert "s3cret" not in str(error.value)


def test_two_data_folders_have_two_socket_folders() -> None:
    one, other = Settings(data_dir=Path("/a")), Settings(data_dir=Path("/b"))
    assert one.sockets != other.sockets
    assert Settings(socket_dir="/run/mine").workers[0].socket == Path("/run/mine/rtmp.sock")


@pytest.mark.parametrize(
    "url", ["name", "mysql://u:hunter2@h/n", "postgres://u:hunter2@h/n", "postgresql://u:hunter2@h:x/n"]
)
def test_a_database_of_no_kind_that_we_know_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingError, match="QPLUS_DATABASE_URL: postgresql://") as raised:
        from_env({"QPLUS_DATABASE_URL": url})
    assert "hunter2" not in str(raised.value)


def test_paths_fit_together() -> None:
    settings = Settings(data_dir=Path("/srv/q"))
    assert settings.run_dir == Path("/srv/q/run")
    assert settings.database == "sqlite:////srv/q/qplus.db"
    assert Settings(database_url="postgresql://h/d").database == "postgresql://h/d"


@pytest.mark.parametrize(
    ("public_url", "site"), [("", "http://localhost:8080"), ("https://live.example/", "https://live.example")]
)
def test_site_has_no_slash_at_its_end(public_url: str, site: str) -> None:
    assert Settings(public_url=public_url).site == site
