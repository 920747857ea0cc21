"""Clients' addresses: which of them count as one client's, for every limit by address."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(10_000)
def network(address: str) -> str:
    """What limits count by: an IPv4 address, or the /64 of an IPv6 address, all of which one line is given. What is no
    address is a network of its own."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((parsed, 64), strict=False))
    return str(parsed)
