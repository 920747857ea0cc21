from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from control.notices.push_encryption import CURVE, Subscription, decoded, encoded, encrypted, raw

BROWSER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SERVICE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
TEXT = b"When I grow up, I want to be a watermelon"
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(text), "big"), CURVE)


def test_the_example_of_rfc_8291_comes_out_as_it_stands_there() -> None:
    to = Subscription("", encoded(raw(key(BROWSER).public_key())), AUTH)
    assert encoded(encrypted(TEXT, to, key(SERVICE), decoded(SALT))) == MESSAGE


@pytest.mark.parametrize(
    ("public_key", "auth"), [("", AUTH), ("AAAA", AUTH), ("*", AUTH), ("QQ" * 44, AUTH), (SERVICE, AUTH)]
)
def test_what_no_browser_makes_is_noticed(public_key: str, auth: str) -> None:
    assert not Subscription("", public_key, auth).is_usable


def opened(body: bytes, browser: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """As a browser does, written after the specification with nothing of ours."""
    salt, theirs, sealed = body[:16], body[21:86], body[86:]
    shared = browser.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
    secret = _hkdf(auth, shared, b"WebPush: info\0" + raw(browser.public_key()) + theirs, 32)
    content_key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
    return AESGCM(content_key).decrypt(nonce, sealed, b"").rstrip(b"\x02")


def _hkdf(salt: bytes, key: bytes, info: bytes, length: int) -> bytes:
    made = hmac.new(salt, key, hashlib.sha256).digest()
    return hmac.new(made, info + b"\1", hashlib.sha256).digest()[:length]


def test_a_browser_opens_what_is_sealed_for_it() -> None:
    browser = key(BROWSER)
    to = Subscription("", encoded(raw(browser.public_key())), AUTH)
    assert opened(encrypted(TEXT, to, key(SERVICE), bytes(16)), browser, decoded(AUTH)) == TEXT
