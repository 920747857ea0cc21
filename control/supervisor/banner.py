"""What a person reads when everything is up."""

from __future__ import annotations

from control.settings import Settings

TEXT = """\
QPlus Live Server is up.

  Site     {site}/
  API      {site}/live/
  OBS      Server      {rtmp}
{with_tls}           Stream key  <liveRoomId>?pwd=<liveRoomAnchorPwd>
  Players  {rtmp}/<liveRoomId>?pwd=<liveRoomUserPwd>

First steps: an account, a session, a room, and the room's passwords
  curl {site}/live/Register -d '{{"account": "ann", "phone": "13500000000", "password": "change-me"}}'
  curl {site}/live/Login -d '{{"account": "ann", "password": "change-me"}}'
  curl {site}/live/CreateLiveRoom -d '{{"sessionId": "<from Login>", "liveRoomName": "My room"}}'
  curl {site}/live/GetMyLiveRoom -d '{{"sessionId": "<from Login>"}}'

Ctrl-C stops everything.
"""


def text(settings: Settings, host: str) -> str:
    """`host` is this machine's address, for the addresses that the settings leave open."""
    scheme, port, usual = ("https", settings.https_port, 443) if settings.has_tls else ("http", settings.http_port, 80)
    site = settings.public_url.rstrip("/") or f"{scheme}://{host}{_suffix(port, usual)}"
    rtmp = settings.rtmp_url.rstrip("/") or f"rtmp://{host}{_suffix(settings.rtmp_port, 1935)}/live"
    with_tls = ""
    if settings.has_tls and settings.has_guard:
        with_tls = f"           or, with TLS rtmps://{host}{_suffix(settings.rtmps_port, 443)}/live\n"
    return TEXT.format(site=site, rtmp=rtmp, with_tls=with_tls)


def _suffix(port: int, usual: int) -> str:
    return "" if port == usual else f":{port}"
