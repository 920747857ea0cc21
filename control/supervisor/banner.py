"""What a person reads when everything is up."""

from __future__ import annotations

from control.settings import Settings

TEXT = """\
QPlus Live Server is up.

  Site     {site}/
  API      {site}/live/
  OBS      Server      {rtmp}
           Stream key  <liveRoomId>?pwd=<liveRoomAnchorPwd>
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
    site = settings.public_url.rstrip("/") or f"http://{host}{_suffix(settings.http_port, 80)}"
    rtmp = settings.rtmp_url.rstrip("/") or f"rtmp://{host}{_suffix(settings.rtmp_port, 1935)}/live"
    return TEXT.format(site=site, rtmp=rtmp)


def _suffix(port: int, usual: int) -> str:
    return "" if port == usual else f":{port}"
