"""The node's certificate."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from control.doctor.findings import TIMEOUT, Finding, fault, good, left_out, odd
from control.settings import Settings
from control.supervisor import folders

SOON = timedelta(days=14)
RENEW = "renew it, then make upgrade"


def check(settings: Settings) -> Iterator[Finding]:
    if not settings.has_tls:
        yield left_out("QPLUS_TLS_CERT is not set")
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=lambda: b"")
        certificate = x509.load_pem_x509_certificates(Path(settings.tls_cert).read_bytes())[0]
    except (OSError, ValueError) as failure:
        why = getattr(failure, "reason", None) or getattr(failure, "strerror", None) or "not a PEM file"
        yield fault(
            f"certificate and key cannot be used: {why}",
            "QPLUS_TLS_CERT and QPLUS_TLS_KEY: a chain and its key, readable, without a password",
        )
        return
    yield _valid(certificate, datetime.now(UTC))
    for setting, url in (("QPLUS_PUBLIC_URL", settings.public_url), ("QPLUS_RTMP_URL", settings.rtmp_url)):
        if host := urlsplit(url).hostname:
            yield _named(certificate, setting, host)
    if folders.supervised(settings) is not None:
        yield _served(certificate, settings.https_port)


def _valid(certificate: x509.Certificate, now: datetime) -> Finding:
    end, begin = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    if end <= now:
        return fault(f"the certificate ended on {end:%Y-%m-%d}: no client accepts it", RENEW)
    if begin > now:
        return fault(f"the certificate begins on {begin:%Y-%m-%d %H:%M} UTC", "look at the clock, or renew it")
    said = f"the certificate is good until {end:%Y-%m-%d}"
    return odd(f"{said}, {(end - now).days} days", RENEW) if end - now < SOON else good(said)


def _named(certificate: x509.Certificate, setting: str, host: str) -> Finding:
    names = _names(certificate)
    _, dot, rest = host.partition(".")
    if host in names or (dot and f"*.{rest}" in names):
        return good(f"it is for {host}")
    return fault(
        f"the certificate is for {', '.join(sorted(names)) or 'no name'}, and {setting} says {host}",
        f"one for {host}, or another {setting}",
    )


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = {str(each) for each in found.get_values_for_type(x509.IPAddress)}
    return {name.lower() for name in found.get_values_for_type(x509.DNSName)} | addresses


def _served(certificate: x509.Certificate, port: int) -> Finding:
    """Whether the node that runs shows it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=str(ipaddress.ip_address("127.0.0.1"))) as secure,
        ):
            shown = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError) as failure:
        return fault(
            f"port {port} does not speak TLS: {failure}", "look for `certificate not renewed` in the node's log"
        )
    if shown == certificate:
        return good(f"port {port} shows it")
    return fault(f"port {port} still shows another, until {shown.not_valid_after_utc:%Y-%m-%d}", "make upgrade")
