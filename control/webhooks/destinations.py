"""Where webhooks may be posted to. Owners choose it, and none of them may reach through us what stands beside us."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import httpx

from control.refusals import BadParameter

LONGEST = 1000  # characters of a URL
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def checked(text: str, private: bool) -> httpx.URL:
    """`private`: also private addresses, and without TLS. Raises BadParameter for what is no URL, or may not be one of
    a webhook. A name may still lead to a private address: `allowed` is asked at each connection."""
    url = _parsed(text)
    if url.scheme not in ("https", "http") or not url.host or url.fragment or len(text) > LONGEST:
        raise BadParameter("url")
    if url.userinfo:
        raise BadParameter("url", "no user name or password")
    if url.scheme == "http" and not private:
        raise BadParameter("url", "https")
    try:
        address = ipaddress.ip_address(url.host)
    except ValueError:
        return url
    if not allowed([str(address)], private):
        raise BadParameter("url", "a private address")
    return url


def allowed(addresses: Iterable[str], private: bool) -> str:
    """The first of a host's addresses that may be connected to; "" for none."""
    return next((each for each in addresses if private or _is_public(ipaddress.ip_address(each.partition("%")[0]))), "")


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None)
        if inner is not None:
            return _is_public(inner)
        if address.sixtofour or address.teredo:
            return False  # which lead on to an IPv4 address
    return address.is_global and not address.is_multicast


def _parsed(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise BadParameter("url") from None
