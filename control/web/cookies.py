"""Cookies of the pages: no script can read them, no other site's page sends them along, and over TLS no page of another
host of the domain can set them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from control.api.services import Services

# What a browser takes for this name over TLS alone, for the whole host, and from no page of another host of the domain.
TLS = "__Host-"


def cookie(name: str, request: Request, services: Services) -> dict[str, Any]:
    """What sets or clears it."""
    tls = _over_tls(request, services)
    return {"key": f"{TLS if tls else ''}{name}", "path": "/", "secure": tls, "httponly": True, "samesite": "strict"}


def cookie_value(name: str, request: Request, services: Services) -> str:
    """ "" where there is none. Over TLS the other cookie is not believed: a page of another host may have set it."""
    return request.cookies.get(cookie(name, request, services)["key"], "")


def named(prefix: str, request: Request, services: Services) -> list[str]:
    """Those that begin so."""
    tls = TLS if _over_tls(request, services) else ""
    return [key.removeprefix(tls) for key in request.cookies if key.startswith(tls + prefix)]


def _over_tls(request: Request, services: Services) -> bool:
    return request.scope["scheme"] == "https" or services.settings.site.startswith("https:")
