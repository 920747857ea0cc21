"""Settings that are each allowed, and do not go together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from control.doctor.findings import Finding, good, odd
from control.settings import Settings

LEAST_GRACE = 10  # seconds: a restart of control may take them


def check(settings: Settings) -> Iterator[Finding]:
    found = list(_odd(settings))
    yield from found or [good("they go together")]


def _odd(settings: Settings) -> Iterator[Finding]:
    public = urlsplit(settings.public_url)
    if public.scheme == "https" and not (settings.has_tls or settings.proxies):
        yield odd(
            "QPLUS_PUBLIC_URL is https, and no proxy is named that brings it: all share the limits of one address",
            "name the proxy in QPLUS_TRUSTED_PROXIES",
        )
    if settings.public_url and settings.notifier == "console":
        yield odd(
            "QPLUS_NOTIFIER is console: codes for new passwords are printed to the log, and reach nobody",
            "set QPLUS_NOTIFIER to webhook or smtp",
        )
    if settings.grace_seconds < LEAST_GRACE:
        yield odd(
            f"QPLUS_GRACE_SECONDS is {settings.grace_seconds}: an upgrade may cut streams",
            f"{LEAST_GRACE} or more",
        )
    if not settings.has_guard:
        yield odd("QPLUS_GUARD is off: 29 bytes of a stranger's end the rtmp nginx", "leave it on")
    if settings.rtmp_workers > (cores := len(os.sched_getaffinity(0))):
        yield odd(
            f"QPLUS_RTMP_WORKERS is {settings.rtmp_workers}, and there are {cores} cores", "leave it out, or lower it"
        )
    if settings.ticket_seconds < 10 * settings.update_seconds:
        yield odd(
            f"QPLUS_TICKET_SECONDS is {settings.ticket_seconds}: tickets end while they are being used",
            "an hour or more",
        )
    if settings.rtmp_url and urlsplit(settings.rtmp_url).scheme not in ("rtmp", "rtmps"):
        yield odd("QPLUS_RTMP_URL is no rtmp:// address", "rtmp://host/live, or rtmps://")
